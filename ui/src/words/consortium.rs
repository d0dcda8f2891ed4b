//! What is said of the consortium as a whole, of its nodes and of its rules.

use fog_api::consortium::{
    ConsortiumView, EvidenceRow, FractionView, NodeRole, NodeRow, ParametersView, ThresholdsView,
};

use super::number::{age, bytes, capital, count, duration, spelled, thousands};
use super::state::State;

/// A validator that signed less of the last blocks than this is slow.
const SLOW_BELOW: f64 = 0.95;
/// A clock this far off is said, in milliseconds.
const CLOCK_MS: f64 = 1_000.0;
/// A node this many blocks behind is said; fewer is what was on its way while it spoke.
const BEHIND: u64 = 20;
/// Silence longer than this is told as an age, since a time of day would not say which day.
const SINCE_MS: u64 = 20 * 3_600_000;

/// Validators there are.
#[must_use]
pub fn validators(view: &ConsortiumView) -> u64 {
    view.nodes.iter().filter(|node| node.validator).count() as u64
}

/// Organisations that are in it.
#[must_use]
pub fn organisations(view: &ConsortiumView) -> u64 {
    let active = view
        .organisations
        .iter()
        .filter(|row| row.removed.is_none());
    active.count() as u64
}

/// Whether no block can become final now.
#[must_use]
pub fn is_halted(view: &ConsortiumView) -> bool {
    view.present < view.needed
}

/// Whether this node is a consortium by itself.
#[must_use]
pub fn is_alone(view: &ConsortiumView) -> bool {
    view.me.role == NodeRole::Validator && view.nodes.len() <= 1
}

/// Proposals this node's organisation has not voted on.
#[must_use]
pub fn votes_asked(view: &ConsortiumView) -> u64 {
    let asked = view.open.iter().filter(|row| row.mine.is_none());
    if view.me.can_vote {
        asked.count() as u64
    } else {
        0
    }
}

/// The newest proof against each validator that signed two different things.
#[must_use]
pub fn liars(view: &ConsortiumView) -> Vec<EvidenceRow> {
    let mut rows: Vec<EvidenceRow> = Vec::new();
    for row in &view.evidence {
        if rows.iter().all(|known| known.vote_key != row.vote_key) {
            rows.push(row.clone());
        }
    }
    rows
}

/// The page's answer: who signs, and how many may still be lost.
#[must_use]
pub fn heading(view: &ConsortiumView) -> String {
    let (all, present, needed) = (
        validators(view),
        u64::from(view.present),
        u64::from(view.needed),
    );
    if view.me.role == NodeRole::Waiting {
        return "This node waits to be admitted.".to_owned();
    }
    if is_alone(view) {
        return "A consortium of one: this node signs by itself.".to_owned();
    }
    if present < needed {
        return format!(
            "The ledger waits: {} of {} can be heard, {} must sign.",
            spelled(present),
            noun(all),
            spelled(needed)
        );
    }
    if all == 1 {
        return "One validator signs for all. Without it the ledger waits.".to_owned();
    }
    let signs = match (all, present) {
        (2, 2) => "Both validators sign.".to_owned(),
        (all, present) if all == present => format!("All {} sign.", noun(all)),
        (all, 1) => format!("One of {} signs.", noun(all)),
        (all, present) => capital(&format!("{} of {} sign.", spelled(present), noun(all))),
    };
    let more = if present < all { " more" } else { "" };
    match present.saturating_sub(needed) {
        0 if present < all => format!("{signs} The ledger cannot lose another."),
        0 => format!("{signs} The ledger cannot lose any."),
        spare => format!("{signs} The ledger can lose {}{more}.", spelled(spare)),
    }
}

fn noun(validators: u64) -> String {
    let name = if validators == 1 {
        "validator"
    } else {
        "validators"
    };
    format!("{} {name}", spelled(validators))
}

/// The sentence below: what it consists of.
#[must_use]
pub fn sub(view: &ConsortiumView) -> String {
    if is_alone(view) {
        return "Its record is complete and provable, but nobody else holds it or signs it. Invite another node to share the ledger.".to_owned();
    }
    let needed = u64::from(view.needed);
    let makes = if needed == 1 {
        "makes a block final"
    } else {
        "make a block final"
    };
    let facts = format!(
        "{}: {}, {} of equal power, {} {makes}.",
        view.name,
        count(organisations(view), "organisation", "organisations"),
        count(validators(view), "validator", "validators"),
        count(needed, "signature", "signatures"),
    );
    let part = match view.me.role {
        NodeRole::Validator => "",
        NodeRole::Observer => " This node follows as an observer.",
        NodeRole::Waiting => " This node follows as far as it may.",
    };
    format!("{facts}{part}")
}

/// How a node is: state, word, and whether it is drawn so that it is seen from afar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The state.
    pub state: State,
    /// Its word.
    pub word: String,
    /// Drawn as a chip.
    pub chip: bool,
}

/// A node's state. `since` is the time of day it was last heard; `limit_ms` the agreed time to
/// finality; `halted` whether no block can become final.
#[must_use]
pub fn mark(node: &NodeRow, halted: bool, limit_ms: u32, since: &str) -> Mark {
    let say = |state, word: &str| Mark {
        state,
        word: word.to_owned(),
        chip: false,
    };
    match (node.heard || node.here, node.heard_ms_ago) {
        (false, None) => say(State::Unknown, "Not heard yet"),
        (false, Some(ago)) => Mark {
            chip: node.validator,
            ..say(State::Offline, &silent(ago, since))
        },
        (true, _) if !node.validator => say(State::Ok, "Observer"),
        (true, _) if halted => say(State::Unknown, "Ready, waits"),
        (true, _) if is_slow(node, limit_ms) => say(State::Attention, "Slow"),
        (true, _) => say(State::Ok, "Signing"),
    }
}

fn silent(ago_ms: u64, since: &str) -> String {
    if ago_ms < SINCE_MS {
        format!("Silent since {since}")
    } else {
        let ago = i64::try_from(ago_ms).unwrap_or(i64::MAX);
        format!("Silent for {}", age(ago, 0))
    }
}

/// A validator is slow if it misses blocks, or if half the agreed time goes on the way to it and back.
fn is_slow(node: &NodeRow, limit_ms: u32) -> bool {
    node.signed.is_some_and(|share| share < SLOW_BELOW)
        || node
            .delay_ms
            .is_some_and(|delay| delay * 4.0 >= f64::from(limit_ms))
}

/// What is out of the ordinary with a node that is heard: far behind, or with a wrong clock.
#[must_use]
pub fn remark(node: &NodeRow, height: u64) -> Option<String> {
    if !node.heard {
        return None;
    }
    let clock = node.clock_ms.filter(|off| off.abs() >= CLOCK_MS);
    let behind = behind(node, height).filter(|behind| *behind >= BEHIND);
    match (clock, behind) {
        (Some(off), _) => {
            let way = if off > 0.0 { "ahead" } else { "behind" };
            Some(format!("Clock {} {way}", duration(off.abs())))
        }
        (None, Some(behind)) => Some(format!("{} blocks behind", thousands(behind))),
        (None, None) => None,
    }
}

/// How many blocks a node is behind this one.
#[must_use]
pub fn behind(node: &NodeRow, height: u64) -> Option<u64> {
    node.height.map(|theirs| height.saturating_sub(theirs))
}

/// A share in percent, never rounded up to all: `99.9`.
#[must_use]
pub fn percent(share: Option<f64>) -> String {
    share.map_or_else(
        || "–".to_owned(),
        |share| format!("{:.1}", (share.clamp(0.0, 1.0) * 1_000.0).floor() / 10.0),
    )
}

/// The way to a node: `0.4`, `94`.
#[must_use]
pub fn delay(millis: Option<f64>) -> String {
    match millis {
        None => "–".to_owned(),
        Some(millis) if millis < 9.95 => format!("{millis:.1}"),
        Some(millis) => thousands(millis.round() as u64),
    }
}

/// A clock's offset with its sign: `+12`, `−3`, `0`.
#[must_use]
pub fn clock(millis: Option<f64>) -> String {
    let Some(millis) = millis else {
        return "–".to_owned();
    };
    let size = thousands(millis.abs().round() as u64);
    match (size.as_str(), millis > 0.0) {
        ("0", _) => size,
        (_, true) => format!("+{size}"),
        (_, false) => format!("−{size}"),
    }
}

/// The rules in force, each as a name and what holds.
#[must_use]
pub fn rules(parameters: &ParametersView) -> [(&'static str, String); 4] {
    let kept = match (parameters.retention_days, parameters.retention_bytes) {
        (0, 0) => "for ever".to_owned(),
        (days, 0) => count(u64::from(days), "day", "days"),
        (0, size) => format!("up to {}", bytes(size)),
        (days, size) => format!(
            "{}, up to {}",
            count(u64::from(days), "day", "days"),
            bytes(size)
        ),
    };
    [
        (
            "Final within",
            duration(f64::from(parameters.finality_limit_ms)),
        ),
        (
            "Largest block",
            format!(
                "{} of transactions",
                bytes(u64::from(parameters.max_block_bytes))
            ),
        ),
        (
            "Sign of life",
            format!(
                "a block at least every {}",
                age(i64::from(parameters.heartbeat_seconds) * 1_000, 0)
            ),
        ),
        ("Transactions kept", kept),
    ]
}

/// How many voices each kind of change needs, of so many.
#[must_use]
pub fn thresholds(table: &ThresholdsView, voices: u64) -> [(&'static str, String); 5] {
    [
        ("Organisations", table.organisations),
        ("Validators", table.validators),
        ("Other nodes", table.nodes),
        ("The rules", table.parameters),
        ("This table", table.thresholds),
    ]
    .map(|(name, fraction)| {
        let words = format!(
            "more than {}: {} of {}",
            fraction_words(fraction),
            thousands(voices_needed(fraction, voices)),
            count(voices, "voice", "voices")
        );
        (name, words)
    })
}

/// Fewest voices that are more than the fraction of all.
#[must_use]
pub fn voices_needed(fraction: FractionView, voices: u64) -> u64 {
    let part = voices.saturating_mul(u64::from(fraction.numerator));
    part.checked_div(u64::from(fraction.denominator))
        .map_or(voices, |whole| (whole + 1).min(voices.max(1)))
}

/// A fraction in words where it has some.
#[must_use]
pub fn fraction_words(fraction: FractionView) -> String {
    match (fraction.numerator, fraction.denominator) {
        (1, 2) => "half".to_owned(),
        (2, 3) => "two thirds".to_owned(),
        (3, 4) => "three quarters".to_owned(),
        (above, below) => format!("{above}/{below}"),
    }
}

#[cfg(test)]
#[path = "consortium_tests.rs"]
pub(crate) mod tests;
