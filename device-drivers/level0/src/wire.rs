//! The device's side of the [postcard](https://postcard.jamesmunns.com/wire-format) encoding.
//!
//! The host uses the `postcard` crate. A device with 256 bytes of RAM cannot afford the stack of a
//! general serializer, so what it says is written, and what it hears is read, by these few lines;
//! the tests compare them with the crate. It leaves out everything that no message needs.

use crate::message::{HostMessage, Outgoing, Reading};

/// Writes a message's body and returns its length; `None` if it is longer than `body`.
pub(crate) fn encode(message: &Outgoing<'_>, body: &mut [u8]) -> Option<usize> {
    let mut writer = Writer { body, at: 0 };
    match message {
        Outgoing::Hello(hello) => {
            writer.byte(0);
            hello.firmware.iter().for_each(|part| writer.byte(*part));
            writer.byte(hello.class as u8);
            writer.varint(u64::from(hello.readings_per_1000_s));
            writer.byte(u8::from(hello.is_listening));
        }
        Outgoing::Readings {
            time_millis,
            readings,
        } => {
            writer.byte(1);
            writer.option(*time_millis);
            writer.varint(readings.len() as u64);
            readings.iter().for_each(|reading| writer.reading(reading));
        }
        Outgoing::Wave {
            metric,
            time_millis,
            period_micros,
            samples,
        } => {
            writer.byte(2);
            writer.byte(*metric);
            writer.option(*time_millis);
            writer.varint(u64::from(*period_micros));
            writer.varint(samples.len() as u64);
            samples
                .iter()
                .for_each(|sample| writer.zigzag(i32::from(*sample)));
        }
    }
    (writer.at <= writer.body.len()).then_some(writer.at)
}

/// Counts on beyond the end, so that there is one check and not one for each byte.
struct Writer<'a> {
    body: &'a mut [u8],
    at: usize,
}

impl Writer<'_> {
    fn byte(&mut self, byte: u8) {
        if let Some(place) = self.body.get_mut(self.at) {
            *place = byte;
        }
        self.at += 1;
    }

    #[inline(never)]
    fn varint(&mut self, mut number: u64) {
        while number > 0x7f {
            self.byte(number as u8 | 0x80);
            number >>= 7;
        }
        self.byte(number as u8);
    }

    /// Signed integers of up to 32 bits have the same bytes whatever their width.
    fn zigzag(&mut self, number: i32) {
        let folded = (number << 1) ^ (number >> 31);
        self.varint(u64::from(folded as u32));
    }

    fn option(&mut self, number: Option<u64>) {
        self.byte(u8::from(number.is_some()));
        if let Some(number) = number {
            self.varint(number);
        }
    }

    fn reading(&mut self, reading: &Reading) {
        self.byte(reading.metric);
        self.byte(reading.quality);
        self.zigzag(reading.mantissa);
        self.byte(reading.exponent as u8);
    }
}

/// Reads what the host said; `None` if it is no message of this version. Bytes after the last field
/// are a later version's and ignored.
pub(crate) fn decode(body: &[u8]) -> Option<HostMessage> {
    let (number, fields) = body.split_first()?;
    match number {
        0 => Some(HostMessage::Identify),
        1 => Some(HostMessage::Ack {
            durable: read_varint(fields)?,
        }),
        2 => Some(HostMessage::Final {
            upto: read_varint(fields)?,
        }),
        3 => Some(HostMessage::Time {
            now_millis: read_varint(fields)?,
        }),
        #[cfg(feature = "relay")]
        4 => crate::relay::decode(fields).map(HostMessage::Relay),
        _ => None,
    }
}

/// `None` for a number that ends early or has more than 64 bits.
#[inline(never)]
pub(crate) fn read_varint(bytes: &[u8]) -> Option<u64> {
    let last = bytes.iter().position(|byte| *byte < 0x80)?;
    let has_room = last < 9 || last == 9 && bytes.get(9) <= Some(&1);
    let digits = bytes.get(..=last).filter(|_| has_room)?;
    let number = digits
        .iter()
        .rev()
        .fold(0, |number, digit| number << 7 | u64::from(digit & 0x7f));
    Some(number)
}

#[cfg(test)]
mod tests {
    //! Goal: the encoding is postcard. Method: the `postcard` crate reads what is written here and
    //! writes what is read here, for any values and any memory.
    extern crate std;
    use super::*;
    use crate::message::{DeviceClass, DeviceMessage, Hello};
    use proptest::prelude::*;
    use std::vec::Vec;

    fn reading() -> impl Strategy<Value = Reading> {
        (any::<u8>(), any::<u8>(), any::<i32>(), any::<i8>()).prop_map(
            |(metric, quality, mantissa, exponent)| Reading {
                metric,
                quality,
                mantissa,
                exponent,
            },
        )
    }

    fn check(message: &Outgoing<'_>) -> DeviceMessage {
        let mut body = [0; 1_000];
        let length = encode(message, &mut body).unwrap();
        let (heard, rest) = postcard::take_from_bytes(&body[..length]).unwrap();
        assert_eq!(rest.len(), 0);
        let mut short = std::vec![0; length - 1];
        assert_eq!(encode(message, &mut short), None);
        heard
    }

    proptest! {
        #[test]
        fn postcard_reads_what_a_device_writes(
            readings in proptest::collection::vec(reading(), 0..=32),
            samples in proptest::collection::vec(any::<i16>(), 0..=200),
            time_millis in any::<Option<u64>>(),
            (metric, period_micros) in any::<(u8, u32)>(),
            (firmware, readings_per_1000_s, is_listening) in any::<([u8; 3], u32, bool)>(),
        ) {
            let DeviceMessage::Readings(heard) = check(&Outgoing::Readings { time_millis, readings: &readings }) else {
                panic!("another message")
            };
            prop_assert_eq!((heard.time_millis, &heard.readings[..]), (time_millis, &readings[..]));
            let wave = Outgoing::Wave { metric, time_millis, period_micros, samples: &samples };
            let DeviceMessage::Wave(heard) = check(&wave) else {
                panic!("another message")
            };
            prop_assert_eq!((heard.metric, heard.time_millis, heard.period_micros), (metric, time_millis, period_micros));
            prop_assert_eq!(&heard.samples[..], &samples[..]);
            for class in [DeviceClass::UltraLight, DeviceClass::LowCost, DeviceClass::Lightweight] {
                let hello = Hello { firmware, class, readings_per_1000_s, is_listening };
                prop_assert_eq!(check(&Outgoing::Hello(hello)), DeviceMessage::Hello(hello));
            }
        }

        #[test]
        fn a_device_reads_what_postcard_writes(number in any::<u64>(), more in any::<Vec<u8>>()) {
            for message in [
                HostMessage::Identify,
                HostMessage::Ack { durable: number },
                HostMessage::Final { upto: number },
                HostMessage::Time { now_millis: number },
            ] {
                let mut body = [0; 20];
                let length = postcard::to_slice(&message, &mut body).unwrap().len();
                let body = &body[..length];
                prop_assert_eq!(decode(body), Some(message));
                for length in 0..body.len() {
                    prop_assert_eq!(decode(&body[..length]), None);
                }
                prop_assert_eq!(decode(&[body, &more].concat()), Some(message));
            }
        }

        #[test]
        fn both_refuse_alike(body in proptest::collection::vec(any::<u8>(), 0..14)) {
            // A number of a variant that is longer than it need be is only read by the crate.
            prop_assume!(body.first().is_none_or(|number| *number < 0x80));
            let crates = postcard::take_from_bytes::<HostMessage>(&body).ok().map(|(message, _)| message);
            prop_assert_eq!(decode(&body), crates);
        }
    }
}
