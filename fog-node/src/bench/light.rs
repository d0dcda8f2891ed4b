//! Bench `light`: a light client reads a node's answers and follows them from the genesis, every
//! signature checked; and proofs from a large state.
//!
//! The chain is made before the clock starts, by real keys and in the form in which nodes answer: four
//! validators who all sign, ten times one of them replaced by another. What is left out is the network
//! and the node that answers.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use anyhow::ensure;
use fog_api::LightPage;
use fog_api::light::MAX_LIGHT_BLOCKS;
use jmt::storage::{LeafNode, Node, NodeKey, TreeReader};
use jmt::{KeyHash, OwnedValue, Version};
use ledger_core::access::POLICY_ENGINE;
use ledger_core::block::{BLOCK_VERSION, tx_root};
use ledger_core::certificate::{CommitSignature, VoteContent, VoteKind};
use ledger_core::genesis::Parameters;
use ledger_core::governance::Thresholds;
use ledger_core::light::LightBlock;
use ledger_core::state::{Device, StateKey, Writes};
use ledger_core::state_proof::prove;
use ledger_core::state_tree::{key_hash, root_after};
use ledger_core::transaction::RegisterDevice;
use ledger_core::{
    Certificate, ChainId, Digest, Genesis, Header, Height, LightClient, SecretKey, Validator,
    ValidatorSet, canonical,
};

use crate::keystore::random;
use crate::light::follow;

/// Headers that are followed.
const HEADERS: u64 = 10_000;
/// Changes of validators among them.
const CHANGES: usize = 10;
/// Validators of each height.
const VALIDATORS: usize = 4;
/// Devices in the state.
const DEVICES: u64 = 100_000;
/// How many of them are proven.
const PROOFS: usize = 1_000;

pub(super) fn measure() -> anyhow::Result<Vec<(&'static str, f64)>> {
    let (genesis, pages) = chain()?;
    let mut client = LightClient::from_genesis(&genesis);
    let (mut headers, mut changes) = (0u64, 0usize);
    let since = Instant::now();
    for page in &pages {
        let page: LightPage = serde_json::from_slice(black_box(page))?;
        follow(page.decode()?, &mut client, u64::MAX, |step| {
            headers += 1;
            changes += usize::from(step.validators_changed);
        })?;
    }
    let seconds = since.elapsed().as_secs_f64();
    ensure!(
        (headers, changes) == (HEADERS, CHANGES),
        "{headers} headers and {changes} changes were followed"
    );
    Ok(vec![
        ("seconds", seconds),
        ("headers_per_second", headers as f64 / seconds),
        ("state_proof_bytes", longest_proof()? as f64),
    ])
}

/// A genesis, and the pages that a node would answer with.
fn chain() -> anyhow::Result<(Genesis, Vec<Vec<u8>>)> {
    let keys: Vec<SecretKey> = (0..VALIDATORS + CHANGES)
        .map(|_| Ok(SecretKey::from_seed(&random()?)))
        .collect::<anyhow::Result<_>>()?;
    // The sets follow one another as a window over the keys: one leaves, one comes.
    let sets: Vec<ValidatorSet> = keys
        .windows(VALIDATORS)
        .map(set_of)
        .collect::<anyhow::Result<_>>()?;
    let genesis = Genesis {
        name: "Bench".into(),
        time_millis: 0,
        validators: sets[0].clone(),
        organisations: Vec::new(),
        members: Vec::new(),
        thresholds: Thresholds::default(),
        parameters: Parameters::default(),
        nonce: Digest(random()?),
        policy_engine: POLICY_ENGINE.into(),
    };
    let at = |height: u64| (height - 1) as usize * sets.len() / HEADERS as usize;
    let mut parent = Digest::of(b"block 0");
    let mut blocks = Vec::new();
    for height in 1..=HEADERS {
        let now = at(height);
        let next = at((height + 1).min(HEADERS));
        let link = Link {
            chain: genesis.chain_id(),
            height: Height(height),
            parent,
        };
        let block = link.certified(&sets[now], &sets[next], &keys[now..now + VALIDATORS]);
        parent = block.header.hash();
        blocks.push(block);
    }
    let pages = blocks.chunks(MAX_LIGHT_BLOCKS as usize).map(|blocks| {
        let page = LightPage::of(blocks, HEADERS, 0);
        Ok(serde_json::to_vec(&page)?)
    });
    Ok((genesis, pages.collect::<anyhow::Result<_>>()?))
}

fn set_of(keys: &[SecretKey]) -> anyhow::Result<ValidatorSet> {
    let validator = |key: &SecretKey| Validator {
        key: key.public(),
        power: 1,
        name: format!("node {}", key.public().short()),
    };
    Ok(ValidatorSet::new(keys.iter().map(validator).collect())?)
}

/// Where a block goes.
struct Link {
    chain: ChainId,
    height: Height,
    parent: Digest,
}

impl Link {
    /// An empty block there, signed by all of its validators.
    fn certified(self, set: &ValidatorSet, next: &ValidatorSet, keys: &[SecretKey]) -> LightBlock {
        let header = Header {
            version: BLOCK_VERSION,
            chain: self.chain,
            height: self.height,
            time_millis: self.height.0 * 1000,
            proposer: keys[0].public(),
            parent: self.parent,
            tx_count: 0,
            tx_root: tx_root(&[]),
            state_root: Digest::of(&self.height.0.to_be_bytes()),
            validators_hash: set.hash(),
            next_validators_hash: next.hash(),
        };
        let block = header.hash();
        let sign = |key: &SecretKey| {
            let validator = key.public();
            let vote = VoteContent {
                kind: VoteKind::Precommit,
                chain: self.chain,
                height: self.height,
                round: 0,
                block: Some(block),
                validator,
            };
            let (place, _) = set.find(&validator)?;
            Some(CommitSignature {
                validator: place as u16,
                signature: key.sign(&vote.sign_bytes()),
            })
        };
        let mut signatures: Vec<_> = keys.iter().filter_map(sign).collect();
        signatures.sort_by_key(|commit| commit.validator);
        let certificate = Certificate {
            height: self.height,
            round: 0,
            block,
            signatures,
        };
        LightBlock::new(header, certificate, set.clone(), next.clone())
    }
}

/// The state's tree in memory.
#[derive(Default)]
struct Tree {
    nodes: BTreeMap<NodeKey, Node>,
    values: BTreeMap<KeyHash, OwnedValue>,
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

/// Length of the longest of many proofs, half of them of devices that are not there.
fn longest_proof() -> anyhow::Result<usize> {
    let registrar = SecretKey::from_seed(&random()?).public();
    let handle = |number: u64| Digest::of(&number.to_be_bytes());
    let entry = |number: u64| {
        let registration = RegisterDevice {
            handle: handle(number),
            key: Some(registrar),
            simulated: true,
        };
        let device = Device {
            registrar,
            registration,
            height: Height(number),
        };
        (
            StateKey::device(&handle(number)),
            canonical::encode(&device),
        )
    };
    let writes: Writes = (0..DEVICES).map(entry).collect();
    let (root, update) = root_after(&Tree::default(), Height(0), &writes)?;
    let tree = Tree {
        nodes: update.node_batch.nodes().clone(),
        values: writes
            .into_iter()
            .map(|(key, value)| (key_hash(&key), value))
            .collect(),
    };
    let mut longest = 0;
    for number in (0..2 * DEVICES).step_by(2 * DEVICES as usize / PROOFS) {
        let key = StateKey::device(&handle(number));
        let proof = prove(&tree, Height(0), &key)?;
        let is_there = proof.verify(&root, &key)?.is_some();
        ensure!(
            is_there == (number < DEVICES),
            "a proof shows what is not so"
        );
        longest = longest.max(proof.encode().len());
    }
    Ok(longest)
}
