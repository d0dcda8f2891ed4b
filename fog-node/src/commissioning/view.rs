//! A record in the words of the API.

use device_drivers::self_test::{Bar, Finding, Judged, Kind, Outcome, Verdict, Why};
use fog_api::{ApiError, CommissioningFigure, CommissioningRecord, FigureVerdict, TestOutcome};

use super::record::{Commissioning, SignedCommissioning};

/// The record as it is shown, with what others can check.
pub(crate) fn view_of(record: &Commissioning, signed: &SignedCommissioning) -> CommissioningRecord {
    CommissioningRecord {
        subject: record.subject.to_string(),
        kind: kind_name(record.kind).into(),
        simulated: record.kind == Kind::Simulated,
        node: record.node.to_string(),
        chain_id: record.chain.to_string(),
        program: record.program.clone(),
        begun: record.begun_millis,
        ended: record.ended_millis,
        aside_ms: record.aside_millis,
        figures: record.judged.iter().map(figure).collect(),
        outcome: match record.outcome {
            Outcome::Passed => TestOutcome::Passed,
            Outcome::Failed => TestOutcome::Failed,
            Outcome::Incomplete => TestOutcome::Incomplete,
        },
        file: signed.to_file(),
    }
}

const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Adapter => "adapter",
        Kind::Bluetooth => "bluetooth",
        Kind::Serial => "serial",
        Kind::Simulated => "simulated",
    }
}

fn figure(judged: &Judged) -> CommissioningFigure {
    let (at_least, at_most) = match judged.bar {
        Bar::AtLeast(limit) => (Some(limit), None),
        Bar::AtMost(limit) => (None, Some(limit)),
    };
    let (value, not_within, reason) = match judged.finding {
        Finding::Measured(figure) => (Some(figure), None, None),
        Finding::NotWithin(waited) => (None, Some(waited), None),
        Finding::NotMeasured(why) => (None, None, Some(reason(why))),
    };
    CommissioningFigure {
        check: judged.check.name().into(),
        unit: judged.check.unit().into(),
        at_least,
        at_most,
        value,
        not_within,
        verdict: match judged.verdict {
            Verdict::Reached => FigureVerdict::Reached,
            Verdict::Missed => FigureVerdict::Missed,
            Verdict::NotMeasured => FigureVerdict::NotMeasured,
        },
        reason,
    }
}

fn reason(why: Why) -> ApiError {
    ApiError {
        code: why.code().into(),
        what: "This was not measured.".into(),
        why: why.words().into(),
        next: why.next().into(),
    }
}
