//! The mempool against tables, and against a model that forgets nothing.

use std::collections::BTreeMap;

use ledger_consortium::SubmitError;
use ledger_consortium::mempool::{Inserted, Limits, Mempool};
use ledger_core::genesis::Parameters;
use ledger_core::transaction::RegisterDevice;
use ledger_core::{
    ChainId, Digest, Nonce, Payload, SignedTransaction, TransactionBody, VerifiedTransaction,
};
use proptest::prelude::*;

use crate::fixture::{anchor_of_batch, genesis, key};

fn chain() -> ChainId {
    genesis(1, Parameters::default()).chain_id()
}

fn transaction(sender: u8, nonce: u64, variant: u64) -> VerifiedTransaction {
    let signed = anchor_of_batch(chain(), &key(sender), nonce, variant);
    signed.verify(chain()).unwrap()
}

fn limits() -> Limits {
    Limits {
        transactions: 9,
        bytes: 1 << 20,
        per_sender: 3,
        transaction_bytes: 4096,
    }
}

/// Goal: each reason for a refusal, at its border; method: a table of inserts into one pool whose
/// senders are all at nonce 2.
#[test]
fn inserts() {
    use SubmitError::{Full, NonceTaken, NonceUsed, SenderLimit};
    let used = NonceUsed {
        expected: Nonce(2),
        actual: Nonce(1),
    };
    let table = [
        ((1, 1, 0), Err(used)),
        ((1, 2, 0), Ok(Inserted::New)),
        ((1, 2, 0), Ok(Inserted::Known)),
        ((1, 2, 9), Err(NonceTaken(Nonce(2)))),
        ((1, 5, 0), Err(SenderLimit)),
        ((1, 4, 0), Ok(Inserted::New)),
        ((1, 3, 0), Ok(Inserted::New)),
        ((2, 2, 0), Ok(Inserted::New)),
        ((3, 4, 0), Ok(Inserted::New)),
        ((4, 2, 0), Ok(Inserted::New)),
        ((5, 2, 0), Ok(Inserted::New)),
        // Two places are left: one more each, but no second of one sender.
        ((2, 3, 0), Err(SenderLimit)),
        ((6, 2, 0), Ok(Inserted::New)),
        ((7, 2, 0), Ok(Inserted::New)),
        ((8, 2, 0), Err(Full)),
        ((3, 4, 0), Ok(Inserted::Known)),
    ];
    let mut pool = Mempool::new(limits());
    for ((sender, nonce, variant), expected) in table {
        let outcome = pool.insert(transaction(sender, nonce, variant), Nonce(2));
        assert_eq!(outcome, expected, "sender {sender}, nonce {nonce}");
    }
    assert_eq!(pool.len(), 9);
}

/// Goal: bytes are bounded, of the pool and of one transaction.
#[test]
fn bytes_are_bounded() {
    let one = transaction(1, 0, 0);
    let length = one.bytes().len();
    let with = |bytes, transaction_bytes| Limits {
        bytes,
        transaction_bytes,
        ..limits()
    };
    let mut pool = Mempool::new(with(length * 2 - 1, 4096));
    pool.insert(one.clone(), Nonce(0)).unwrap();
    assert_eq!(pool.bytes(), length);
    let full = pool.insert(transaction(2, 0, 0), Nonce(0));
    assert_eq!(full, Err(SubmitError::Full));
    let mut pool = Mempool::new(with(1 << 20, length - 1));
    let refused = SubmitError::TooLarge {
        actual: length,
        limit: length - 1,
    };
    assert_eq!(pool.insert(one, Nonce(0)), Err(refused));
    assert!(pool.is_empty());
}

fn reaped(pool: &Mempool, max_bytes: usize) -> Vec<(u8, u64)> {
    let senders: BTreeMap<_, _> = (1..5)
        .map(|number| (key(number).public(), number))
        .collect();
    let reaped = pool.reap(max_bytes);
    let place = |one: &VerifiedTransaction| (senders[&one.sender()], one.body().nonce.0);
    reaped.iter().map(place).collect()
}

/// Goal: nonce order within a sender, turns and then arrival between senders, and no gap is jumped.
#[test]
fn reaping() {
    let mut pool = Mempool::new(Limits {
        transactions: 100,
        per_sender: 100,
        ..limits()
    });
    for (sender, nonce) in [(1, 1), (2, 0), (1, 0), (3, 1), (2, 1), (1, 3), (4, 0)] {
        pool.insert(transaction(sender, nonce, 0), Nonce(0))
            .unwrap();
    }
    let everything = [(2, 0), (1, 0), (4, 0), (1, 1), (2, 1)];
    assert_eq!(reaped(&pool, 1 << 20), everything);
    let length = transaction(1, 0, 0).bytes().len();
    assert_eq!(reaped(&pool, length * 2), everything[..2]);
    assert!(reaped(&pool, length - 1).is_empty());

    assert!(pool.remove(&transaction(1, 0, 0).id()).is_some());
    assert_eq!(reaped(&pool, 1 << 20), [(2, 0), (4, 0), (2, 1)]);
    let left = pool.advance(key(1).public(), Nonce(3));
    assert_eq!(left, [(transaction(1, 1, 0).id(), Nonce(1))]);
    assert_eq!(reaped(&pool, 1 << 20), [(2, 0), (4, 0), (2, 1), (1, 3)]);
    assert_eq!(pool.advance(key(3).public(), Nonce(1)), []);
    assert!(reaped(&pool, 1 << 20).contains(&(3, 1)));
}

#[derive(Clone, Debug)]
enum Step {
    Insert {
        sender: u8,
        nonce: u64,
        variant: u64,
    },
    Remove {
        sender: u8,
        nonce: u64,
        variant: u64,
    },
    Advance {
        sender: u8,
        by: u64,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let one = (1..4u8, 0..8u64, 0..2u64);
    let step = prop_oneof![
        6 => one.clone().prop_map(|(sender, nonce, variant)| Step::Insert { sender, nonce, variant }),
        1 => one.prop_map(|(sender, nonce, variant)| Step::Remove { sender, nonce, variant }),
        1 => (1..4u8, 0..3u64).prop_map(|(sender, by)| Step::Advance { sender, by }),
    ];
    proptest::collection::vec(step, 1..60)
}

/// What must hold of a pool whose content should be `model`.
fn check(pool: &Mempool, model: &BTreeMap<(u8, u64), VerifiedTransaction>, next: &[u64; 4]) {
    assert_eq!(pool.len(), model.len());
    let bytes: usize = model.values().map(|one| one.bytes().len()).sum();
    assert_eq!(pool.bytes(), bytes);
    for one in model.values() {
        assert_eq!(pool.get(&one.id()), Some(one));
    }
    let mut expected = Vec::new();
    for sender in 1..4u8 {
        let from = next[usize::from(sender)];
        let run = (from..).take_while(|nonce| model.contains_key(&(sender, *nonce)));
        expected.extend(run.map(|nonce| (sender, nonce)));
    }
    assert_eq!(pool.is_ready(), !expected.is_empty());
    let order = reaped(pool, usize::MAX);
    let mut sorted = order.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected, "exactly what has no gap before it");
    for sender in 1..4 {
        let nonces = order.iter().filter(|(of, _)| *of == sender);
        assert!(nonces.is_sorted_by_key(|(_, nonce)| *nonce));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Goal: whatever is done to a pool, it holds what it accepted and nothing else, keeps its limits,
    /// and offers exactly what could be executed.
    #[test]
    fn a_pool_keeps_what_it_accepted(steps in steps()) {
        let limits = Limits { transactions: 12, per_sender: 6, ..limits() };
        let mut pool = Mempool::new(limits);
        let mut model = BTreeMap::new();
        let mut next = [0u64; 4];
        for step in steps {
            match step {
                Step::Insert { sender, nonce, variant } => {
                    let one = transaction(sender, nonce, variant);
                    let state = Nonce(next[usize::from(sender)]);
                    if pool.insert(one.clone(), state) == Ok(Inserted::New) {
                        prop_assert!(model.insert((sender, nonce), one).is_none());
                    }
                }
                Step::Remove { sender, nonce, variant } => {
                    let id = transaction(sender, nonce, variant).id();
                    let here = model.get(&(sender, nonce)).is_some_and(|one| one.id() == id);
                    prop_assert_eq!(pool.remove(&id).is_some(), here);
                    if here {
                        model.remove(&(sender, nonce));
                    }
                }
                Step::Advance { sender, by } => {
                    let state = &mut next[usize::from(sender)];
                    *state += by;
                    let left = pool.advance(key(sender).public(), Nonce(*state));
                    let gone: Vec<_> = model
                        .range((sender, 0)..(sender, *state))
                        .map(|((_, nonce), one)| (one.id(), Nonce(*nonce)))
                        .collect();
                    prop_assert_eq!(left, gone);
                    model.retain(|(of, nonce), _| *of != sender || *nonce >= *state);
                }
            }
            prop_assert!(pool.len() <= limits.transactions);
            check(&pool, &model, &next);
        }
    }
}

fn device(sender: u8, nonce: u64) -> VerifiedTransaction {
    let body = TransactionBody {
        chain: chain(),
        nonce: Nonce(nonce),
        payload: Payload::RegisterDevice(RegisterDevice {
            handle: Digest::of(&nonce.to_be_bytes()),
            key: None,
            simulated: true,
        }),
    };
    SignedTransaction::sign(&body, &key(sender))
        .verify(chain())
        .unwrap()
}

/// Goal: what somebody stands waiting for comes before bulk, and still leaves bulk half of the block.
#[test]
fn urgent_before_bulk() {
    let mut pool = Mempool::new(Limits {
        transactions: 100,
        per_sender: 100,
        ..limits()
    });
    for nonce in 0..10 {
        pool.insert(transaction(1, nonce, 0), Nonce(0)).unwrap();
    }
    for nonce in 0..10 {
        pool.insert(device(2, nonce), Nonce(0)).unwrap();
    }
    let urgent = device(2, 0).bytes().len();
    let order = reaped(&pool, urgent * 8);
    assert_eq!(order[..4], [(2, 0), (2, 1), (2, 2), (2, 3)]);
    assert_eq!(order[4], (1, 0));
    let bulk = order[4..].iter().filter(|(sender, _)| *sender == 1).count();
    assert!(bulk >= 3, "{order:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Goal: whoever floods starves nobody: however full the pool, there is room for one of everybody,
    /// and it is in a block after at most as many bytes of each other sender as it has itself, rounded
    /// up to a transaction. Method: floods of random size before a sender with a few; blocks of random
    /// size are made final until those few are through.
    #[test]
    fn a_flood_starves_nobody(
        floods in proptest::collection::vec(1u64..60, 1..4), few in 1u64..4, per_block in 1usize..6,
        late in 0usize..4,
    ) {
        let limits = Limits { transactions: 100, per_sender: 60, ..limits() };
        let mut pool = Mempool::new(limits);
        for (sender, flood) in (1..).zip(&floods) {
            for nonce in 0..*flood {
                // The flood stops where the pool says so.
                if pool.insert(transaction(sender, nonce, 0), Nonce(0)).is_err() {
                    break;
                }
            }
        }
        let length = transaction(1, 0, 0).bytes().len();
        let mut next: BTreeMap<u8, u64> = BTreeMap::new();
        let mut finalize = |pool: &mut Mempool| {
            let block = reaped(pool, (length + 8) * per_block);
            for (sender, nonce) in &block {
                let last = next.insert(*sender, nonce + 1);
                assert_eq!(last.unwrap_or(0), *nonce);
                pool.advance(key(*sender).public(), Nonce(nonce + 1));
            }
            block.len()
        };
        for _ in 0..late {
            finalize(&mut pool);
        }
        for nonce in 0..few {
            prop_assert_eq!(pool.insert(transaction(4, nonce, 0), Nonce(0)), Ok(Inserted::New));
        }
        let senders = floods.len() as u64 + 1;
        // Fair: `few` turns of everybody, and one for turns begun before.
        let enough = senders * (few + 1);
        let mut made = 0;
        while pool.next_nonce(&key(4).public()).is_some() {
            prop_assert!(made < enough, "{made} of {enough} transactions");
            made += finalize(&mut pool) as u64;
        }
    }
}
