//! A level-0 sensor of each class: the firmware's own code, which numbers what it measures.

use fog_node::bench::firmware::{Firmware, seal, ultra_light};
use fogward_level0::{
    Authentication, Backlog, Chunk, DeviceClass, FrameReader, Hello, HostMessage, MAX_WIRE,
    Outgoing, PairingKey, Reading, Sensor, metric, quality,
};

/// Readings that a sensor keeps that listens: more than a minute's.
const KEPT: usize = 64;

/// Readings after which an introduction before them is durable, or was missed.
const HELLO_IN_DOUBT: u64 = 3;

/// How a sensor proves its frames, and whether it keeps what was not acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    Keeping,
    UltraLight,
    LowCost,
    Signing,
}

enum Played {
    Keeping(Box<Backlog<KEPT>>, Sensor<PairingKey>),
    Plain(Firmware),
}

/// A sensor whose readings' values are their numbers.
pub(super) struct Numbered {
    pub(super) class: Class,
    /// The node's key for it.
    pub(super) key: String,
    /// Readings measured so far, and the value of the next one.
    pub(super) measured: u64,
    /// The first reading that a host can know of: of a sensor that keeps nothing, the first that one was there for.
    pub(super) first: Option<u64>,
    /// Introductions of which no host may have heard: each has a number, as a reading has, and is missed by it.
    pub(super) lost_hellos: u64,
    /// The measurement before which it introduced itself last.
    hello_at: u64,
    /// Whether a host spoke since the line is new, and has everything but what is under way.
    pub(super) is_heard: bool,
    played: Played,
    reader: FrameReader,
}

impl Numbered {
    pub(super) fn new(number: u32, class: Class) -> Self {
        let plain = |authentication| {
            let (firmware, key) = Firmware::new(number, authentication).unwrap();
            (Played::Plain(firmware), key)
        };
        let (played, key) = match class {
            Class::Keeping => {
                let (sensor, key) = ultra_light(number).unwrap();
                (Played::Keeping(Box::default(), sensor), key)
            }
            Class::UltraLight => plain(Authentication::AsconTag),
            Class::LowCost => plain(Authentication::HmacTag),
            Class::Signing => plain(Authentication::Signature),
        };
        Self {
            class,
            key,
            measured: 0,
            first: None,
            lost_hellos: 0,
            hello_at: u64::MAX,
            is_heard: false,
            played,
            reader: FrameReader::default(),
        }
    }

    /// Measures once: the frames that go on the line, if there is one.
    pub(super) fn measure(&mut self, is_linked: bool) -> Vec<Vec<u8>> {
        let reading = Reading {
            metric: metric::HEART_RATE,
            quality: quality::GOOD,
            mantissa: i32::try_from(self.measured).unwrap(),
            exponent: 0,
        };
        self.measured += 1;
        let mut frames = Vec::new();
        match &mut self.played {
            Played::Keeping(backlog, sensor) => {
                backlog.take(sensor, None, reading).unwrap();
                let mut wire = [0; MAX_WIRE];
                while is_linked && let Some(length) = backlog.seal_next(sensor, &mut wire) {
                    frames.push(wire[..length].to_vec());
                }
            }
            Played::Plain(firmware) => {
                let readings = [reading];
                let message = Outgoing::Readings {
                    time_millis: None,
                    readings: &readings,
                };
                frames.push(firmware.seal(&message).unwrap());
            }
        }
        frames
    }

    /// The line is new: what was not acknowledged is sent again.
    pub(super) fn linked_anew(&mut self) {
        self.reader = FrameReader::default();
        self.is_heard = false;
        let first = if self.class == Class::Keeping {
            0
        } else {
            self.measured
        };
        self.first.get_or_insert(first);
        if let Played::Keeping(backlog, _) = &mut self.played {
            backlog.send_again();
        }
    }

    /// Hears what the node says; the answer, if it wants one.
    pub(super) fn hear(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut is_asked = false;
        for &byte in bytes {
            let Some(Chunk::Frame(frame)) = self.reader.push(byte) else {
                continue;
            };
            let message = match &mut self.played {
                Played::Keeping(_, sensor) => sensor.open(frame),
                Played::Plain(firmware) => firmware.open(frame),
            };
            self.is_heard |= message.is_ok() && self.class != Class::Keeping;
            match (message, &mut self.played) {
                (Ok(HostMessage::Ack { durable }), Played::Keeping(backlog, _)) => {
                    backlog.acknowledge(durable);
                    self.is_heard = backlog.len() < 3;
                }
                (Ok(HostMessage::Identify), played) => {
                    if let Played::Keeping(backlog, _) = played {
                        backlog.send_again();
                    }
                    is_asked = true;
                }
                _ => {}
            }
        }
        is_asked.then(|| self.hello())
    }

    /// The line ended, or the host was killed: an introduction may not have come through, or its number not have
    /// become durable with that of a reading after it.
    pub(super) fn line_ended(&mut self) {
        if (self.hello_at..=self.hello_at.saturating_add(HELLO_IN_DOUBT)).contains(&self.measured) {
            self.lost_hellos += 1;
            self.hello_at = u64::MAX;
        }
    }

    fn hello(&mut self) -> Vec<u8> {
        self.hello_at = self.measured;
        let hello = Outgoing::Hello(Hello {
            firmware: [1, 0, 0],
            class: match self.class {
                Class::Keeping | Class::UltraLight => DeviceClass::UltraLight,
                Class::LowCost => DeviceClass::LowCost,
                Class::Signing => DeviceClass::Lightweight,
            },
            readings_per_1000_s: 1000,
            is_listening: self.class == Class::Keeping,
        });
        match &mut self.played {
            Played::Keeping(_, sensor) => seal(sensor, &hello).unwrap(),
            Played::Plain(firmware) => firmware.seal(&hello).unwrap(),
        }
    }
}
