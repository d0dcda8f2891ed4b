//! The state a genesis leads to, by the same rules as later admissions.

use super::enact::{add_node, add_organisation, refuse_unless};
use super::error::GovernanceError;
use super::organisation::{Standing, is_name};
use super::proposal::Node;
use super::read::key_use;
use crate::genesis::Genesis;
use crate::state::{ExecutionError, Overlay, StateKey, StateReadError, StateView};

/// A state before anything.
struct Empty;

impl StateView for Empty {
    fn get(&self, _: &StateKey) -> Result<Option<Vec<u8>>, StateReadError> {
        Ok(None)
    }
}

/// Whether a genesis could found a consortium.
pub(crate) fn check_genesis(genesis: &Genesis) -> Result<(), GovernanceError> {
    match found(&mut Overlay::new(&Empty), genesis) {
        Err(ExecutionError::Governance(why)) => Err(why),
        // An empty state can always be read, and no other rule applies to a genesis.
        _ => Ok(()),
    }
}

/// Writes the entries a genesis leads to.
pub(crate) fn found<V: StateView + ?Sized>(
    state: &mut Overlay<'_, V>,
    genesis: &Genesis,
) -> Result<(), ExecutionError> {
    refuse_unless(is_name(&genesis.name), GovernanceError::Name)?;
    refuse_unless(genesis.parameters.are_valid(), GovernanceError::Parameters)?;
    refuse_unless(genesis.thresholds.are_valid(), GovernanceError::Thresholds)?;
    let is_ours = genesis.policy_engine == ledger_policy::ENGINE;
    refuse_unless(is_ours, GovernanceError::PolicyEngine)?;
    let is_someone = !genesis.organisations.is_empty();
    refuse_unless(is_someone, GovernanceError::LastOrganisation)?;
    for organisation in &genesis.organisations {
        let is_active = organisation.standing == Standing::Active;
        refuse_unless(is_active, GovernanceError::Standing)?;
        add_organisation(state, organisation)?;
    }
    for member in &genesis.members {
        let is_active = member.standing == Standing::Active;
        refuse_unless(is_active, GovernanceError::Standing)?;
        let node = Node {
            key: member.key,
            vote_key: member.vote_key,
            name: member.name.clone(),
            address: member.address.clone(),
        };
        add_node(state, member.organisation, &node)?;
    }
    for validator in genesis.validators.as_slice() {
        refuse_unless(validator.power == 1, GovernanceError::Power)?;
        refuse_unless(is_name(&validator.name), GovernanceError::Name)?;
        let is_node = key_use(state, &validator.key)?.is_vote;
        refuse_unless(is_node, GovernanceError::UnknownNode)?;
    }
    state.write(StateKey::genesis(), genesis);
    state.write(StateKey::parameters(), &genesis.parameters);
    state.write(StateKey::thresholds(), &genesis.thresholds);
    state.write(StateKey::validators(), &genesis.validators);
    Ok(())
}
