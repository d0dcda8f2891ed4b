//! What is simulated: how many validators, how far, under which seed, with which faults.

use ledger_core::access::POLICY_ENGINE;
use ledger_core::genesis::{Member, Parameters};
use ledger_core::governance::{Organisation, Thresholds};
use ledger_core::ids::OrganisationId;
use ledger_core::{Digest, Genesis, SecretKey, Validator, ValidatorSet};

use crate::plant::Plant;
use crate::votes::owner;

/// Fewest and most validators of a simulation.
pub const VALIDATORS: std::ops::RangeInclusive<usize> = 1..=32;

/// When every simulated chain was founded, in Unix milliseconds.
pub(crate) const FOUNDED_MILLIS: u64 = 1_700_000_000_000;
/// Heartbeat of simulated chains in seconds: short, so that idle spells are simulated, too.
const HEARTBEAT_SECONDS: u32 = 5;

/// One simulation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scenario {
    /// How many validators found the chain.
    pub validators: usize,
    /// The height all correct nodes are to reach.
    pub heights: u64,
    /// What everything follows from.
    pub seed: u64,
    /// Whether anything goes wrong.
    pub faults: bool,
    /// A bug planted to see the checkers fail; none in earnest.
    pub plant: Option<Plant>,
}

impl Scenario {
    /// A simulation with faults and without a planted bug.
    #[must_use]
    pub const fn new(validators: usize, heights: u64, seed: u64) -> Self {
        Self {
            validators,
            heights,
            seed,
            faults: true,
            plant: None,
        }
    }

    /// How many validators may break the rules without harm.
    #[must_use]
    pub const fn tolerated(&self) -> usize {
        self.validators.saturating_sub(1) / 3
    }
}

/// The key of a simulated node. Simulated keys are known to everybody.
pub(crate) fn key(node: usize) -> SecretKey {
    let digest = Digest::of(&[&b"simulated node"[..], &node.to_be_bytes()].concat());
    SecretKey::from_seed(&digest.0)
}

/// The organisation that founds the chain with the validator of this place.
pub(crate) fn organisation(node: usize) -> OrganisationId {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&(node as u64 + 1).to_be_bytes());
    OrganisationId(id)
}

/// The key of the admin of a simulated organisation.
pub(crate) fn admin_key(organisation: usize) -> SecretKey {
    let name = [&b"simulated admin"[..], &organisation.to_be_bytes()].concat();
    SecretKey::from_seed(&Digest::of(&name).0)
}

/// The genesis of a simulated consortium: `validators` organisations with a validator each, and
/// `observers` nodes more.
pub(crate) fn genesis(validators: usize, observers: usize, seed: u64) -> Option<Genesis> {
    let named = |node: usize| (key(node).public(), format!("simulated node {node}"));
    let power = 1;
    let set = (0..validators)
        .map(named)
        .map(|(key, name)| Validator { key, power, name });
    let organisations = (0..validators).map(|node| {
        let name = format!("simulated organisation {node}");
        Organisation::new(organisation(node), name, vec![admin_key(node).public()])
    });
    let members = (0..validators + observers).map(|node| {
        let (key, name) = named(node);
        Member::with_one_key(key, name, owner(node, validators))
    });
    Some(Genesis {
        name: "simulated consortium".into(),
        time_millis: FOUNDED_MILLIS,
        validators: ValidatorSet::new(set.collect()).ok()?,
        organisations: organisations.collect(),
        members: members.collect(),
        thresholds: Thresholds::default(),
        parameters: Parameters {
            heartbeat_seconds: HEARTBEAT_SECONDS,
            ..Parameters::default()
        },
        nonce: Digest::of(&seed.to_be_bytes()),
        policy_engine: POLICY_ENGINE.into(),
    })
}
