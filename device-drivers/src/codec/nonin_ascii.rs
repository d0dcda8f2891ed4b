//! Nonin's real-time text: 9600 baud, 8N1, a line a second.
//!
//! Source: the operator's manuals of Nonin's 8500, 9600, 9847 and Avant 4000 ("Real-time patient
//! data output"):
//!
//! ```text
//! [HH:MM:SS ]SPO2=XXX HR=YYY[ F][*][B]⟨CR LF⟩     --- where there is no data
//! ```
//!
//! `F` marks the fast-responding averages, `*` an event marker, `B` a breath; none changes the
//! values. The time of day has no date and no zone, so it is not taken as device time. The
//! format has no checksum: each number must have its three digits and be possible. A line with
//! a byte that no text has is cut at that byte; the header sent at power-up is no line of data.

use crate::codec::vitals::Vitals;
use crate::event::{Event, RejectReason, Rejection};
use crate::measurement::Quality;

/// Bytes of a line, at most; longer ones are refused.
pub const MAX_LINE: usize = 64;
const PULSE_MAX: u16 = 321;

/// A line as it is sent.
#[must_use]
pub fn encode_line(spo2: Option<u8>, pulse: Option<u16>) -> String {
    let number = |number: Option<u16>| {
        number.map_or_else(|| "---".to_owned(), |number| format!("{number:03}"))
    };
    format!(
        "SPO2={} HR={}\r\n",
        number(spo2.map(u16::from)),
        number(pulse)
    )
}

/// The decoder.
#[derive(Debug, Default)]
pub struct NoninAscii {
    line: Vec<u8>,
    is_too_long: bool,
    has_garbage: bool,
    frames: u64,
}

impl NoninAscii {
    /// See [`crate::codec::Decoder::push`].
    pub fn push(&mut self, bytes: &[u8], now_millis: i64, events: &mut Vec<Event>) {
        for &byte in bytes {
            match byte {
                b'\r' | b'\n' => self.end_line(now_millis, events),
                b' '..=b'~' if self.line.len() < MAX_LINE => self.line.push(byte),
                b' '..=b'~' => self.is_too_long = true,
                _ => {
                    self.line.clear();
                    self.has_garbage = true;
                }
            }
        }
    }

    /// See [`crate::codec::Decoder::reset`].
    pub fn reset(&mut self, events: &mut Vec<Event>) {
        if !self.line.is_empty() || self.has_garbage {
            refuse(RejectReason::Incomplete, 0, events);
        }
        self.forget();
    }

    /// See [`crate::codec::Decoder::frames`].
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames
    }

    fn end_line(&mut self, now_millis: i64, events: &mut Vec<Event>) {
        if self.line.is_empty() && !self.has_garbage {
            return;
        }
        let text = core::str::from_utf8(&self.line).unwrap_or_default();
        let parsed = if self.is_too_long {
            Err(RejectReason::TooLong)
        } else {
            parse(text)
        };
        let was_data = self.frames > 0 && (text.contains('=') || self.has_garbage);
        match parsed {
            Ok(vitals) => {
                self.frames += 1;
                if self.has_garbage {
                    refuse(RejectReason::Garbage, 0, events);
                }
                vitals.emit(now_millis, events);
            }
            Err(reason) => {
                let reason = if self.has_garbage {
                    RejectReason::Garbage
                } else {
                    reason
                };
                refuse(reason, if was_data { 2 } else { 0 }, events);
            }
        }
        self.forget();
    }

    fn forget(&mut self) {
        self.line.clear();
        self.is_too_long = false;
        self.has_garbage = false;
    }
}

fn refuse(reason: RejectReason, readings: u32, events: &mut Vec<Event>) {
    events.push(Event::Rejected(Rejection {
        reason,
        frames: 1,
        readings,
    }));
}

fn parse(line: &str) -> Result<Vitals, RejectReason> {
    let line = without_time(line);
    if !line.contains('=') {
        return Err(RejectReason::Garbage);
    }
    let rest = line.strip_prefix("SPO2=").ok_or(RejectReason::Incomplete)?;
    let (spo2, rest) = number(rest)?;
    let rest = rest
        .trim_start_matches(' ')
        .strip_prefix("HR=")
        .ok_or(RejectReason::Incomplete)?;
    let (pulse, rest) = number(rest)?;
    if !rest
        .chars()
        .all(|mark| matches!(mark, ' ' | 'F' | '*' | 'B'))
    {
        return Err(RejectReason::Garbage);
    }
    if spo2.is_some_and(|spo2| spo2 > 100) || pulse.is_some_and(|pulse| pulse > PULSE_MAX) {
        return Err(RejectReason::Implausible);
    }
    let spo2 = spo2
        .and_then(|spo2| u8::try_from(spo2).ok())
        .filter(|&spo2| spo2 > 0);
    Ok(Vitals {
        quality: Quality::Good,
        spo2,
        pulse: pulse.filter(|&pulse| pulse > 0),
    })
}

/// The line without its leading `HH:MM:SS `.
fn without_time(line: &str) -> &str {
    let is_time = |text: &str| {
        text.bytes().enumerate().all(|(at, byte)| {
            if at % 3 == 2 {
                byte == b':'
            } else {
                byte.is_ascii_digit()
            }
        })
    };
    match line.split_at_checked(8) {
        Some((time, rest)) if is_time(time) => rest.trim_start_matches(' '),
        _ => line,
    }
}

/// Three digits, or `---` for no value.
fn number(text: &str) -> Result<(Option<u16>, &str), RejectReason> {
    let (digits, rest) = text.split_at_checked(3).ok_or(RejectReason::Incomplete)?;
    if rest.starts_with(|letter: char| letter.is_ascii_digit() || letter == '-') {
        return Err(RejectReason::Garbage);
    }
    if digits == "---" {
        return Ok((None, rest));
    }
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(RejectReason::Incomplete);
    }
    Ok((
        Some(digits.parse().map_err(|_| RejectReason::Incomplete)?),
        rest,
    ))
}
