//! The state machine: what it accepts, what it refuses and why, and the root it leads to.

use std::collections::BTreeMap;

use jmt::storage::{LeafNode, Node, NodeKey, TreeReader};
use jmt::{KeyHash, OwnedValue, Version};
use ledger_core::canonical::encode;
use ledger_core::state::{
    Account, AnchorHead, Clock, Device, ExecutionError, Executor, StateKey, Writes,
    next_validators, read,
};
use ledger_core::state_tree::{key_hash, root_after};
use ledger_core::transaction::TransactionError;
use ledger_core::{
    AnchorBatch, BatchNumber, ChainId, Digest, Genesis, Height, Nonce, Payload, SignedTransaction,
    TransactionBody, VerifiedTransaction,
};

use crate::support::{State, genesis, key, register, sign, validators};

impl State {
    /// The state after block 0.
    fn founded(genesis: &Genesis) -> Self {
        let mut state = Self::default();
        state
            .execute(0, &[sent(genesis, 1, 0, Payload::Genesis(genesis.clone()))])
            .expect("founded");
        state
    }

    /// Executes a block; changes nothing if a transaction is refused.
    fn execute(
        &mut self,
        height: u64,
        block: &[VerifiedTransaction],
    ) -> Result<Writes, ExecutionError> {
        let mut executor = Executor::new(self, Height(height), 1000 + height);
        for transaction in block {
            executor.apply(transaction)?;
        }
        let writes = executor.finish()?;
        self.0.extend(writes.clone());
        Ok(writes)
    }

    fn set<T: serde::Serialize>(mut self, key: StateKey, value: &T) -> Self {
        self.0.insert(key, encode(value));
        self
    }
}

fn sent(genesis: &Genesis, number: u8, nonce: u64, payload: Payload) -> VerifiedTransaction {
    sign(genesis, number, nonce, payload)
        .verify(genesis.chain_id())
        .expect("a valid transaction")
}

fn anchor(batch: u64, streams: u32, readings: u32) -> Payload {
    let root = Digest::of(&batch.to_be_bytes());
    Payload::AnchorBatch(AnchorBatch {
        batch: BatchNumber(batch),
        root,
        streams,
        readings,
    })
}

/// Goal: each reason to refuse a transaction, and no change where one is refused.
#[test]
fn refused_transactions_change_nothing() {
    let genesis = genesis(&[1, 2]);
    let founded = State::founded(&genesis);
    let check = |state: &State, sender, nonce, payload, expected: &ExecutionError| {
        let refused = state
            .clone()
            .execute(1, &[sent(&genesis, sender, nonce, payload)]);
        assert_eq!(refused.as_ref().err(), Some(expected));
        let mut executor = Executor::new(state, Height(1), 2000);
        let _ = executor.apply(&sent(&genesis, sender, nonce, register(99)));
        let mut with_refused = Executor::new(state, Height(1), 2000);
        let _ = with_refused.apply(&sent(&genesis, 9, 0, register(1)));
        let _ = with_refused.apply(&sent(&genesis, sender, nonce, register(99)));
        assert_eq!(with_refused.finish(), executor.finish());
    };
    let nonce = |expected, actual| ExecutionError::Nonce {
        expected: Nonce(expected),
        actual: Nonce(actual),
    };
    let batch = |expected, actual| ExecutionError::Batch {
        expected: BatchNumber(expected),
        actual: BatchNumber(actual),
    };
    check(&founded, 9, 0, register(1), &ExecutionError::NotMember);
    check(&founded, 1, 1, register(1), &nonce(0, 1));
    check(
        &founded,
        1,
        0,
        Payload::Genesis(genesis.clone()),
        &ExecutionError::Genesis,
    );
    check(&founded, 1, 0, anchor(1, 1, 1), &batch(0, 1));
    for (streams, readings) in [
        (0, 0),
        (0, 1),
        (2, 1),
        ((1 << 16) + 1, 1 << 20),
        (1, (1 << 24) + 1),
    ] {
        check(
            &founded,
            1,
            0,
            anchor(0, streams, readings),
            &ExecutionError::BatchSize,
        );
    }
    let mut used = founded.clone();
    used.execute(
        1,
        &[
            sent(&genesis, 1, 0, register(1)),
            sent(&genesis, 1, 1, anchor(0, 2, 5)),
        ],
    )
    .expect("accepted");
    check(&used, 1, 0, register(2), &nonce(2, 0));
    check(&used, 2, 0, register(1), &ExecutionError::DeviceExists);
    check(&used, 1, 2, anchor(0, 1, 1), &batch(1, 0));
    let last = Account {
        next_nonce: Nonce(u64::MAX),
    };
    let full = founded
        .clone()
        .set(StateKey::account(&key(1).public()), &last);
    check(&full, 1, u64::MAX, register(1), &ExecutionError::Overflow);
    let head = AnchorHead {
        next_batch: BatchNumber(u64::MAX),
        ..AnchorHead::default()
    };
    let full = founded
        .clone()
        .set(StateKey::anchor(&key(1).public()), &head);
    check(
        &full,
        1,
        0,
        anchor(u64::MAX, 1, 1),
        &ExecutionError::Overflow,
    );
    let head = AnchorHead {
        readings: u64::MAX,
        ..AnchorHead::default()
    };
    let full = founded.set(StateKey::anchor(&key(1).public()), &head);
    check(&full, 1, 0, anchor(0, 1, 1), &ExecutionError::Overflow);
}

/// Goal: a damaged or missing state is told apart from a bad transaction.
#[test]
fn unreadable_states_are_told_apart() {
    let genesis = genesis(&[1]);
    let mut state = State::founded(&genesis);
    state
        .0
        .insert(StateKey::account(&key(1).public()), vec![0xff]);
    let refused = state.execute(1, &[sent(&genesis, 1, 0, register(1))]);
    assert!(matches!(refused, Err(ExecutionError::State(_))));
    assert!(next_validators(&State::default(), &Writes::new()).is_err());
}

/// Goal: block 0 is one genesis of this chain, and nothing else.
#[test]
fn block_zero_is_the_genesis_alone() {
    let genesis = genesis(&[1, 2]);
    let found = || sent(&genesis, 1, 0, Payload::Genesis(genesis.clone()));
    let refused = |block: &[VerifiedTransaction]| State::default().execute(0, block).err();
    assert_eq!(refused(&[found()]), None);
    assert_eq!(
        refused(&[sent(&genesis, 1, 0, register(1))]),
        Some(ExecutionError::Genesis)
    );
    assert_eq!(refused(&[found(), found()]), Some(ExecutionError::Genesis));
    assert_eq!(
        refused(&[found(), sent(&genesis, 1, 0, register(1))]),
        Some(ExecutionError::Genesis)
    );
    let mut other = genesis.clone();
    other.name.push('x');
    assert_eq!(
        refused(&[sent(&genesis, 1, 0, Payload::Genesis(other))]),
        Some(ExecutionError::Genesis)
    );
}

/// Goal: the entries of the genesis are there, and every block moves the clock.
#[test]
fn accepted_transactions_are_recorded() {
    let genesis = genesis(&[1, 2]);
    let mut state = State::founded(&genesis);
    assert_eq!(
        next_validators(&state, &Writes::new()),
        Ok(validators(&[1, 2]))
    );
    assert_eq!(
        read(&state, &StateKey::genesis()),
        Ok(Some(genesis.clone()))
    );
    let block = [
        sent(&genesis, 1, 0, anchor(0, 2, 5)),
        sent(&genesis, 1, 1, register(1)),
        sent(&genesis, 1, 2, anchor(1, 1, 7)),
        sent(&genesis, 2, 0, anchor(0, 3, 3)),
    ];
    let writes = state.execute(7, &block).expect("accepted");
    assert_eq!(writes.len(), 6);
    let head: AnchorHead = read(&state, &StateKey::anchor(&key(1).public()))
        .expect("read")
        .expect("a head");
    let step = |before: Digest, batch: u64| {
        let root = Digest::of(&batch.to_be_bytes());
        Digest::tagged("fogward/anchors/1", &[&before.0, &root.0])
    };
    let accumulator = step(step(Digest::ZERO, 0), 1);
    assert_eq!(
        head,
        AnchorHead {
            next_batch: BatchNumber(2),
            readings: 12,
            accumulator
        }
    );
    let device: Device = read(&state, &StateKey::device(&Digest::of(&[1])))
        .expect("read")
        .expect("a device");
    assert_eq!(
        (device.registrar, device.height),
        (key(1).public(), Height(7))
    );
    let account: Account = read(&state, &StateKey::account(&key(1).public()))
        .expect("read")
        .expect("an account");
    assert_eq!(account.next_nonce, Nonce(3));
    let clock = Clock {
        height: Height(7),
        time_millis: 1007,
    };
    assert_eq!(read(&state, &StateKey::clock()), Ok(Some(clock)));
}

/// Goal: no transaction is taken for another chain's, another sender's or another text's.
#[test]
fn envelopes_are_verified() {
    let genesis = genesis(&[1]);
    let chain = genesis.chain_id();
    let signed = sign(&genesis, 1, 0, register(1));
    let verified = signed.clone().verify(chain).expect("valid");
    assert_eq!(
        (verified.id(), verified.sender()),
        (signed.id(), key(1).public())
    );
    assert_eq!(verified.bytes(), signed.encode());
    assert_eq!(
        signed.clone().verify(ChainId(Digest::ZERO)),
        Err(TransactionError::OtherChain)
    );
    let bytes = signed.encode();
    for at in 0..bytes.len() {
        let mut spoiled = bytes.clone();
        spoiled[at] ^= 1;
        let outcome = SignedTransaction::decode(&spoiled).and_then(|one| one.verify(chain));
        assert!(outcome.is_err(), "byte {at}");
    }
    let mut large = genesis.clone();
    large.members = vec![large.members[0].clone(); 2000];
    let large = large.clone();
    let body = TransactionBody {
        chain: large.chain_id(),
        nonce: Nonce(0),
        payload: Payload::Genesis(large.clone()),
    };
    assert!(
        SignedTransaction::sign(&body, &key(1))
            .verify(large.chain_id())
            .is_ok()
    );
}

/// A tree in memory.
#[derive(Default)]
struct Tree(BTreeMap<NodeKey, Node>);

impl TreeReader for Tree {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        Ok(self.0.get(key).cloned())
    }

    fn get_value_option(&self, _: Version, _: KeyHash) -> anyhow::Result<Option<OwnedValue>> {
        anyhow::bail!("values are not kept here")
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        anyhow::bail!("this tree is not being restored")
    }
}

/// Goal: the root depends on the entries alone, not on the order or the blocks they came in, and differs
/// for any other entry. Method: the same entries in one block and in three.
#[test]
fn the_root_depends_on_the_entries_alone() {
    let entry = |number: u8| (StateKey(vec![number]), vec![number; 5]);
    let write = |blocks: &[Vec<(StateKey, Vec<u8>)>]| {
        let mut tree = Tree::default();
        let mut last = Digest::ZERO;
        for (height, block) in (0u64..).zip(blocks) {
            let writes: Writes = block.iter().cloned().collect();
            let (root, update) = root_after(&tree, Height(height), &writes).expect("a root");
            tree.0.extend(update.node_batch.nodes().clone());
            last = root;
        }
        last
    };
    let all: Vec<_> = (0..40).map(entry).collect();
    let root = write(std::slice::from_ref(&all));
    let mut reversed = all.clone();
    reversed.reverse();
    assert_eq!(
        write(&[
            reversed[..7].to_vec(),
            reversed[7..30].to_vec(),
            reversed[30..].to_vec()
        ]),
        root
    );
    let mut other = all.clone();
    other[3].1[0] ^= 1;
    assert_ne!(write(&[other]), root);
    assert_ne!(write(&[all[1..].to_vec()]), root);
    assert_eq!(key_hash(&StateKey::clock()).0, Digest::of(b"clock").0);
}
