//! Which serial ports there are, and watching them come and go.
//!
//! Ptys and links made by hand are in no list; their path can be typed.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::watch;
use tokio_serial::SerialPortType;

const LOOK_EVERY: Duration = Duration::from_secs(1);
const STABLE_NAMES: &str = "/dev/serial/by-id";

/// A port of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortInfo {
    /// The system's name of it; may be another one after the next start.
    pub path: String,
    /// A name that stays with the adapter, where the system gives one. Use it if there is.
    pub stable_path: Option<String>,
    /// What to show a person.
    pub title: String,
    /// The adapter, if it hangs on USB.
    pub usb: Option<UsbIdentity>,
}

/// A USB adapter, as it names itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsbIdentity {
    /// Vendor number.
    pub vendor_id: u16,
    /// Product number.
    pub product_id: u16,
    /// Maker's name.
    pub manufacturer: Option<String>,
    /// Product's name.
    pub product: Option<String>,
    /// Serial number.
    pub serial_number: Option<String>,
}

/// The serial ports, ordered by path. Reads the system's tables; call it off the async threads.
/// A system that cannot say which ports it has, has none here.
#[must_use]
pub fn list_ports() -> Vec<PortInfo> {
    let stable = stable_names(Path::new(STABLE_NAMES));
    let mut ports: Vec<PortInfo> = tokio_serial::available_ports()
        .unwrap_or_default()
        .into_iter()
        .map(|port| {
            let usb = match port.port_type {
                SerialPortType::UsbPort(usb) => Some(UsbIdentity {
                    vendor_id: usb.vid,
                    product_id: usb.pid,
                    manufacturer: usb.manufacturer,
                    product: usb.product,
                    serial_number: usb.serial_number,
                }),
                _ => None,
            };
            let title = usb
                .as_ref()
                .and_then(|usb| usb.product.clone())
                .unwrap_or_else(|| {
                    port.port_name
                        .rsplit('/')
                        .next()
                        .unwrap_or_default()
                        .to_owned()
                });
            let stable_path = stable
                .get(Path::new(&port.port_name))
                .map(|path| path.display().to_string());
            PortInfo {
                path: port.port_name,
                stable_path,
                title,
                usb,
            }
        })
        .collect();
    ports.sort_by(|left, right| left.path.cmp(&right.path));
    ports
}

/// Device files and the links in `folder` that lead to them.
fn stable_names(folder: &Path) -> BTreeMap<PathBuf, PathBuf> {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((std::fs::canonicalize(entry.path()).ok()?, entry.path())))
        .collect()
}

/// The ports now and whenever they change. Looks once a second while a receiver lives, and ends
/// with the last one. Must be called within a tokio runtime with time enabled.
#[must_use]
pub fn watch_ports() -> watch::Receiver<Vec<PortInfo>> {
    let (sender, receiver) = watch::channel(Vec::new());
    tokio::spawn(async move {
        loop {
            let Ok(ports) = tokio::task::spawn_blocking(list_ports).await else {
                return;
            };
            sender.send_if_modified(|known| {
                let is_new = *known != ports;
                *known = ports;
                is_new
            });
            tokio::select! {
                () = sender.closed() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    });
    receiver
}

#[cfg(all(test, unix))]
mod tests {
    //! Goal: a stable name is found by the device it leads to. Method: a folder with one link.
    use super::stable_names;

    #[test]
    fn links_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let device = folder.path().join("ttyUSB0");
        std::fs::write(&device, "").unwrap();
        let names = folder.path().join("by-id");
        std::fs::create_dir(&names).unwrap();
        std::os::unix::fs::symlink(&device, names.join("usb-maker-product")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("gone"), names.join("usb-gone")).unwrap();
        let found = stable_names(&names);
        let device = std::fs::canonicalize(device).unwrap();
        assert_eq!(found.get(&device), Some(&names.join("usb-maker-product")));
        assert_eq!(found.len(), 1);
    }
}
