//! The sensors that are moved about: the firmware's own code for level-0 devices of all classes, some of which
//! keep what was not acknowledged, and the streams of the other profiles. All their data are simulated.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use device_drivers::codec::{contec_cms50d, contec_cms50dplus, nonin_ascii, nonin_oem3};
use device_drivers::profile::Profile;
use fogward_level0::{
    Authentication, Backlog, Chunk, DeviceClass, EncodeError, FrameReader, Hello, HostMessage,
    MAX_WIRE, Outgoing, PairingKey, Reading, Sensor, metric, quality,
};

use super::super::devices::line::Line;
use super::super::firmware::{Firmware, seal, ultra_light};

/// Readings that a sensor keeps that listens: a minute's.
const KEPT: usize = 64;

/// What a sensor is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Proves its frames by an Ascon tag, and keeps what was not acknowledged.
    Keeping,
    /// Proves them by an Ascon tag.
    UltraLight,
    /// By HMAC-SHA256.
    LowCost,
    /// By a signature.
    Signing,
    /// Streams, and proves nothing.
    Stream(Profile),
}

/// A kind's firmware.
enum Played {
    Keeping(Box<Backlog<KEPT>>, Sensor<PairingKey>),
    Plain(Firmware),
    Stream(Profile),
}

/// A sensor, and the port it is plugged into, by a path that stays the same.
pub(super) struct Worn {
    pub(super) kind: Kind,
    firmware: Played,
    /// The node's key for it, if it has one.
    pub(super) key: Option<String>,
    pub(super) path: PathBuf,
    line: Option<Line>,
    reader: FrameReader,
    /// Readings taken so far, and the value of the next one.
    pub(super) taken: u64,
}

impl Worn {
    /// A sensor with a fresh key, plugged in below `folder`.
    pub(super) fn new(folder: &Path, number: u32, kind: Kind) -> anyhow::Result<Self> {
        let plain = |class| {
            let (firmware, key) = Firmware::new(number, class)?;
            anyhow::Ok((Played::Plain(firmware), Some(key)))
        };
        let (firmware, key) = match kind {
            Kind::Keeping => {
                let (sensor, key) = ultra_light(number)?;
                (Played::Keeping(Box::default(), sensor), Some(key))
            }
            Kind::UltraLight => plain(Authentication::AsconTag)?,
            Kind::LowCost => plain(Authentication::HmacTag)?,
            Kind::Signing => plain(Authentication::Signature)?,
            Kind::Stream(profile) => (Played::Stream(profile), None),
        };
        let mut worn = Self {
            kind,
            firmware,
            key,
            path: folder.join(format!("sensor-{number}")),
            line: None,
            reader: FrameReader::default(),
            taken: 0,
        };
        worn.plug_in()?;
        Ok(worn)
    }

    /// What a node has to read it as.
    pub(super) const fn profile(&self) -> Profile {
        match self.kind {
            Kind::Stream(profile) => profile,
            _ => Profile::FogwardLevel0,
        }
    }

    /// Whether its readings are numbered, so that each that is lost is missed by its number.
    pub(super) const fn is_numbered(&self) -> bool {
        !matches!(self.kind, Kind::Stream(_))
    }

    /// Whether it is at its port.
    pub(super) const fn is_plugged(&self) -> bool {
        self.line.is_some()
    }

    /// Puts it into its port.
    pub(super) fn plug_in(&mut self) -> anyhow::Result<()> {
        let line = Line::plug_in().context("cannot open a pseudo terminal")?;
        // As a system names a port anew: at no moment does the name stand for half a port.
        let new = self.path.with_extension("new");
        symlink(line.path(), &new)?;
        fs::rename(&new, &self.path)?;
        self.line = Some(line);
        if let Played::Keeping(backlog, _) = &mut self.firmware {
            backlog.send_again();
        }
        Ok(())
    }

    /// Pulls it out. Its name goes first: the system gives the port's number to the next terminal.
    pub(super) fn pull_out(&mut self) -> std::io::Result<()> {
        fs::remove_file(&self.path)?;
        self.line = None;
        Ok(())
    }

    /// Measures for a second: what goes on the line, in frames.
    pub(super) fn measure(&mut self) -> Result<Vec<Vec<u8>>, EncodeError> {
        let reading = Reading {
            metric: metric::HEART_RATE,
            quality: quality::GOOD,
            mantissa: i32::try_from(self.taken).unwrap_or(i32::MAX),
            exponent: 0,
        };
        let (second, is_plugged) = (self.taken, self.line.is_some());
        self.taken += 1;
        match &mut self.firmware {
            Played::Keeping(backlog, sensor) => {
                backlog.take(sensor, None, reading)?;
                let mut frames = Vec::new();
                let mut wire = [0; MAX_WIRE];
                while is_plugged && let Some(length) = backlog.seal_next(sensor, &mut wire) {
                    frames.push(wire[..length].to_vec());
                }
                Ok(frames)
            }
            Played::Plain(firmware) => {
                let message = Outgoing::Readings {
                    time_millis: None,
                    readings: &[reading],
                };
                Ok(vec![firmware.seal(&message)?])
            }
            Played::Stream(profile) => Ok(vec![second_of(*profile, second)]),
        }
    }

    /// Sends bytes; those for which the line has no room are lost, as on a real one.
    pub(super) fn send(&mut self, bytes: &[u8]) {
        if let Some(line) = &mut self.line {
            // A full line is nobody's fault here.
            let _ = line.send(bytes);
        }
    }

    /// Reads what the node has sent, and does what a firmware does about it.
    pub(super) fn listen(&mut self) -> anyhow::Result<()> {
        let mut bytes = [0; 4096];
        let Some(line) = &mut self.line else {
            return Ok(());
        };
        let heard = line.heard(&mut bytes)?;
        let mut is_asked = false;
        for &byte in heard {
            if let Some(Chunk::Frame(frame)) = self.reader.push(byte) {
                is_asked |= self.firmware.hear(frame);
            }
        }
        if is_asked && let Some(hello) = self.firmware.hello()? {
            self.send(&hello);
        }
        Ok(())
    }
}

impl Played {
    /// Takes a frame of the node; true if it asks who this is. What is not a frame of it says nothing.
    fn hear(&mut self, frame: &mut [u8]) -> bool {
        let message = match self {
            Self::Keeping(_, sensor) => sensor.open(frame),
            Self::Plain(firmware) => firmware.open(frame),
            Self::Stream(_) => return false,
        };
        if let Self::Keeping(backlog, _) = self {
            match message {
                Ok(HostMessage::Ack { durable }) => backlog.acknowledge(durable),
                // It has begun to listen just now.
                Ok(HostMessage::Identify) => backlog.send_again(),
                _ => {}
            }
        }
        matches!(message, Ok(HostMessage::Identify))
    }

    fn hello(&mut self) -> Result<Option<Vec<u8>>, EncodeError> {
        let hello = Outgoing::Hello(Hello {
            firmware: [1, 0, 0],
            class: match self {
                Self::Keeping(..) | Self::Plain(Firmware::UltraLight(_)) => DeviceClass::UltraLight,
                Self::Plain(Firmware::LowCost(_)) => DeviceClass::LowCost,
                Self::Plain(Firmware::Signing(_)) | Self::Stream(_) => DeviceClass::Lightweight,
            },
            readings_per_1000_s: 1000,
            is_listening: matches!(self, Self::Keeping(..)),
        });
        match self {
            Self::Keeping(_, sensor) => seal(sensor, &hello).map(Some),
            Self::Plain(firmware) => firmware.seal(&hello).map(Some),
            Self::Stream(_) => Ok(None),
        }
    }
}

/// A second of a stream, as its device sends it.
fn second_of(profile: Profile, second: u64) -> Vec<u8> {
    let spo2 = Some(90 + (second % 10) as u8);
    let pulse = Some(60 + (second % 60) as u8);
    let wide = pulse.map(u16::from);
    match profile {
        Profile::NoninOem3 => {
            let packet = nonin_oem3::encode_packet(&nonin_oem3::PacketContent {
                pulse: wide,
                spo2,
                status: 0,
                pleth: [80; nonin_oem3::PACKET_FRAMES],
            });
            packet.repeat(3)
        }
        Profile::NoninAscii => nonin_ascii::encode_line(spo2, wide).into_bytes(),
        Profile::ContecCms50dPlus => {
            let frame = contec_cms50dplus::encode_frame(&contec_cms50dplus::FrameContent {
                wave: 60,
                pulse,
                spo2,
                ..contec_cms50dplus::FrameContent::default()
            });
            frame.repeat(60)
        }
        Profile::ContecCms50d115200 => {
            let frame = contec_cms50d::encode_frame(&contec_cms50d::FrameContent {
                wave: 60,
                pulse,
                spo2,
                ..contec_cms50d::FrameContent::default()
            });
            frame.repeat(60)
        }
        Profile::FogwardLevel0 => Vec::new(),
    }
}
