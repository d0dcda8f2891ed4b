//! Record Access Control Point 2A52: the requests for stored records and their answers (GATT
//! Specification Supplement, "Record Access Control Point"; filters of GLS 1.0.1).
//!
//! ```text
//! op code u8 · operator u8 · operand
//! 01  report      operators  01  all records     03 01 nnnn  sequence number ≥ nnnn
//! 04  count                  (of a glucose meter, 01 before nnnn is the filter "sequence number")
//! 03  abort       operator   00
//! 05 00 nnnn      answer to 04: so many records
//! 06 00 op rr     answer to op: rr is the response code
//! ```
//!
//! Deleting records (02) is left out on purpose: what a device stored stays its own. So are the
//! combined report (07, 08) and the other operators, which a resumable fetch does not need. The
//! procedure itself is [`super::RecordFetch`].

use crate::gatt::reader::{DecodeError, Reader};

const REPORT: u8 = 0x01;
const ABORT: u8 = 0x03;
const COUNT: u8 = 0x04;
const COUNTED: u8 = 0x05;
const RESPONSE: u8 = 0x06;

const NULL: u8 = 0x00;
const ALL: u8 = 0x01;
const AT_LEAST: u8 = 0x03;
const BY_SEQUENCE: u8 = 0x01;

/// Which records are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Records {
    /// All.
    All,
    /// Those with this sequence number or a higher one.
    From(u16),
}

/// What to write to the control point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    /// Send these records.
    Report(Records),
    /// Say how many these are.
    Count(Records),
    /// Stop sending.
    Abort,
}

impl Request {
    /// The bytes to write.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        match self {
            Request::Report(records) => with_records(REPORT, records),
            Request::Count(records) => with_records(COUNT, records),
            Request::Abort => vec![ABORT, NULL],
        }
    }

    /// The op code by which a response names it.
    const fn op_code(self) -> u8 {
        match self {
            Request::Report(_) => REPORT,
            Request::Count(_) => COUNT,
            Request::Abort => ABORT,
        }
    }
}

fn with_records(op_code: u8, records: Records) -> Vec<u8> {
    match records {
        Records::All => vec![op_code, ALL],
        Records::From(sequence) => {
            let [low, high] = sequence.to_le_bytes();
            vec![op_code, AT_LEAST, BY_SEQUENCE, low, high]
        }
    }
}

/// What the control point indicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Indication {
    /// So many records are stored (answer to [`Request::Count`]).
    Counted(u16),
    /// A request ended.
    Response {
        /// The op code of the request.
        request: u8,
        /// How it ended.
        code: ResponseCode,
    },
}

impl Indication {
    /// Decodes what 2A52 indicates.
    ///
    /// # Errors
    /// The value ends early, is too long, or is none of the two answers.
    pub fn decode(value: &[u8]) -> Result<Indication, DecodeError> {
        let mut reader = Reader::new(value);
        let op_code = reader.u8("op code")?;
        let operator = reader.u8("operator")?;
        let indication = match (op_code, operator) {
            (COUNTED, NULL) => Indication::Counted(reader.u16("number of records")?),
            (RESPONSE, NULL) => Indication::Response {
                request: reader.u8("request op code")?,
                code: ResponseCode::of(reader.u8("response code")?),
            },
            _ => return Err(DecodeError::Invalid("op code")),
        };
        reader.end(0)?;
        Ok(indication)
    }

    /// How `request` ended, if this says so.
    pub(crate) fn response_to(self, request: Request) -> Option<ResponseCode> {
        match self {
            Indication::Response {
                request: op_code,
                code,
            } if op_code == request.op_code() => Some(code),
            _ => None,
        }
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResponseCode {
    /// As asked.
    Success,
    /// The device does not know the request.
    OpCodeNotSupported,
    /// The operator makes no sense.
    InvalidOperator,
    /// The device does not know the operator.
    OperatorNotSupported,
    /// The operand makes no sense.
    InvalidOperand,
    /// No record meets the request.
    NoRecords,
    /// It could not stop.
    AbortUnsuccessful,
    /// It stopped in between.
    NotCompleted,
    /// The device does not know the filter.
    OperandNotSupported,
    /// The device is busy.
    Busy,
    /// A code kept for later (0, and 11 to 255).
    Reserved(u8),
}

impl ResponseCode {
    const fn of(number: u8) -> ResponseCode {
        match number {
            1 => ResponseCode::Success,
            2 => ResponseCode::OpCodeNotSupported,
            3 => ResponseCode::InvalidOperator,
            4 => ResponseCode::OperatorNotSupported,
            5 => ResponseCode::InvalidOperand,
            6 => ResponseCode::NoRecords,
            7 => ResponseCode::AbortUnsuccessful,
            8 => ResponseCode::NotCompleted,
            9 => ResponseCode::OperandNotSupported,
            10 => ResponseCode::Busy,
            reserved => ResponseCode::Reserved(reserved),
        }
    }

    /// Whether a simpler request may succeed where this one did not.
    pub(crate) const fn is_unsupported(self) -> bool {
        matches!(
            self,
            ResponseCode::OpCodeNotSupported
                | ResponseCode::InvalidOperator
                | ResponseCode::OperatorNotSupported
                | ResponseCode::InvalidOperand
                | ResponseCode::OperandNotSupported
        )
    }
}
