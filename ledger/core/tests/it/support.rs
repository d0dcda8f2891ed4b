//! Keys from fixed seeds, and whole proofs made of them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jmt::storage::{LeafNode, Node, NodeKey, TreeReader};
use jmt::{KeyHash, OwnedValue, Version};
use ledger_core::access::POLICY_ENGINE;
use ledger_core::block::{BLOCK_VERSION, tx_leaves, tx_root};
use ledger_core::certificate::{CommitSignature, VoteContent, VoteKind};
use ledger_core::genesis::{Member, Parameters};
use ledger_core::governance::{Organisation, Thresholds};
use ledger_core::merkle::{self, leaf_hash};
use ledger_core::proof::ValidatorChange;
use ledger_core::reading::{SaltSource, commitment};
use ledger_core::state::{Clock, ExecutionError, Executor, StateKey, StateReadError, StateView};
use ledger_core::transaction::RegisterDevice;
use ledger_core::{
    BatchNumber, BatchTree, Certificate, Decimal, Digest, Genesis, Header, Height, Nonce,
    OrganisationId, Origin, Payload, Proof, PublicKey, Quality, Reading, SampledData, SecretKey,
    SignedTransaction, StreamId, StreamLeaves, TransactionBody, Validator, ValidatorSet, Value,
};

/// A state in memory.
#[derive(Default, Clone, PartialEq, Eq, Debug)]
pub struct State(pub BTreeMap<StateKey, Vec<u8>>);

impl StateView for State {
    fn get(&self, key: &StateKey) -> Result<Option<Vec<u8>>, StateReadError> {
        Ok(self.0.get(key).cloned())
    }
}

/// Executes a block of one transaction on a state.
pub fn execute(
    genesis: &Genesis,
    state: &mut State,
    clock: Clock,
    (sender, nonce): (u8, u64),
    payload: Payload,
) -> Result<(), ExecutionError> {
    let sent = sign(genesis, sender, nonce, payload)
        .verify(genesis.chain_id())
        .expect("a signature");
    let mut executor = Executor::new(&*state, clock.height, clock.time_millis);
    executor.apply(&sent)?;
    let writes = executor.finish()?;
    state.0.extend(writes);
    Ok(())
}

/// Asserts that what a sender sent was void: it used a nonce, and the block has its time.
pub fn assert_void(before: &State, after: &State, sender: u8) {
    let rest = |state: &State| {
        let mut rest = state.0.clone();
        rest.remove(&StateKey::clock());
        rest.remove(&StateKey::account(&key(sender).public()));
        rest
    };
    assert_eq!(rest(after), rest(before), "void");
}

pub fn key(number: u8) -> SecretKey {
    SecretKey::from_seed(&[number; 32])
}

/// Validators of one unit of power each.
pub fn validators(numbers: &[u8]) -> ValidatorSet {
    let one = |number: &u8| Validator {
        key: key(*number).public(),
        power: 1,
        name: format!("node {number}"),
    };
    ValidatorSet::new(numbers.iter().map(one).collect()).expect("validators")
}

/// An organisation of one node, whose key is its admin key too.
pub fn organisation(number: u8) -> Organisation {
    let admins = vec![key(number).public()];
    Organisation::new(
        OrganisationId([number; 16]),
        format!("organisation {number}"),
        admins,
    )
}

/// A consortium of validators, each of an organisation of its own.
pub fn genesis(numbers: &[u8]) -> Genesis {
    let member = |number: &u8| {
        let name = format!("node {number}");
        Member::with_one_key(key(*number).public(), name, organisation(*number).id)
    };
    Genesis {
        name: "Example consortium".into(),
        time_millis: 1_700_000_000_000,
        validators: validators(numbers),
        organisations: numbers.iter().copied().map(organisation).collect(),
        members: numbers.iter().map(member).collect(),
        thresholds: Thresholds::default(),
        parameters: Parameters::default(),
        nonce: Digest::of(b"example"),
        policy_engine: POLICY_ENGINE.into(),
    }
}

pub fn pulse(stream: StreamId, sequence: u64, bpm: i64) -> Reading {
    Reading {
        stream,
        sequence,
        code: Cow::Borrowed("8867-4"),
        unit: Cow::Borrowed("/min"),
        value: Value::Quantity(Decimal::whole(bpm)),
        quality: Quality::Good,
        origin: Origin::Simulated,
        device_time_millis: Some(1_700_000_001_000 + sequence as i64 * 333),
        host_time_millis: 1_700_000_001_004 + sequence as i64 * 333,
    }
}

pub fn wave(stream: StreamId, sequence: u64) -> Reading {
    Reading {
        value: Value::Samples(SampledData {
            period_micros: 13_333,
            samples: (0..75)
                .map(|at| (at % 10 != 3).then_some(at * 7 - 200))
                .collect(),
        }),
        code: Cow::Borrowed("59408-5"),
        unit: Cow::Borrowed("%"),
        quality: Quality::Questionable,
        device_time_millis: None,
        ..pulse(stream, sequence, 0)
    }
}

pub fn stream(number: u8) -> StreamId {
    StreamId([number; 16])
}

/// The salts of a stream.
pub fn salts(stream: StreamId) -> SaltSource {
    SaltSource::new(&[stream.0[0] ^ 0x55; 32])
}

/// The leaves of one stream's readings.
pub fn leaves(readings: &[Reading]) -> StreamLeaves {
    let (stream, first_sequence) = (readings[0].stream, readings[0].sequence);
    let salts = salts(stream);
    let leaf = |reading: &Reading| {
        let salt = salts.reading(reading.sequence);
        leaf_hash(&commitment(&salt, &reading.encode()).0)
    };
    StreamLeaves {
        stream,
        salt: salts.batch(first_sequence),
        first_sequence,
        leaves: readings.iter().map(leaf).collect(),
    }
}

pub fn sign(genesis: &Genesis, number: u8, nonce: u64, payload: Payload) -> SignedTransaction {
    let body = TransactionBody {
        chain: genesis.chain_id(),
        nonce: Nonce(nonce),
        payload,
    };
    SignedTransaction::sign(&body, &key(number))
}

pub fn register(number: u8) -> Payload {
    Payload::RegisterDevice(RegisterDevice {
        handle: Digest::of(&[number]),
        key: None,
        simulated: true,
    })
}

/// Precommits of `signers` for a header.
pub fn certify(header: &Header, set: &ValidatorSet, round: u32, signers: &[u8]) -> Certificate {
    let block = header.hash();
    let vote = |validator: PublicKey| VoteContent {
        kind: VoteKind::Precommit,
        chain: header.chain,
        height: header.height,
        round,
        block: Some(block),
        validator,
    };
    let mut signatures: Vec<_> = signers
        .iter()
        .map(|number| {
            let public = key(*number).public();
            let (place, _) = set.find(&public).expect("a validator");
            CommitSignature {
                validator: place as u16,
                signature: key(*number).sign(&vote(public).sign_bytes()),
            }
        })
        .collect();
    signatures.sort_by_key(|commit| commit.validator);
    Certificate {
        height: header.height,
        round,
        block,
        signatures,
    }
}

pub fn header(genesis: &Genesis, height: u64, set: &ValidatorSet, next: &ValidatorSet) -> Header {
    Header {
        version: BLOCK_VERSION,
        chain: genesis.chain_id(),
        height: Height(height),
        time_millis: genesis.time_millis + height * 1000,
        proposer: set.as_slice()[0].key,
        parent: Digest::of(&height.to_be_bytes()),
        tx_count: 0,
        tx_root: tx_root(&[]),
        state_root: Digest::of(b"state"),
        validators_hash: set.hash(),
        next_validators_hash: next.hash(),
    }
}

/// A proof over three streams and three transactions, certified by the validators `now`, which took
/// over from the genesis' at height 5 where they differ.
pub fn proof(first: &[u8], now: &[u8], signers: &[u8]) -> (Genesis, Proof) {
    let genesis = genesis(first);
    let (before, after) = (validators(first), validators(now));
    let changes = if before == after {
        vec![]
    } else {
        let header = header(&genesis, 5, &before, &after);
        let certificate = certify(&header, &before, 0, first);
        vec![ValidatorChange {
            header,
            certificate,
            next: after.clone(),
        }]
    };
    let readings: Vec<_> = (10..15)
        .map(|sequence| pulse(stream(2), sequence, 72 + sequence as i64))
        .collect();
    let waves: Vec<_> = (3..6).map(|sequence| wave(stream(3), sequence)).collect();
    let single = [pulse(stream(1), 0, 60)];
    let tree = BatchTree::build(vec![leaves(&readings), leaves(&waves), leaves(&single)])
        .expect("a batch");
    let anchor = Payload::AnchorBatch(tree.anchor(BatchNumber(4)));
    let transactions = [
        sign(&genesis, first[0], 8, register(1)),
        sign(&genesis, first[0], 9, anchor),
        sign(&genesis, first[0], 10, register(2)),
    ];
    let ids: Vec<_> = transactions.iter().map(SignedTransaction::id).collect();
    let mut header = header(&genesis, 9, &after, &after);
    header.tx_count = 3;
    header.tx_root = tx_root(&ids);
    let reading = readings[3].clone();
    let proof = Proof {
        chain: genesis.chain_id(),
        salt: salts(reading.stream).reading(reading.sequence),
        batch_path: tree.path(reading.stream, reading.sequence).expect("a path"),
        reading,
        transaction: transactions[1].encode(),
        transaction_index: 1,
        transaction_path: merkle::path(&tx_leaves(&ids), 1).expect("a path"),
        certificate: certify(&header, &after, 1, signers),
        header,
        changes,
    };
    (genesis, proof)
}

/// A tree of one height in memory.
#[derive(Default)]
pub struct Tree {
    pub nodes: BTreeMap<NodeKey, Node>,
    pub values: BTreeMap<KeyHash, OwnedValue>,
}

impl TreeReader for Tree {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        Ok(self.nodes.get(key).cloned())
    }

    fn get_value_option(&self, _: Version, key: KeyHash) -> anyhow::Result<Option<OwnedValue>> {
        Ok(self.values.get(&key).cloned())
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        anyhow::bail!("this tree is not being restored")
    }
}
