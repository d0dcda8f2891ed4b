//! Whether blocks would still become final, at each step of the queue and after it.

use super::words::{be, count, list, number, small};
use super::{Code, Finding, Observed, Severity};
use crate::governance::queue::{self, Seats};
use crate::ids::Height;
use crate::state::{Overlay, StateKey, StateReadError, StateView, read};
use crate::validators::ValidatorSet;

/// How a set of validators stands.
struct Quorum {
    validators: usize,
    /// Signatures a block needs: more than two thirds.
    needed: usize,
    silent: Vec<String>,
}

impl Quorum {
    fn of(seats: &Seats, observed: &Observed) -> Self {
        let silent = seats.values().filter(|one| observed.is_silent(&one.key));
        Self {
            validators: seats.len(),
            needed: seats.len() * 2 / 3 + 1,
            silent: silent.map(|one| one.name.clone()).collect(),
        }
    }

    fn answering(&self) -> usize {
        self.validators.saturating_sub(self.silent.len())
    }

    fn has_quorum(&self) -> bool {
        self.answering() >= self.needed
    }

    /// How many of those that answer may be lost.
    fn spare(&self) -> usize {
        self.answering().saturating_sub(self.needed)
    }

    /// How many may lie or be broken: f of 3f + 1.
    fn faults(&self) -> usize {
        self.validators.saturating_sub(1) / 3
    }

    /// "Six remain, 5 must sign, northfell-1 is silent".
    fn sentence(&self, before: &Self) -> String {
        let verb = match (self.validators < before.validators, self.validators) {
            (true, 1) => "remains",
            (true, _) => "remain",
            (false, 1) => "takes part",
            (false, _) => "take part",
        };
        let (all, needed) = (number(self.validators), self.needed);
        let mut sentence = format!("{all} {verb}, {needed} must sign");
        if !self.silent.is_empty() {
            let be = be(self.silent.len());
            sentence += &format!(", {} {be} silent", list(&self.silent));
        }
        sentence
    }
}

fn seats<V: StateView + ?Sized>(view: &V) -> Result<Seats, StateReadError> {
    let set: Option<ValidatorSet> = read(view, &StateKey::validators())?;
    Ok(set.as_ref().map(queue::seats_of).unwrap_or_default())
}

/// Works off the queue `after` the change; says what the validators it leads to are worth.
pub(super) fn findings<V: StateView + ?Sized>(
    view: &V,
    after: &mut Overlay<'_, V>,
    observed: &Observed,
) -> Result<Vec<Finding>, StateReadError> {
    let (expected, wanted) = (queue::expected(view)?, queue::expected(after)?);
    if expected == wanted {
        return Ok(Vec::new());
    }
    let before = Quorum::of(&expected, observed);
    let now = seats(view)?;
    let (mut steps, mut last) = (0u64, now.clone());
    let mut findings = Vec::new();
    while !queue::queue(after)?.is_empty() {
        queue::advance(after, Height(0))?;
        steps += 1;
        last = seats(after)?;
        let step = Quorum::of(&last, observed);
        if !step.has_quorum() && findings.is_empty() {
            findings.push(would_halt(&step, &before));
        }
    }
    let after = Quorum::of(&last, observed);
    if findings.is_empty() {
        findings.push(spare(&after, &before));
    }
    findings.push(fault_tolerance(&after, &before));
    findings.push(power(&now, &last, steps));
    findings.push(Finding::new(
        Severity::Holds,
        Code::OldProofs,
        "Old proofs verify: who certified them stays on record.",
    ));
    Ok(findings)
}

fn would_halt(step: &Quorum, before: &Quorum) -> Finding {
    let what = format!(
        "The ledger would stop. {}: no block becomes final until {} answer. Readings would still be \
         sealed and kept.",
        step.sentence(before),
        step.needed,
    );
    let next = format!(
        "Wait until {} {} again, or admit a replacement first.",
        list(&step.silent),
        if step.silent.len() == 1 {
            "signs"
        } else {
            "sign"
        },
    );
    let finding = Finding::new(Severity::Breaks, Code::WouldHalt, what).next(next);
    Finding {
        halts: true,
        ..finding
    }
}

fn spare(after: &Quorum, before: &Quorum) -> Finding {
    let sentence = after.sentence(before);
    let spare = after.spare();
    if spare > 0 {
        let severity = if spare < before.spare() {
            Severity::Changes
        } else {
            Severity::Holds
        };
        let what = format!("The ledger can lose {} more. {sentence}.", small(spare));
        return Finding::new(severity, Code::Spare, what);
    }
    let outage = if after.silent.is_empty() {
        "one outage"
    } else {
        "one more outage"
    };
    let rest =
        format!("{sentence}: {outage} pauses the ledger. Readings would still be sealed and kept.");
    let (severity, gist) = if before.spare() > 0 {
        (Severity::Breaks, "No spare validator.")
    } else {
        (Severity::Changes, "Still no spare validator.")
    };
    let next = match after.silent.as_slice() {
        [] => "Admit another validator first; four can lose one.".to_owned(),
        [one] => format!("Wait until {one} signs again, or admit its replacement first."),
        more => format!(
            "Wait until {} sign again, or admit their replacements first.",
            list(more)
        ),
    };
    Finding::new(severity, Code::NoSpare, format!("{gist} {rest}")).next(next)
}

fn fault_tolerance(after: &Quorum, before: &Quorum) -> Finding {
    let (now, then) = (before.faults(), after.faults());
    let what = match then {
        0 => "No lying or broken validator is borne.".to_owned(),
        1 => "One lying or broken validator is borne.".to_owned(),
        more => format!("{} lying or broken validators are borne.", number(more)),
    };
    if now == then {
        let what = what.trim_end_matches('.');
        let what = format!("{what}, as before.");
        return Finding::new(Severity::Holds, Code::FaultTolerance, what);
    }
    let what = format!("{what} Until now: {}.", small(now));
    Finding::new(Severity::Changes, Code::FaultTolerance, what)
}

fn power(now: &Seats, last: &Seats, steps: u64) -> Finding {
    let gone = now.keys().filter(|key| !last.contains_key(key)).count();
    let come = last.keys().filter(|key| !now.contains_key(key)).count();
    let percent = (gone.max(come) * 100).div_ceil(now.len().max(1));
    if steps <= 1 {
        let what =
            format!("{percent} % of the power changes; a block may change 30 %, or one seat.");
        return Finding::new(Severity::Holds, Code::Power, what);
    }
    let what = format!(
        "It takes {}: a block may change 30 % of the power, or one seat, and {percent} % changes.",
        count(steps, "block", "blocks"),
    );
    Finding::new(Severity::Changes, Code::Power, what)
}
