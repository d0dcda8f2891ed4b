//! One sensor of the rig and what it can be told to do.
//!
//! What each sensor is and which values it sends stands in `peripherals/sensors.py`.

use crate::{Rig, RigError};
use serde_json::{Value, json};
use std::time::Duration;

/// The sensors by name, address and what they are good for.
///
/// | name | address | profiles | pairing |
/// |---|---|---|---|
/// | `wrist` | `C4:F2:17:1A:1D:01` | heart rate, thermometer, pulse oximeter, battery | just works; its serial number needs encryption |
/// | `cuff` | `C4:F2:17:1A:1D:02` | blood pressure, battery | shows a passkey; its features need authentication |
/// | `glucometer` | `C4:F2:17:1A:1D:03` | glucose with record access control point, battery | numeric comparison |
/// | `keypad` | `C4:F2:17:1A:1D:04` | thermometer | types a passkey that the host shows |
/// | `pod` | `C4:F2:17:1A:1D:05` | Nordic UART Service: `0003` is notified, `0002` written | just works |
/// | `scale` | `C4:F2:17:1A:1D:06` | weight scale, immediate alert, battery | just works |
#[derive(Clone, Copy, Debug)]
pub struct Sensor<'a> {
    rig: &'a Rig,
    name: &'static str,
    address: &'static str,
}

/// How a sensor is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SensorState {
    /// Whether a host is connected.
    pub connected: bool,
    /// Whether that connection is encrypted.
    pub encrypted: bool,
    /// How many hosts it remembers.
    pub bonds: u64,
    /// The six digits on its display, once it has shown some.
    pub shown: Option<u32>,
    /// The alert levels it was told, in order.
    pub alerts: Vec<u64>,
}

impl Rig {
    /// The wrist sensor.
    #[must_use]
    pub const fn wrist(&self) -> Sensor<'_> {
        self.sensor("wrist", "C4:F2:17:1A:1D:01")
    }

    /// The blood pressure cuff.
    #[must_use]
    pub const fn cuff(&self) -> Sensor<'_> {
        self.sensor("cuff", "C4:F2:17:1A:1D:02")
    }

    /// The glucose meter.
    #[must_use]
    pub const fn glucometer(&self) -> Sensor<'_> {
        self.sensor("glucometer", "C4:F2:17:1A:1D:03")
    }

    /// The thermometer with keys.
    #[must_use]
    pub const fn keypad(&self) -> Sensor<'_> {
        self.sensor("keypad", "C4:F2:17:1A:1D:04")
    }

    /// The sensor with a line of its own.
    #[must_use]
    pub const fn pod(&self) -> Sensor<'_> {
        self.sensor("pod", "C4:F2:17:1A:1D:05")
    }

    /// The weight scale.
    #[must_use]
    pub const fn scale(&self) -> Sensor<'_> {
        self.sensor("scale", "C4:F2:17:1A:1D:06")
    }

    const fn sensor(&self, name: &'static str, address: &'static str) -> Sensor<'_> {
        Sensor {
            rig: self,
            name,
            address,
        }
    }
}

/// Each of these fails as [`RigError`] says: the guest or the stage ended, or refused.
impl Sensor<'_> {
    /// Its Bluetooth address, a static random one.
    #[must_use]
    pub const fn address(&self) -> &'static str {
        self.address
    }

    /// Begins or ends to advertise. It does so again by itself after a connection.
    pub fn advertise(&self, on: bool) -> Result<(), RigError> {
        self.tell(json!({"do": "advertise", "on": on})).map(drop)
    }

    /// Hangs up.
    pub fn drop_link(&self) -> Result<(), RigError> {
        self.tell(json!({"do": "drop"})).map(drop)
    }

    /// Forgets every host it was bonded to.
    pub fn forget_bonds(&self) -> Result<(), RigError> {
        self.tell(json!({"do": "forget"})).map(drop)
    }

    /// Sends a value to who has subscribed; an indication returns when it was confirmed.
    pub fn send(&self, characteristic: u16, value: &[u8]) -> Result<(), RigError> {
        let characteristic = format!("{characteristic:04X}");
        let value: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
        self.tell(json!({"do": "send", "characteristic": characteristic, "value": value}))
            .map(drop)
    }

    /// Sends its worked examples again and again; never when `period` is zero.
    pub fn stream(&self, period: Duration) -> Result<(), RigError> {
        let millis = u64::try_from(period.as_millis()).unwrap_or(u64::MAX);
        self.tell(json!({"do": "stream", "period_millis": millis}))
            .map(drop)
    }

    /// Whether it lets itself be paired.
    pub fn accept_pairing(&self, on: bool) -> Result<(), RigError> {
        self.tell(json!({"do": "accept", "on": on})).map(drop)
    }

    /// Somebody presses yes or no on it.
    pub fn press(&self, agrees: bool) -> Result<(), RigError> {
        self.tell(json!({"do": "answer", "answer": agrees}))
            .map(drop)
    }

    /// Somebody types a passkey on it.
    pub fn type_passkey(&self, passkey: u32) -> Result<(), RigError> {
        self.tell(json!({"do": "answer", "answer": passkey}))
            .map(drop)
    }

    /// What was written to it since this was asked last, write by write.
    pub fn heard(&self) -> Result<Vec<Vec<u8>>, RigError> {
        let heard = self.tell(json!({"do": "heard"}))?;
        serde_json::from_value(heard).map_err(|error| RigError::Refused(error.to_string()))
    }

    /// How it is.
    pub fn state(&self) -> Result<SensorState, RigError> {
        let state = self.tell(json!({"do": "state"}))?;
        Ok(SensorState {
            connected: state["connected"] == true,
            encrypted: state["encrypted"] == true,
            bonds: state["bonds"].as_u64().unwrap_or_default(),
            shown: state["shown"]
                .as_u64()
                .and_then(|number| u32::try_from(number).ok()),
            alerts: state["alerts"]
                .as_array()
                .map(|levels| levels.iter().filter_map(Value::as_u64).collect())
                .unwrap_or_default(),
        })
    }

    fn tell(&self, mut request: Value) -> Result<Value, RigError> {
        request["sensor"] = self.name.into();
        self.rig.ask(&request)
    }
}
