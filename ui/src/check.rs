//! Checking proof files: what a dropped file is, the six steps with their times, the path as a
//! picture, and the genesis this browser trusts. All with `ledger-core`, asking nobody.
//!
//! Plain functions: the clock is an argument, storage is the page's business.

use ledger_core::genesis::{GENESIS_MAGIC, MAX_GENESIS_BYTES};
use ledger_core::proof::{Check, CheckOutcome, MAX_PROOF_BYTES, PROOF_MAGIC};
use ledger_core::{Genesis, Proof};

/// Most bytes of a file worth looking at.
pub const MAX_FILE_BYTES: usize = if MAX_PROOF_BYTES > MAX_GENESIS_BYTES {
    MAX_PROOF_BYTES + PROOF_MAGIC.len()
} else {
    MAX_GENESIS_BYTES + GENESIS_MAGIC.len()
};

/// What a file is.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// A proof, not yet verified.
    Proof(Box<Proof>),
    /// A genesis.
    Genesis(Box<Genesis>),
}

/// Why a file is of no use here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It holds nothing.
    Empty,
    /// Longer than any proof or genesis.
    TooLong,
    /// It begins as a proof and does not go on as one: cut, or changed.
    BrokenProof,
    /// It begins as a genesis and does not go on as one.
    BrokenGenesis,
    /// A proof or genesis of a format this console does not know.
    OtherVersion,
    /// Something else.
    Foreign,
}

/// Reads a file's bytes.
///
/// # Errors
/// [`Unreadable`], if it is neither a proof nor a genesis.
pub fn read_file(bytes: &[u8]) -> Result<Content, Unreadable> {
    let begins = |magic: &[u8]| bytes.starts_with(magic);
    let family = |magic: &[u8; 8]| magic.split_last().is_some_and(|(_, name)| begins(name));
    if bytes.is_empty() {
        Err(Unreadable::Empty)
    } else if bytes.len() > MAX_FILE_BYTES {
        Err(Unreadable::TooLong)
    } else if begins(PROOF_MAGIC) {
        let proof = Proof::from_file(bytes).map_err(|_| Unreadable::BrokenProof)?;
        Ok(Content::Proof(Box::new(proof)))
    } else if begins(GENESIS_MAGIC) {
        let genesis = Genesis::from_file(bytes).map_err(|_| Unreadable::BrokenGenesis)?;
        Ok(Content::Genesis(Box::new(genesis)))
    } else if family(PROOF_MAGIC) || family(GENESIS_MAGIC) {
        Err(Unreadable::OtherVersion)
    } else {
        Err(Unreadable::Foreign)
    }
}

/// One of the six checks, made.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What was found.
    pub outcome: CheckOutcome,
    /// How long it took, in milliseconds.
    pub millis: f64,
}

/// All six checks, made.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// In order.
    pub steps: Vec<Step>,
}

impl Checked {
    /// Whether all six hold.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.steps.len() == Check::ALL.len() && self.held() == Check::ALL.len()
    }

    /// How many hold.
    #[must_use]
    pub fn held(&self) -> usize {
        self.steps
            .iter()
            .filter(|step| step.outcome.holds == Some(true))
            .count()
    }

    /// The first that does not hold, and its number from 1.
    #[must_use]
    pub fn broken(&self) -> Option<(usize, &Step)> {
        let found = self
            .steps
            .iter()
            .enumerate()
            .find(|(_, step)| step.outcome.holds != Some(true));
        found.map(|(index, step)| (index + 1, step))
    }

    /// How long all took, in milliseconds.
    #[must_use]
    pub fn millis(&self) -> f64 {
        self.steps.iter().map(|step| step.millis).sum()
    }
}

/// Makes all six checks; `clock` counts milliseconds.
pub fn check(proof: &Proof, genesis: &Genesis, clock: impl Fn() -> f64) -> Checked {
    let steps = Check::ALL.iter().map(|which| {
        let start = clock();
        let outcome = proof.check(*which, genesis);
        Step {
            outcome,
            millis: (clock() - start).max(0.0),
        }
    });
    Checked {
        steps: steps.collect(),
    }
}

/// One level of the way up from the leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// Whether the sibling stands on the left.
    pub sibling_left: bool,
    /// Whether this level is above the stream's root, among the streams of the batch.
    pub among_streams: bool,
}

/// The levels from the leaf up to the batch root, lowest first.
#[must_use]
pub fn levels(proof: &Proof) -> Vec<Level> {
    let path = &proof.batch_path;
    let index = proof
        .reading
        .sequence
        .saturating_sub(path.entry.first_sequence);
    let below = sides(index, u64::from(path.entry.count), path.reading_path.len());
    let streams = streams(proof);
    let above = sides(u64::from(path.entry_index), streams, path.entry_path.len());
    let level = |among_streams| {
        move |sibling_left| Level {
            sibling_left,
            among_streams,
        }
    };
    below
        .into_iter()
        .map(level(false))
        .chain(above.into_iter().map(level(true)))
        .collect()
}

/// How many streams the proof's batch has, as its transaction says.
fn streams(proof: &Proof) -> u64 {
    let transaction = ledger_core::SignedTransaction::decode(&proof.transaction).ok();
    match transaction
        .and_then(|transaction| transaction.body().ok())
        .map(|body| body.payload)
    {
        Some(ledger_core::Payload::AnchorBatch(anchor)) => u64::from(anchor.streams),
        _ => 0,
    }
}

/// For each step of an RFC 6962 path, whether the sibling is the left one (RFC 9162, section 2.1.3.2).
fn sides(index: u64, count: u64, steps: usize) -> Vec<bool> {
    let (mut at, mut last) = (index, count.saturating_sub(1));
    let mut sides = Vec::with_capacity(steps.min(64));
    for _ in 0..steps.min(64) {
        let left = at & 1 == 1 || at == last;
        if left {
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        }
        sides.push(left);
        at >>= 1;
        last >>= 1;
    }
    sides
}

/// A line of the picture: two ends, and whether it is part of the reading's own way.
pub type Edge = ((f32, f32), (f32, f32), bool);

/// The path as a picture in a box of 960 by `height`, root on top.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    /// Height of the box.
    pub height: f32,
    /// The lines.
    pub edges: Vec<Edge>,
    /// Nodes computed here, root first.
    pub own: Vec<(f32, f32)>,
    /// Sibling hashes the file brings along.
    pub siblings: Vec<(f32, f32)>,
}

/// Draws the upper `most` levels of a way (lowest first).
#[must_use]
pub fn picture(levels: &[Level], most: usize) -> Picture {
    const STEP: f32 = 44.0;
    let shown = levels.len().min(most);
    let mut picture = Picture {
        height: 24.0 + STEP * shown as f32,
        ..Picture::default()
    };
    let (mut x, mut y, mut spread) = (0.0_f32, 12.0_f32, 230.0_f32);
    picture.own.push((x, y));
    for level in levels.iter().rev().take(shown) {
        let toward = if level.sibling_left { spread } else { -spread };
        let (own, sibling) = ((x + toward, y + STEP), (x - toward, y + STEP));
        picture.edges.push(((x, y), sibling, false));
        picture.edges.push(((x, y), own, true));
        picture.own.push(own);
        picture.siblings.push(sibling);
        (x, y) = own;
        spread = (spread * 0.7).max(36.0);
    }
    picture.centred()
}

impl Picture {
    /// Moves, and where it is too wide narrows, the picture into its box.
    fn centred(mut self) -> Self {
        let all = || self.own.iter().chain(&self.siblings).map(|(x, _)| *x);
        let (low, high) = (all().fold(0.0, f32::min), all().fold(0.0, f32::max));
        let scale = (920.0 / (high - low).max(1.0)).min(1.0);
        let place = |x: &mut f32| *x = 480.0 + (*x - f32::midpoint(low, high)) * scale;
        self.own
            .iter_mut()
            .chain(&mut self.siblings)
            .for_each(|(x, _)| place(x));
        for ((from, _), (to, _), _) in &mut self.edges {
            place(from);
            place(to);
        }
        self
    }
}

/// The genesis this browser trusts, with the time it was first seen, as it is kept in storage:
/// `MILLIS HEX`.
#[derive(Clone, Debug, PartialEq)]
pub struct Pinned {
    /// The genesis.
    pub genesis: Genesis,
    /// When it was pinned, in Unix milliseconds.
    pub since: i64,
}

impl Pinned {
    /// Reads what was kept; whatever is not one is as if nothing was kept.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (since, digits) = text.split_once(' ')?;
        if digits.len() > 2 * MAX_FILE_BYTES
            || !digits.len().is_multiple_of(2)
            || !digits.is_ascii()
        {
            return None;
        }
        let pairs = digits.as_bytes().chunks_exact(2);
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let bytes: Vec<u8> = pairs.map(byte).collect::<Option<_>>()?;
        Some(Self {
            genesis: Genesis::from_file(&bytes).ok()?,
            since: since.parse().ok()?,
        })
    }

    /// What to keep.
    #[must_use]
    pub fn to_text(&self) -> String {
        let digits: String = self
            .genesis
            .to_file()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("{} {digits}", self.since)
    }
}

/// Which genesis proofs are checked against, and what is to be said of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Trust {
    /// Seen for the first time, pinned from now on.
    First(Pinned),
    /// The node's is the pinned one.
    Same(Pinned),
    /// The node's is not the pinned one; the pinned one stays.
    Changed {
        /// The one that was pinned.
        pinned: Pinned,
        /// The one the node has now.
        offered: Box<Genesis>,
    },
    /// A file the person gave.
    Given(Genesis),
}

impl Trust {
    /// Compares the node's genesis with what was kept.
    #[must_use]
    pub fn decide(kept: Option<Pinned>, offered: Genesis, now: i64) -> Self {
        match kept {
            None => Self::First(Pinned {
                genesis: offered,
                since: now,
            }),
            Some(pinned) if pinned.genesis == offered => Self::Same(pinned),
            Some(pinned) => Self::Changed {
                pinned,
                offered: Box::new(offered),
            },
        }
    }

    /// The genesis to check against.
    #[must_use]
    pub const fn genesis(&self) -> &Genesis {
        match self {
            Self::First(pinned) | Self::Same(pinned) | Self::Changed { pinned, .. } => {
                &pinned.genesis
            }
            Self::Given(genesis) => genesis,
        }
    }
}

#[cfg(test)]
mod tests;
