//! Pairing and removing devices on serial ports, and what every pairing shares.

use std::path::Path;
use std::sync::Arc;

use device_drivers::profile::Profile;
use device_drivers::serial::list_ports;
use fog_api::{
    AddDevice, Device, DeviceAbout, DeviceSource, DeviceState, Gap, Port, ProfileInfo, StartDemo,
};
use fogward_level0::HostKey;
use ledger_core::Digest;

use crate::bluetooth::{address_in, is_bluetooth, path_of};
use crate::clock::now_millis;
use crate::failure::Failure;
use crate::ingest::{DeviceIndex, Item, random_handle};
use crate::keystore::random;
use crate::live::DeviceLook;
use crate::node::{Node, NodeConfig};
use crate::provisioning::parse_code;
use crate::sensor::{Away, source_of};
use crate::vault::devices::{self, DeviceRow};

/// Longest name of a device in characters.
const MAX_NAME: usize = 80;
/// Longest path of a port in bytes.
const MAX_PATH: usize = 4096;
/// Most devices a node works with.
pub(crate) const MAX_DEVICES: usize = 500;

impl Node {
    /// All paired devices, in the order they were paired.
    #[must_use]
    pub fn devices(&self) -> Vec<Device> {
        self.live.devices()
    }

    /// One device.
    ///
    /// # Errors
    /// [`Failure`] if there is none.
    pub fn device(&self, id: &str) -> Result<Device, Failure> {
        self.find_device(id).map(|(_, device)| device)
    }

    /// Pairs a serial device, or one that speaks level-0 by Bluetooth: stores it, registers it on the ledger,
    /// and starts reading from it. With a one-time code the device is given a key first, which takes some
    /// seconds.
    ///
    /// # Errors
    /// [`Failure`] if something asked for cannot be, in words.
    pub async fn add_device(self: &Arc<Self>, request: AddDevice) -> Result<Device, Failure> {
        let profile = parse_profile(&request.profile)?;
        let path = checked_path(profile, &request.path)?;
        self.check_free(&path)?;
        if let Some(code) = &request.code {
            let code = parse_code(profile, code, request.key.is_some())?;
            let name = match request.name {
                Some(name) => checked_name(&name)?,
                None => default_name(profile, &path),
            };
            return self.provision_device(&code, name, path).await;
        }
        let id = new_id()?;
        let sealed_key = match parse_key(profile, request.key.as_deref())? {
            None => None,
            Some(key) => Some(
                self.master
                    .seal(id.as_bytes(), &key.expose())
                    .map_err(Failure::internal)?,
            ),
        };
        let name = match request.name {
            Some(name) => checked_name(&name)?,
            None => default_name(profile, &path),
        };
        let row = DeviceRow {
            id,
            name,
            profile: profile.name().into(),
            path,
            simulated: false,
            sealed_key,
            handle: random_handle().map_err(Failure::internal)?,
            added: now_millis(),
            durable_sequence: None,
            handovers: 0,
        };
        self.pair(row).await
    }

    /// Unpairs a device: its readings stay, its pairing key is destroyed.
    ///
    /// # Errors
    /// [`Failure`] if there is none, or the node is stopping.
    pub async fn remove_device(&self, id: &str) -> Result<(), Failure> {
        let (index, device) = self.find_device(id)?;
        if let Some(sensor) = self.take_sensor(index) {
            sensor.stop().await;
        }
        let removed = self.until_durable(|done| Item::Remove(index, done));
        removed.await?.map_err(Failure::internal)?;
        self.live.close(index);
        self.remove_bond(&device.path).await;
        Ok(())
    }

    /// Stops reading a device for a while.
    pub(crate) async fn rest_device(&self, id: &str) -> Result<(), Failure> {
        let (index, _) = self.find_device(id)?;
        if let Some(sensor) = self.take_sensor(index) {
            sensor.stop().await;
        }
        Ok(())
    }

    /// Reads a device again that was stopped for a while.
    pub(crate) fn wake_device(&self, id: &str) -> Result<Device, Failure> {
        self.wake_device_from(id, Away::node_stopped)
    }

    /// The same; `away` says why nobody listened since it was heard last.
    pub(crate) fn wake_device_from(
        &self,
        id: &str,
        away: fn(i64) -> Away,
    ) -> Result<Device, Failure> {
        let (index, device) = self.find_device(id)?;
        let rows = devices::active(&self.vault())?;
        let ingest = self.ingest().ok_or_else(Failure::stopping)?;
        if let Some(row) = rows.iter().find(|row| row.id == id) {
            self.start_sensor(index, row, &ingest, device.last_heard.map(away));
        }
        self.device(id)
    }

    /// The profiles a device can be paired with.
    #[must_use]
    pub fn profiles(&self) -> Vec<ProfileInfo> {
        Profile::ALL.into_iter().map(profile_info).collect()
    }

    /// The serial ports of this machine, and which devices hold them.
    pub async fn ports(&self) -> Vec<Port> {
        let found = tokio::task::spawn_blocking(list_ports)
            .await
            .unwrap_or_default();
        let devices = self.devices();
        let used_by = |path: &str| devices.iter().find(|device| device.path == path);
        found
            .into_iter()
            .map(|port| {
                let is_used = used_by(&port.path).or_else(|| used_by(port.stable_path.as_deref()?));
                Port {
                    used_by: is_used.map(|device| device.name.clone()),
                    label: port.title,
                    path: port.stable_path.unwrap_or(port.path),
                }
            })
            .collect()
    }

    /// Pairs what the command line names, unless it is paired already.
    pub(crate) async fn pair_configured(
        self: &Arc<Self>,
        config: &NodeConfig,
    ) -> anyhow::Result<()> {
        for serial in &config.serial {
            let path = serial.path.display().to_string();
            let paired = self
                .devices()
                .into_iter()
                .find(|device| device.path == path);
            match paired {
                Some(device) if device.profile == serial.profile.name() => {}
                Some(device) => anyhow::bail!(
                    "{path} is paired as {}, not {}; unpair it first",
                    device.profile,
                    serial.profile
                ),
                None => {
                    let request = AddDevice {
                        name: None,
                        profile: serial.profile.name().into(),
                        path,
                        key: serial.key.clone(),
                        code: None,
                    };
                    self.add_device(request).await?;
                }
            }
        }
        if let Some(devices) = config.demo
            && !self.devices().iter().any(|device| device.simulated)
        {
            let every_profile = config.demo_every_profile;
            self.start_demo(StartDemo {
                devices,
                every_profile,
            })
            .await?;
        }
        Ok(())
    }

    /// Stores a device, registers it, shows it, starts it.
    pub(crate) async fn pair(&self, row: DeviceRow) -> Result<Device, Failure> {
        self.pair_with(row, None).await
    }

    /// The same with a device whose key was kept under the digest of a one-time code until now.
    pub(crate) async fn pair_with(
        &self,
        row: DeviceRow,
        code: Option<Digest>,
    ) -> Result<Device, Failure> {
        self.check_room()?;
        source_of(&row, &self.master, &self.bluetooth).map_err(Failure::internal)?;
        let ingest = self.ingest().ok_or_else(Failure::stopping)?;
        let added = self.until_durable(|done| Item::Add(row.clone(), code, done));
        let index = added.await?.map_err(Failure::internal)?;
        self.show_device(index, &row, None, 0)
            .map_err(Failure::internal)?;
        self.start_sensor(index, &row, &ingest, None);
        self.device(&row.id)
    }

    /// Refuses one device too many.
    pub(crate) fn check_room(&self) -> Result<(), Failure> {
        if self.devices().len() < MAX_DEVICES {
            return Ok(());
        }
        Err(Failure::new(
            409,
            "DEV-08",
            "The device was not paired.",
            format!("This node works with {MAX_DEVICES} devices already."),
            "Pair it with another fog node.",
        ))
    }

    /// Refuses a port that a paired device holds.
    pub(crate) fn check_free(&self, path: &str) -> Result<(), Failure> {
        let mut devices = self.devices().into_iter();
        let Some(device) = devices.find(|device| device.path == path) else {
            return Ok(());
        };
        Err(Failure::new(
            409,
            "DEV-02",
            "This port is in use already.",
            format!("The device “{}” is paired on it.", device.name),
            "Unpair that device first, or choose another port.",
        ))
    }

    pub(crate) fn find_device(&self, id: &str) -> Result<(DeviceIndex, Device), Failure> {
        let next = "See the list of devices; it may have been unpaired.";
        self.live
            .device(id)
            .ok_or_else(|| Failure::not_found("There is no such device.", next))
    }
}

/// A stored device, not heard yet.
pub(crate) fn described(
    row: &DeviceRow,
    registered_height: Option<u64>,
    look: DeviceLook,
    last_heard: Option<i64>,
) -> Device {
    let profile = row.profile.parse::<Profile>().ok();
    let source = source_rate(row);
    Device {
        id: row.id.clone(),
        name: row.name.clone(),
        profile: row.profile.clone(),
        source: if row.simulated {
            DeviceSource::Simulated
        } else if is_bluetooth(&row.path) {
            DeviceSource::Bluetooth
        } else {
            DeviceSource::Serial
        },
        path: row.path.clone(),
        state: DeviceState::Connecting,
        reason: None,
        next_step: None,
        reason_code: None,
        simulated: row.simulated,
        authenticated: profile.is_some_and(Profile::needs_key),
        handle: row.handle.to_string(),
        registered_height,
        signal_dbm: None,
        about: DeviceAbout::default(),
        standing: look.standing,
        assigned_to: look.assigned_to,
        place: look.place,
        changed_height: look.changed_height,
        added: u64::try_from(row.added).unwrap_or_default(),
        last_heard,
        vitals: Vec::new(),
        waves: waves_of(row, profile),
        gap: Gap::default(),
        rejected_reasons: Vec::new(),
        readings_per_second: source,
    }
}

/// LOINC codes of the waves a device is known to send.
fn waves_of(row: &DeviceRow, profile: Option<Profile>) -> Vec<String> {
    let metrics = match profile {
        Some(profile) => profile.metrics(),
        None if row.simulated => crate::sensor::simulated_metrics(&row.path),
        None => &[],
    };
    let waves = metrics.iter().filter(|metric| metric.is_waveform());
    waves.map(|metric| metric.loinc().to_owned()).collect()
}

fn source_rate(row: &DeviceRow) -> f64 {
    let rate = if row.simulated {
        crate::sensor::simulated_rate(&row.path)
    } else {
        row.profile
            .parse::<Profile>()
            .ok()
            .and_then(Profile::readings_per_second)
    };
    rate.map_or(0.0, |rate| {
        f64::from(rate.readings) * 1000.0 / f64::from(rate.per_millis.max(1))
    })
}

fn profile_info(profile: Profile) -> ProfileInfo {
    ProfileInfo {
        name: profile.name().into(),
        label: profile.title().into(),
        line: profile.line().to_string(),
        measures: profile
            .metrics()
            .iter()
            .map(|metric| metric.label().to_owned())
            .collect(),
        needs_key: profile.needs_key(),
    }
}

/// The profile of this name.
pub(crate) fn parse_profile(name: &str) -> Result<Profile, Failure> {
    name.parse()
        .map_err(|error: device_drivers::profile::UnknownProfile| {
            Failure::new(
                400,
                "DEV-03",
                "The device was not paired.",
                format!("{error}."),
                "Choose the profile that fits the sensor.",
            )
        })
}

/// The device's key, where the profile needs one.
pub(crate) fn parse_key(profile: Profile, key: Option<&str>) -> Result<Option<HostKey>, Failure> {
    if !profile.needs_key() {
        return Ok(None);
    }
    match key.map(str::parse) {
        Some(Ok(key)) => Ok(Some(key)),
        _ => Err(Failure::new(
            400,
            "DEV-04",
            "The device was not paired.",
            "This profile proves who sent each reading, and needs the device's pairing key.",
            "Type the key that came with the device, 64 hexadecimal digits; of some devices the word hmac or sign and more digits.",
        )),
    }
}

/// The path as it is kept: of a port, or of the Bluetooth device that speaks this profile.
pub(crate) fn checked_path(profile: Profile, path: &str) -> Result<String, Failure> {
    let place = checked_place(path)?;
    if !is_bluetooth(&place) || profile == Profile::FogwardLevel0 {
        return Ok(place);
    }
    Err(Failure::new(
        400,
        "DEV-14",
        "The device was not paired.",
        "This profile is spoken on serial ports only.",
        "Pair a Bluetooth device without a profile, or with fogward-level0 and its key.",
    ))
}

/// The path as it is kept: of a port, or of a Bluetooth device.
pub(crate) fn checked_place(path: &str) -> Result<String, Failure> {
    match address_in(path) {
        None => check_path(path).map(|()| path.to_owned()),
        Some(address) => address.map(|of| path_of(&of)),
    }
}

/// Refuses paths that no port can have.
pub(crate) fn check_path(path: &str) -> Result<(), Failure> {
    if Path::new(path).is_absolute() && path.len() <= MAX_PATH && !path.contains('\0') {
        return Ok(());
    }
    Err(Failure::new(
        400,
        "DEV-05",
        "The device was not paired.",
        "A port is named by its whole path.",
        "Choose one from the list, or type a path such as /dev/ttyUSB0.",
    ))
}

pub(crate) fn checked_name(name: &str) -> Result<String, Failure> {
    let name = name.trim();
    let length = name.chars().count();
    if (1..=MAX_NAME).contains(&length) && !name.chars().any(char::is_control) {
        return Ok(name.to_owned());
    }
    Err(Failure::new(
        400,
        "DEV-09",
        "The device was not paired.",
        format!("A name has 1 to {MAX_NAME} characters."),
        "Choose a shorter name; leave the patient's name out.",
    ))
}

fn default_name(profile: Profile, path: &str) -> String {
    let port = Path::new(path)
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    format!("{} on {port}", profile.title())
        .chars()
        .take(MAX_NAME)
        .collect()
}

pub(crate) fn new_id() -> Result<String, Failure> {
    Ok(hex::encode(random::<8>().map_err(Failure::internal)?))
}
