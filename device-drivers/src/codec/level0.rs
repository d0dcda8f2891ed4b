//! The host's side of `fogward-level0`; the protocol is in `docs/level0-protocol.md`.
//!
//! Each reading keeps the device's number, so holes are counted exactly and the fog node can
//! acknowledge. A wave message is one segment: nothing waits here for more, or an acknowledgement
//! could overtake it. It leaves out sending, which is in [`crate::serial`], and remembering the highest
//! number over a restart, which is the fog node's (`SerialConfig::replay_floor`).

use crate::event::{DeviceInfo, Event, MissingCause, RejectReason, Rejection};
use crate::measurement::{Measurement, Metric, Quality, Value};
use crate::profile::Rate;
use fogward_level0::{
    Accepted, Chunk, DeviceMessage, FrameReader, Hello, Host, HostKey, HostMessage, MAX_WIRE,
    MISSING_SAMPLE, Reading, Refusal, Relayed, Wave,
};

/// Powers of ten a reading may have.
const EXPONENTS: core::ops::RangeInclusive<i8> = -9..=9;
/// A wave message covers at most about a second.
const MAX_WAVE_MICROS: u64 = 1_100_000;

/// The decoder.
#[derive(Debug)]
pub struct Level0 {
    reader: FrameReader,
    host: Host,
    frames: u64,
    hellos: u64,
    hello: Option<Hello>,
    is_known: bool,
}

impl Level0 {
    /// A decoder for the device with this key; refuses counters up to `replay_floor`.
    #[must_use]
    pub fn new(key: impl Into<HostKey>, replay_floor: Option<u64>) -> Level0 {
        Level0 {
            reader: FrameReader::default(),
            host: Host::new(key, replay_floor),
            frames: 0,
            hellos: 0,
            hello: None,
            is_known: false,
        }
    }

    /// See [`crate::codec::Decoder::push`].
    pub fn push(&mut self, bytes: &[u8], now_millis: i64, events: &mut Vec<Event>) {
        for &byte in bytes {
            let opened = match self.reader.push(byte) {
                None => continue,
                Some(Chunk::TooLong) => Err(Refusal::TooLong),
                Some(Chunk::Frame(frame)) => self.host.open(frame),
            };
            match opened {
                Ok(accepted) => self.accept(accepted, now_millis, events),
                Err(refusal) => refuse(reason(refusal), 0, events),
            }
        }
    }

    /// See [`crate::codec::Decoder::reset`].
    pub fn reset(&mut self, events: &mut Vec<Event>) {
        if self.reader.reset() {
            refuse(RejectReason::Incomplete, 0, events);
        }
    }

    /// See [`crate::codec::Decoder::frames`].
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Whether the device says that it listens; `None` before it said anything.
    #[must_use]
    pub fn is_listening(&self) -> Option<bool> {
        self.hello.map(|hello| hello.is_listening)
    }

    /// How often the device has introduced itself.
    #[must_use]
    pub fn hellos(&self) -> u64 {
        self.hellos
    }

    /// Seals a message to the device; `None` before the device was heard. `now_millis` since 1970.
    pub fn seal(&mut self, message: HostMessage, now_millis: i64) -> Option<Vec<u8>> {
        let mut wire = [0; MAX_WIRE];
        let length = self
            .host
            .seal(&message, u64::try_from(now_millis).unwrap_or(0), &mut wire)?;
        Some(wire[..length].to_vec())
    }

    fn accept(&mut self, accepted: Accepted, now_millis: i64, events: &mut Vec<Event>) {
        self.frames += 1;
        if accepted.step.missing > 0 {
            events.push(Event::Missing {
                readings: accepted.step.missing,
                cause: MissingCause::SequenceGap,
            });
        }
        if accepted.step.recovered > 0 {
            events.push(Event::Recovered {
                readings: accepted.step.recovered,
            });
        }
        let device_id = accepted.device_id.to_string();
        let hello = match &accepted.message {
            Some(DeviceMessage::Hello(hello)) => Some(*hello),
            _ => self.hello,
        };
        if !self.is_known || hello != self.hello {
            self.is_known = true;
            self.hello = hello;
            events.push(Event::Device(DeviceInfo {
                authentication: Some(self.host.authentication()),
                ..info(device_id, hello)
            }));
        }
        match accepted.message {
            Some(DeviceMessage::Hello(_)) => self.hellos += 1,
            Some(DeviceMessage::Readings(body)) => {
                for (index, reading) in body.readings.iter().enumerate() {
                    let sequence = accepted.counter + index as u64;
                    match numeric(reading, body.time_millis, sequence, now_millis) {
                        Ok(measurement) => events.push(Event::Measurement(measurement)),
                        Err(reason) => refuse(reason, 1, events),
                    }
                }
            }
            Some(DeviceMessage::Wave(wave)) => match segment(&wave, accepted.counter, now_millis) {
                Ok(measurement) => events.push(Event::Measurement(measurement)),
                Err(reason) => refuse(reason, 1, events),
            },
            None => refuse(RejectReason::UnknownMessage, 1, events),
        }
    }
}

fn refuse(reason: RejectReason, readings: u32, events: &mut Vec<Event>) {
    events.push(Event::Rejected(Rejection {
        reason,
        frames: 1,
        readings,
    }));
}

fn reason(refusal: Refusal) -> RejectReason {
    match refusal {
        Refusal::Garbage => RejectReason::Garbage,
        Refusal::Incomplete => RejectReason::Incomplete,
        Refusal::TooLong => RejectReason::TooLong,
        Refusal::Checksum => RejectReason::Checksum,
        Refusal::Unknown => RejectReason::UnknownMessage,
        Refusal::Forged | Refusal::WrongClass => RejectReason::Forged,
        Refusal::WrongDevice => RejectReason::WrongDevice,
        Refusal::Replayed => RejectReason::Replayed,
    }
}

fn info(device_id: String, hello: Option<Hello>) -> DeviceInfo {
    DeviceInfo {
        device_id: Some(device_id),
        model: Some("Fogward level-0 sensor".to_owned()),
        firmware: hello.map(|hello| {
            let [major, minor, patch] = hello.firmware;
            format!("{major}.{minor}.{patch}")
        }),
        class: hello.map(|hello| hello.class),
        rate: hello.map(|hello| Rate {
            readings: hello.readings_per_1000_s,
            per_millis: 1_000_000,
        }),
        ..DeviceInfo::default()
    }
}

fn numeric(
    reading: &Reading,
    time_millis: Option<u64>,
    sequence: u64,
    now_millis: i64,
) -> Result<Measurement, RejectReason> {
    let metric = metric_of(reading.metric)
        .filter(|metric| !metric.is_waveform())
        .ok_or(RejectReason::UnknownMessage)?;
    let quality = quality_of(reading.quality).ok_or(RejectReason::UnknownMessage)?;
    if !EXPONENTS.contains(&reading.exponent) {
        return Err(RejectReason::Implausible);
    }
    let value = Value::Quantity {
        mantissa: i64::from(reading.mantissa),
        exponent: reading.exponent,
    };
    Ok(proven(
        Measurement::new(metric, Some(value), quality, now_millis),
        time_millis,
        sequence,
    ))
}

fn segment(wave: &Wave, sequence: u64, now_millis: i64) -> Result<Measurement, RejectReason> {
    let metric = metric_of(wave.metric)
        .filter(|metric| metric.is_waveform())
        .ok_or(RejectReason::UnknownMessage)?;
    let length_micros = wave.samples.len() as u64 * u64::from(wave.period_micros);
    if wave.period_micros == 0 || length_micros > MAX_WAVE_MICROS {
        return Err(RejectReason::Implausible);
    }
    let samples: Vec<Option<i16>> = wave
        .samples
        .iter()
        .map(|&sample| Some(sample).filter(|&sample| sample != MISSING_SAMPLE))
        .collect();
    let quality = if samples.iter().all(Option::is_some) {
        Quality::Good
    } else {
        Quality::Questionable
    };
    let has_any = samples.iter().any(Option::is_some);
    let value = has_any.then_some(Value::Samples {
        period_micros: wave.period_micros,
        samples,
    });
    let started_millis = now_millis - i64::try_from(length_micros / 1_000).unwrap_or(0);
    Ok(proven(
        Measurement::new(metric, value, quality, started_millis),
        wave.time_millis,
        sequence,
    ))
}

fn proven(mut measurement: Measurement, time_millis: Option<u64>, sequence: u64) -> Measurement {
    measurement.device_time_millis = time_millis.and_then(|millis| i64::try_from(millis).ok());
    measurement.sequence = Some(sequence);
    measurement.authenticated = true;
    measurement
}

/// The metrics of the wire.
const METRICS: [(u8, Metric); 7] = {
    use fogward_level0::metric;
    [
        (metric::SPO2, Metric::SpO2),
        (metric::PULSE_RATE, Metric::PulseRate),
        (metric::PLETH_WAVE, Metric::PlethWave),
        (metric::PERFUSION_INDEX, Metric::PerfusionIndex),
        (metric::BODY_TEMPERATURE, Metric::BodyTemperature),
        (metric::RESPIRATION_RATE, Metric::RespirationRate),
        (metric::HEART_RATE, Metric::HeartRate),
    ]
};

/// The qualities of the wire.
const QUALITIES: [(u8, Quality); 7] = {
    use fogward_level0::quality;
    [
        (quality::GOOD, Quality::Good),
        (quality::LOW_PERFUSION, Quality::LowPerfusion),
        (quality::QUESTIONABLE, Quality::Questionable),
        (quality::SEARCHING, Quality::Searching),
        (quality::MISSING, Quality::Missing),
        (quality::SENSOR_OFF, Quality::SensorOff),
        (quality::SENSOR_FAULT, Quality::SensorFault),
    ]
};

fn metric_of(number: u8) -> Option<Metric> {
    let mut table = METRICS.into_iter();
    table.find(|row| row.0 == number).map(|row| row.1)
}

fn quality_of(number: u8) -> Option<Quality> {
    let mut table = QUALITIES.into_iter();
    table.find(|row| row.0 == number).map(|row| row.1)
}

/// A reading of another device as this protocol says it; `None` if it has no form for it.
pub(crate) fn relayed(source: [u8; 4], measurement: &Measurement) -> Option<Relayed> {
    let (mantissa, exponent) = match measurement.value {
        Value::Quantity { mantissa, exponent } => (i32::try_from(mantissa).ok()?, exponent),
        Value::Absent => (0, 0),
        Value::Samples { .. } => return None,
    };
    if measurement.metric.is_waveform() || !EXPONENTS.contains(&exponent) {
        return None;
    }
    let metric = METRICS.iter().find(|row| row.1 == measurement.metric)?;
    let quality = QUALITIES.iter().find(|row| row.1 == measurement.quality)?;
    let time = measurement.device_time_millis;
    Some(Relayed {
        source,
        is_simulated: measurement.simulated,
        time_millis: time.and_then(|millis| u64::try_from(millis).ok()),
        reading: Reading {
            metric: metric.0,
            quality: quality.0,
            mantissa,
            exponent,
        },
    })
}
