//! Trails of the access log. Goal: a trail that leads to what a final block's state holds is whole, and every other one
//! is refused: with an entry removed, added, moved, altered or its transaction exchanged, of another chain, of a state
//! that is not final, or by a node that takes no part. Method: a log of two hospitals, its state's real tree, and each
//! single change of the trail tried; the file around it is the node's.

use ledger_core::access::{AccessDecision, LogPart, Trail, TrailEnd, TrailError, TrailVerdict};
use ledger_core::state::StateKey;
use ledger_core::state_proof::prove;
use ledger_core::state_tree::{key_hash, root_after};
use ledger_core::{Digest, Height};
use proptest::prelude::*;

use crate::access_log::{ADA, BO, CLINIC, HARBOUR, Journal, UMA, ask, decide, look, rule};
use crate::support::{Tree, certify, genesis, header, validators};
use crate::town::{id, public};

/// What a trail tells of an entry.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Step {
    Shown(Vec<u8>, Vec<u8>),
    Told(Vec<u8>),
    LeftOut(Digest),
}

/// A trail as it is sent.
#[derive(Clone, Debug)]
struct Sent {
    first: u64,
    before: Digest,
    steps: Vec<Step>,
    end: TrailEnd,
    node: u8,
}

impl Sent {
    fn verify(&self) -> Result<TrailVerdict, TrailError> {
        let genesis = genesis(&[HARBOUR, CLINIC]);
        let mut trail = Trail::begin(genesis.chain_id(), self.first, self.before)?;
        for step in &self.steps {
            match step {
                Step::Shown(entry, transaction) => trail.show(entry, transaction).map(drop)?,
                Step::Told(entry) => trail.tell(entry).map(drop)?,
                Step::LeftOut(digest) => trail.leave_out(digest)?,
            }
        }
        trail.end(&self.end, &public(self.node), &genesis)
    }
}

fn journal() -> Journal {
    let mut journal = Journal::new();
    let subject = Digest::of(b"subject");
    journal.send(
        HARBOUR,
        rule(
            None,
            "@approval(\"needed\") permit(principal, action, resource);",
        ),
    );
    for number in 40..44 {
        journal.send(ADA, ask(number, subject));
        journal.send(BO, decide(number, AccessDecision::Allow));
        journal.send(UMA, look(id(HARBOUR), LogPart::Bundle));
    }
    journal
}

/// The log from entry `first` on: every third entry left out, every third but one told without its transaction.
fn sent(first: usize) -> Sent {
    let journal = journal();
    let writes = journal.state.0.clone();
    let height = Height(9);
    let (root, update) = root_after(&Tree::default(), height, &writes).unwrap();
    let values = writes
        .into_iter()
        .map(|(key, value)| (key_hash(&key), value));
    let tree = Tree {
        nodes: update.node_batch.nodes().clone(),
        values: values.collect(),
    };
    let own = validators(&[HARBOUR, CLINIC]);
    let mut header = header(&journal.genesis, height.0, &own, &own);
    header.state_root = root;
    let end = TrailEnd {
        certificate: certify(&header, &own, 0, &[HARBOUR, CLINIC]),
        changes: Vec::new(),
        log: prove(&tree, height, &StateKey::access_log()).unwrap(),
        node: prove(&tree, height, &StateKey::member(&public(HARBOUR))).unwrap(),
        header,
    };
    let entries = journal.logged.iter().zip(&journal.sent).skip(first);
    let steps = entries.map(|(logged, sent)| match logged.entry.number % 3 {
        0 => Step::LeftOut(logged.entry.digest()),
        1 => Step::Told(logged.entry.encode()),
        _ => Step::Shown(logged.entry.encode(), sent.encode()),
    });
    Sent {
        first: first as u64,
        before: journal.logged[first].before,
        steps: steps.collect(),
        end,
        node: HARBOUR,
    }
}

#[test]
fn a_whole_log_leads_to_the_state_from_every_place() {
    let count = journal().logged.len();
    for first in 0..count {
        let verdict = sent(first).verify().unwrap();
        assert_eq!(verdict.head.count, count as u64);
        assert_eq!(
            (verdict.height, verdict.node.name.as_str()),
            (Height(9), "node 1")
        );
    }
}

#[test]
fn nothing_is_removed_moved_added_or_exchanged() {
    let whole = sent(2);
    for at in 0..whole.steps.len() {
        let mut without = whole.clone();
        without.steps.remove(at);
        assert!(without.verify().is_err(), "without {at}");
        let mut doubled = whole.clone();
        doubled.steps.insert(at, whole.steps[at].clone());
        assert!(doubled.verify().is_err(), "{at} twice");
        let mut exchanged = whole.clone();
        exchanged.steps.swap(0, at);
        assert_eq!(exchanged.verify().is_err(), at > 0, "{at} and the first");
        let mut hidden = whole.clone();
        hidden.steps[at] = Step::LeftOut(Digest::of(b"nothing"));
        assert_eq!(hidden.verify(), Err(TrailError::Head), "{at} hidden");
    }
    // A beginning that leaves out what comes first, and one that claims more.
    let mut later = whole.clone();
    later.steps.remove(0);
    later.first += 1;
    assert_eq!(later.verify(), Err(TrailError::Head));
    let mut earlier = whole.clone();
    earlier.steps.insert(0, Step::LeftOut(Digest::of(b"more")));
    earlier.first -= 1;
    assert_eq!(earlier.verify(), Err(TrailError::Head));
    for (first, before) in [(0, whole.before), (whole.first, Digest::ZERO)] {
        let begun = Sent {
            first,
            before,
            ..whole.clone()
        };
        assert_eq!(begun.verify(), Err(TrailError::Begin));
    }
    // The end of another entry's log, and a node that is none.
    let mut cut = whole.clone();
    cut.steps.pop();
    assert_eq!(cut.verify(), Err(TrailError::Head));
    let by_stranger = Sent {
        node: BO,
        ..whole.clone()
    };
    assert!(by_stranger.verify().is_err());
    let mut unsigned = whole.clone();
    unsigned.end.certificate.signatures.pop();
    assert!(matches!(unsigned.verify(), Err(TrailError::Finality(_))));
}

#[test]
fn a_transaction_belongs_to_its_entry() {
    let whole = sent(0);
    let shown: Vec<_> = whole
        .steps
        .iter()
        .filter_map(|step| match step {
            Step::Shown(_, transaction) => Some(transaction.clone()),
            _ => None,
        })
        .collect();
    let mut mixed = whole.clone();
    let at = whole
        .steps
        .iter()
        .position(|step| matches!(step, Step::Shown(..)))
        .unwrap();
    let Step::Shown(entry, _) = &whole.steps[at] else {
        panic!()
    };
    mixed.steps[at] = Step::Shown(entry.clone(), shown[1].clone());
    assert_eq!(mixed.verify(), Err(TrailError::OtherTransaction));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Goal: no byte of an entry, a transaction, a digest or the end can be altered. Method: one bit of one of them.
    #[test]
    fn no_bit_can_be_altered(which: prop::sample::Index, at: prop::sample::Index, bit in 0u8..8) {
        let mut sent = sent(1);
        let flip = |bytes: &mut [u8]| *at.get_mut(bytes) ^= 1 << bit;
        let which = which.index(sent.steps.len() + 1);
        match sent.steps.get_mut(which) {
            None => {
                let mut bytes = sent.end.encode();
                flip(&mut bytes);
                match TrailEnd::decode(&bytes) {
                    Ok(end) => sent.end = end,
                    Err(_) => return Ok(()),
                }
            }
            Some(Step::LeftOut(digest)) => flip(&mut digest.0),
            Some(Step::Told(entry)) => flip(entry),
            Some(Step::Shown(entry, transaction)) => match at.index(2) {
                0 => flip(entry),
                _ => flip(transaction),
            },
        }
        prop_assert!(sent.verify().is_err());
    }
}
