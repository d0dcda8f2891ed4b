//! Fetches a glucose meter's stored records, and goes on after a drop where it was (GLS 1.0.1 and GLP
//! 1.0.1, the procedures *report number of stored records* and *report stored records*).
//!
//! ```text
//!            start            Counted(n > 0)             Response(Success)
//!  idle ─────────────▶ counting ─────────────▶ reporting ─────────────────▶ idle, done
//!   ▲     write Count      │     write Report   │  ▲ record: wait on         ▲
//!   │                      │ Counted(0)         │  └──────────               │
//!   │                      └──────────────────────────────────────────────▶ │
//!   │  dropped, from anywhere                   │ 30 s of silence
//!   └───────────────────────                    ▼ write Abort
//!                                            aborting ──▶ idle, failed
//! ```
//!
//! Asked for are the records after the last one that is *durable* here, so that a crash or a drop costs a
//! repetition and never a record; [`super::Gatt`] refuses the repetition. A meter that cannot count is
//! not asked again; one that cannot filter is asked for all. It writes and waits nowhere itself: the
//! transport writes each [`Request`], and hands in what is notified, indicated, and the time.

use crate::gatt::record_access::{Indication, Records, Request, ResponseCode};
use crate::gatt::{GlucoseMeasurement, uuid};

/// After so long without a record or an answer, a procedure has failed: the transaction timeout of the
/// attribute protocol (Core Specification, vol. 3, part F, 3.3.3).
pub const TIMEOUT_MILLIS: i64 = 30_000;

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing; wait.
    Wait,
    /// Write this to the control point.
    Write(Request),
    /// All is fetched.
    Done(Fetched),
    /// It ended early; what came is good, and [`RecordFetch::start`] goes on from there.
    Failed(FetchError),
}

/// What a fetch brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Records that the meter sent, each once; some may have been known already.
    pub received: u32,
    /// Records that the meter had counted and did not send, not even damaged: to be counted as missing.
    pub missing: u32,
}

/// Why a fetch ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The meter refused, with this code.
    #[error("the device refused to send its records ({0:?})")]
    Refused(ResponseCode),
    /// The meter was silent for [`TIMEOUT_MILLIS`].
    #[error("the device stopped answering while it sent its records")]
    TimedOut,
}

/// The fetch of one meter's records.
#[derive(Debug)]
pub struct RecordFetch {
    last_durable: Option<u16>,
    state: State,
    deadline_millis: i64,
    expected: Option<u16>,
    received: u32,
    damaged: u32,
    last_received: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Waiting(Request),
}

impl RecordFetch {
    /// A fetch of what comes after the record `last_durable`, or of all.
    #[must_use]
    pub const fn new(last_durable: Option<u16>) -> RecordFetch {
        RecordFetch {
            last_durable,
            state: State::Idle,
            deadline_millis: 0,
            expected: None,
            received: 0,
            damaged: 0,
            last_received: None,
        }
    }

    /// Begins, or goes on after a drop; returns what to write. `None` while it runs.
    pub fn start(&mut self, now_millis: i64) -> Option<Request> {
        if self.is_running() {
            return None;
        }
        self.expected = None;
        self.received = 0;
        self.damaged = 0;
        self.last_received = None;
        Some(self.ask(Request::Count(self.records()), now_millis))
    }

    /// Whether a request is under way.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        !matches!(self.state, State::Idle)
    }

    /// Records that came since the start, and how many the meter has counted, if it can count.
    #[must_use]
    pub const fn progress(&self) -> (u32, Option<u16>) {
        (self.received, self.expected)
    }

    /// Takes a value of 2A18 or 2A52; others are passed over. A record that does not decode was sent for all
    /// that: the [`super::Gatt`] tells what is lost by it.
    pub fn take(&mut self, characteristic: u16, value: &[u8], now_millis: i64) -> Step {
        match (self.state, characteristic) {
            (State::Waiting(request), uuid::RECORD_ACCESS_CONTROL_POINT) => {
                match Indication::decode(value) {
                    Ok(indication) => self.answer(request, indication, now_millis),
                    Err(_) => Step::Wait,
                }
            }
            (State::Waiting(_), uuid::GLUCOSE_MEASUREMENT) => {
                let Ok(measurement) = GlucoseMeasurement::decode(value) else {
                    self.damaged = self.damaged.saturating_add(1);
                    return Step::Wait;
                };
                self.deadline_millis = now_millis.saturating_add(TIMEOUT_MILLIS);
                if self
                    .last_received
                    .is_none_or(|last| measurement.sequence > last)
                {
                    self.last_received = Some(measurement.sequence);
                    self.received = self.received.saturating_add(1);
                }
                Step::Wait
            }
            _ => Step::Wait,
        }
    }

    /// To be asked at least once a second: stops a meter that has fallen silent.
    pub fn poll(&mut self, now_millis: i64) -> Step {
        match self.state {
            State::Waiting(request) if now_millis >= self.deadline_millis => {
                if request == Request::Abort {
                    self.fail(FetchError::TimedOut)
                } else {
                    Step::Write(self.ask(Request::Abort, now_millis))
                }
            }
            _ => Step::Wait,
        }
    }

    /// The record with this number is durable; the next start asks for what comes after it.
    pub fn durable(&mut self, sequence: u16) {
        self.last_durable = self.last_durable.max(Some(sequence));
    }

    /// The link fell: whatever ran is over.
    pub fn dropped(&mut self) {
        self.state = State::Idle;
    }

    /// What comes after the last durable record. After the last number there is, that record again.
    fn records(&self) -> Records {
        self.last_durable
            .map_or(Records::All, |last| Records::From(last.saturating_add(1)))
    }

    fn ask(&mut self, request: Request, now_millis: i64) -> Request {
        self.state = State::Waiting(request);
        self.deadline_millis = now_millis.saturating_add(TIMEOUT_MILLIS);
        request
    }

    fn answer(&mut self, request: Request, indication: Indication, now_millis: i64) -> Step {
        if let (Request::Count(records), Indication::Counted(count)) = (request, indication) {
            self.expected = Some(count);
            return match count {
                0 => self.done(),
                _ => Step::Write(self.ask(Request::Report(records), now_millis)),
            };
        }
        let Some(code) = indication.response_to(request) else {
            return Step::Wait;
        };
        match (request, code) {
            (Request::Abort, _) => self.fail(FetchError::TimedOut),
            (Request::Report(_), ResponseCode::Success)
            | (Request::Count(_) | Request::Report(_), ResponseCode::NoRecords) => self.done(),
            (Request::Count(records), code) if code.is_unsupported() => {
                Step::Write(self.ask(Request::Report(records), now_millis))
            }
            (Request::Report(Records::From(_)), code) if code.is_unsupported() => {
                // What was counted with the filter does not count what comes without.
                self.expected = None;
                Step::Write(self.ask(Request::Report(Records::All), now_millis))
            }
            (_, code) => self.fail(FetchError::Refused(code)),
        }
    }

    fn done(&mut self) -> Step {
        self.state = State::Idle;
        let expected = u32::from(self.expected.unwrap_or(0));
        Step::Done(Fetched {
            received: self.received,
            missing: expected.saturating_sub(self.received.saturating_add(self.damaged)),
        })
    }

    fn fail(&mut self, error: FetchError) -> Step {
        self.state = State::Idle;
        Step::Failed(error)
    }
}
