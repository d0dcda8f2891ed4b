//! One checker per invariant. Each looks at the record of a whole simulation and derives its rule anew
//! instead of asking the code that was simulated; only certificates are checked with the ledger's own
//! rule, for that is what every light client does.
//!
//! | Invariant | Says |
//! |---|---|
//! | agreement | no two correct nodes have different blocks at one height |
//! | validity | every chain follows from the genesis: parents, times, validators, and a full replay |
//! | certificate | every final block has signatures of more than two thirds of its validators |
//! | roots | every node's entries have the root that its last header names |
//! | nothing_lost | what a correct node accepted is in the chain |
//! | exactly_once | no transaction is in the chain twice, none that nobody sent, no nonce missing |
//! | liveness | after healing, all correct nodes get on within the bound |
//! | one_voice | no correct validator signs two different things, whatever it lost in a crash |
//! | durability | what a correct node said was final is on its disk ever after |
//! | no_failure | no correct node fails by itself |

use std::collections::{BTreeMap, BTreeSet};

use ledger_core::{Digest, Height, Nonce, PublicKey, SignedTransaction};
use ledger_store::{MemoryBlock, MemoryReplica};
use serde::Serialize;

use crate::record::{NodeRecord, Record};

/// A broken invariant.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Violation {
    /// The seed under which it is seen again.
    pub seed: u64,
    /// Which invariant; the names stand in the module's table.
    pub invariant: &'static str,
    /// At which height.
    pub height: u64,
    /// What was found.
    pub what: String,
}

/// A checker: its invariant and what it found, each with its height.
type Checker = (&'static str, fn(&Record) -> Vec<(Height, String)>);

const CHECKERS: &[Checker] = &[
    ("agreement", agreement),
    ("validity", validity),
    ("certificate", certificate),
    ("roots", roots),
    ("nothing_lost", nothing_lost),
    ("exactly_once", exactly_once),
    ("liveness", liveness),
    ("one_voice", one_voice),
    ("durability", durability),
    ("no_failure", no_failure),
];

/// Every broken invariant of a simulation.
pub(crate) fn check(seed: u64, record: &Record) -> Vec<Violation> {
    let found = CHECKERS.iter().flat_map(|(invariant, checker)| {
        checker(record).into_iter().map(|(height, what)| Violation {
            seed,
            invariant,
            height: height.0,
            what,
        })
    });
    found.collect()
}

impl Record {
    fn correct(&self) -> impl Iterator<Item = (usize, &NodeRecord)> {
        let nodes = self.nodes.iter().enumerate();
        nodes.filter(|(_, node)| node.correct)
    }

    /// The longest chain of a correct node.
    fn longest(&self) -> &[MemoryBlock] {
        let chains = self.correct().map(|(_, node)| node.blocks.as_slice());
        chains.max_by_key(|blocks| blocks.len()).unwrap_or_default()
    }
}

fn agreement(record: &Record) -> Vec<(Height, String)> {
    let mut agreed: BTreeMap<Height, (usize, Digest)> = BTreeMap::new();
    let told = record.commits.iter().copied();
    let told = told.filter(|(node, ..)| record.nodes.get(*node).is_some_and(|one| one.correct));
    let held = record.correct().flat_map(|(node, held)| {
        let blocks = held.blocks.iter();
        blocks.map(move |block| (node, block.block.header.height, block.hash))
    });
    let mut found = Vec::new();
    for (node, height, hash) in told.chain(held) {
        let (other, first) = *agreed.entry(height).or_insert((node, hash));
        if first != hash {
            let (one, two) = (first.short(), hash.short());
            found.push((
                height,
                format!("node {other} has {one}, node {node} has {two}"),
            ));
        }
    }
    found.dedup();
    found
}

fn validity(record: &Record) -> Vec<(Height, String)> {
    let mut found = Vec::new();
    for (node, held) in record.correct() {
        let links = held.blocks.array_windows().find_map(|[parent, block]| {
            let (above, header) = (&parent.block.header, &block.block.header);
            let follows = header.parent == parent.hash
                && header.height.0 == above.height.0 + 1
                && header.time_millis > above.time_millis
                && header.hash() == block.hash
                && block.validators.find(&header.proposer).is_some()
                && block.validators.hash() == header.validators_hash
                && header.validators_hash == above.next_validators_hash;
            (!follows).then_some(header.height)
        });
        if let Some(height) = links {
            found.push((
                height,
                format!("node {node}'s block does not follow its parent"),
            ));
        } else if let Err((height, why)) = replay(record, &held.blocks) {
            found.push((height, format!("node {node}'s block is refused: {why}")));
        }
    }
    found
}

/// Takes a chain into a new replica, as a node does that joins.
fn replay(record: &Record, blocks: &[MemoryBlock]) -> Result<(), (Height, String)> {
    let Some((first, rest)) = blocks.split_first() else {
        return Err((Height(0), "there is no block 0".into()));
    };
    let refused = |height, error: &dyn std::fmt::Display| (height, error.to_string());
    let mut replica = MemoryReplica::join(&record.genesis, &first.block)
        .map_err(|error| refused(Height(0), &error))?;
    for held in rest {
        let height = held.block.header.height;
        let checked = replica.check_knowing(&held.block, |_| None);
        let checked = checked.map_err(|error| refused(height, &error))?;
        let certificate = held.certificate.clone();
        let certificate = certificate.ok_or((height, "it has no certificate".to_owned()))?;
        // The certificate has a checker of its own.
        let certificate = ledger_store::VerifiedCertificate::by_engine(certificate);
        replica
            .append(&checked, &certificate)
            .map_err(|error| refused(height, &error))?;
    }
    Ok(())
}

fn certificate(record: &Record) -> Vec<(Height, String)> {
    let mut found = Vec::new();
    for (node, held) in record.correct() {
        for block in held.blocks.iter().skip(1) {
            let height = block.block.header.height;
            let verdict = match &block.certificate {
                None => Err("there is none".to_owned()),
                Some(certificate) if certificate.block != block.hash => {
                    Err("it is another block's".to_owned())
                }
                Some(certificate) => certificate
                    .verify(record.chain, &block.validators)
                    .map_err(|error| error.to_string()),
            };
            if let Err(why) = verdict {
                found.push((height, format!("node {node}'s certificate: {why}")));
            }
        }
    }
    found
}

fn roots(record: &Record) -> Vec<(Height, String)> {
    let differs = record.correct().filter_map(|(node, held)| {
        let header = &held.blocks.last()?.block.header;
        let (named, held) = (header.state_root, held.root_of_entries);
        let what = format!(
            "node {node}'s entries have root {}, the header names {}",
            held.short(),
            named.short()
        );
        (named != held).then_some((header.height, what))
    });
    differs.collect()
}

fn nothing_lost(record: &Record) -> Vec<(Height, String)> {
    let chain = record.longest();
    let tip = Height((chain.len() as u64).saturating_sub(1));
    let on_chain: BTreeSet<_> = chain.iter().flat_map(ids).collect();
    let lost = record
        .accepted
        .iter()
        .filter(|(id, _)| !on_chain.contains(id));
    let lost = lost.map(|(id, node)| {
        let what = format!("transaction {} that node {node} accepted", id.short());
        (tip, format!("{what} is not in the chain"))
    });
    lost.collect()
}

fn exactly_once(record: &Record) -> Vec<(Height, String)> {
    let mut found = Vec::new();
    for (node, held) in record.correct() {
        let mut seen = BTreeSet::new();
        let mut next: BTreeMap<PublicKey, Nonce> = BTreeMap::new();
        for block in held.blocks.iter().skip(1) {
            let height = block.block.header.height;
            for transaction in decoded(block) {
                let id = transaction.id();
                let mut wrong = |what: &str| {
                    let short = id.short();
                    found.push((height, format!("node {node}: transaction {short} {what}")));
                };
                if !record.submitted.contains(&id) {
                    wrong("was never sent by anybody");
                }
                if !seen.insert(id) {
                    wrong("is in the chain twice");
                }
                let expected = next.entry(*transaction.sender()).or_default();
                match transaction.body() {
                    Ok(body) if body.nonce == *expected => {
                        *expected = body.nonce.next().unwrap_or(body.nonce);
                    }
                    _ => wrong("is out of its sender's order"),
                }
            }
        }
    }
    found
}

fn decoded(block: &MemoryBlock) -> impl Iterator<Item = SignedTransaction> + '_ {
    let transactions = block.block.transactions.iter();
    transactions.filter_map(|bytes| SignedTransaction::decode(bytes).ok())
}

fn ids(block: &MemoryBlock) -> impl Iterator<Item = Digest> + '_ {
    decoded(block).map(|transaction| transaction.id())
}

fn liveness(record: &Record) -> Vec<(Height, String)> {
    if record
        .reached
        .is_some_and(|moment| moment <= record.deadline)
    {
        return Vec::new();
    }
    let heights = record.correct().map(|(_, node)| node.blocks.len() as u64);
    let lowest = Height(heights.min().unwrap_or(0).saturating_sub(1));
    let goal = record.goal;
    let when = match record.endless {
        true => "after more events than any history that gets somewhere".to_owned(),
        false => {
            let waited = record.deadline.0.saturating_sub(record.healed.0) / 1_000_000;
            format!("{waited} s after healing")
        }
    };
    let what = format!("{when} not all have height {goal} and what was accepted");
    vec![(lowest, what)]
}

fn one_voice(record: &Record) -> Vec<(Height, String)> {
    let doubled = record.doubled.iter().map(|doubled| {
        let (node, voice, round) = (doubled.node, doubled.voice, doubled.round);
        let what = format!("node {node} signed two different {voice:?}s in round {round}");
        (doubled.height, what)
    });
    doubled.collect()
}

fn durability(record: &Record) -> Vec<(Height, String)> {
    let forgot = record.forgot.iter().map(|forgot| {
        let node = forgot.node;
        (
            forgot.height,
            format!("node {node} forgot a final block in a crash"),
        )
    });
    let missing = record.commits.iter().filter_map(|(node, height, hash)| {
        let held = record.nodes.get(*node).filter(|held| held.correct)?;
        let block = held.blocks.get(usize::try_from(height.0).ok()?);
        let is_there = block.is_some_and(|block| block.hash == *hash);
        (!is_there).then(|| (*height, format!("node {node} has lost a final block")))
    });
    forgot.chain(missing).collect()
}

fn no_failure(record: &Record) -> Vec<(Height, String)> {
    let failed = record.failed.iter();
    failed
        .map(|(node, height, why)| (*height, format!("node {node}: {why}")))
        .collect()
}
