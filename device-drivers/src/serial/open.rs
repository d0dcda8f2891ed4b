//! Opens a port with a profile's line settings, exclusively.
//!
//! DTR and RTS are raised because some cables draw their power from them; ptys and some adapters
//! know neither, so both are best effort.

use crate::device::SerialConfig;
use crate::link::LinkReason;
use crate::profile::Parity;
use crate::serial::reasons;
use tokio_serial::{ErrorKind, SerialPort, SerialPortBuilderExt, SerialStream};

/// Opens the configured port.
pub(super) fn open(config: &SerialConfig) -> Result<SerialStream, LinkReason> {
    let shown = config.path.display().to_string();
    let path = config
        .path
        .to_str()
        .ok_or_else(|| reasons::not_a_port(&shown))?;
    check(path, &shown)?;
    let line = config.profile.line();
    let parity = match line.parity {
        Parity::None => tokio_serial::Parity::None,
        Parity::Odd => tokio_serial::Parity::Odd,
    };
    let mut port = tokio_serial::new(path, line.baud)
        .parity(parity)
        .data_bits(tokio_serial::DataBits::Eight)
        .stop_bits(tokio_serial::StopBits::One)
        .flow_control(tokio_serial::FlowControl::None)
        .open_native_async()
        .map_err(|error| explain(&error, &shown))?;
    let _ = port.write_data_terminal_ready(true);
    let _ = port.write_request_to_send(true);
    Ok(port)
}

/// Tells a missing path and one that is no device apart, which the open call does not.
fn check(path: &str, shown: &str) -> Result<(), LinkReason> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        match std::fs::metadata(path) {
            Ok(data) if !data.file_type().is_char_device() => {
                return Err(reasons::not_a_port(shown));
            }
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(reasons::port_missing(shown));
            }
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                return Err(reasons::permission_denied(shown));
            }
            Err(error) => return Err(reasons::open_failed(shown, &error.to_string())),
        }
    }
    let _ = (path, shown);
    Ok(())
}

fn explain(error: &tokio_serial::Error, shown: &str) -> LinkReason {
    match error.kind() {
        ErrorKind::NoDevice => reasons::port_busy(shown),
        ErrorKind::Io(std::io::ErrorKind::NotFound) => reasons::port_missing(shown),
        ErrorKind::Io(std::io::ErrorKind::PermissionDenied) => reasons::permission_denied(shown),
        ErrorKind::Io(std::io::ErrorKind::WouldBlock) => reasons::port_busy(shown),
        _ if is_no_terminal(&error.description) => reasons::not_a_port(shown),
        _ => reasons::open_failed(shown, &error.description),
    }
}

/// ENOTTY, which the library passes on only as the system's words.
fn is_no_terminal(description: &str) -> bool {
    let description = description.to_ascii_lowercase();
    description.contains("not a typewriter") || description.contains("inappropriate ioctl")
}
