//! The way from the genesis to the certified header: each change of validators, approved by those before.

use ledger_core::block::{Header, tx_root};
use ledger_core::canonical;
use ledger_core::certificate::Certificate;
use ledger_core::genesis::Genesis;
use ledger_core::ids::Height;
use ledger_core::proof::ValidatorChange;
use ledger_core::transaction::{Payload, SignedTransaction};
use ledger_core::validators::ValidatorSet;
use serde::{Deserialize, Serialize};

use super::{MAX_TRUST_BYTES, SnapshotError, TRUST_MAGIC};

/// What `trust.bin` holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Trust {
    /// The only transaction of block 0.
    pub(super) founding: Vec<u8>,
    /// Changes of validators up to the block, oldest first; the block itself may be the last of them.
    pub(super) changes: Vec<ValidatorChange>,
    /// The header of the block.
    pub(super) header: Header,
    /// Why it is final.
    pub(super) certificate: Certificate,
}

/// A way that holds.
pub(super) struct Trusted {
    pub(super) trust: Trust,
    /// From which height on who certifies, oldest first, from height 0 on.
    pub(super) sets: Vec<(Height, ValidatorSet)>,
}

impl Trust {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = TRUST_MAGIC.to_vec();
        canonical::encode_into(self, &mut bytes);
        bytes
    }

    /// Reads `trust.bin` and follows it from the genesis.
    pub(super) fn follow(bytes: &[u8], genesis: &Genesis) -> Result<Trusted, SnapshotError> {
        let trust: Self = bytes
            .strip_prefix(TRUST_MAGIC)
            .and_then(|body| canonical::decode(body, MAX_TRUST_BYTES).ok())
            .ok_or(SnapshotError::Trust("it cannot be read"))?;
        if trust.header.chain != genesis.chain_id() {
            return Err(SnapshotError::OtherChain);
        }
        let mut sets = vec![(Height(0), genesis.validators.clone())];
        for change in &trust.changes {
            let at = change.header.height;
            let (from, current) = last(&sets)?;
            let next = at
                .next()
                .ok_or(SnapshotError::Trust("a height is too large"))?;
            let follows = next > *from
                && at >= Height(1)
                && at <= trust.header.height
                && change.next != *current
                && change.next.hash() == change.header.next_validators_hash;
            if !follows {
                return Err(SnapshotError::Trust(
                    "a change of validators does not follow",
                ));
            }
            certified(&change.header, &change.certificate, current, genesis)?;
            sets.push((next, change.next.clone()));
        }
        let trusted = Trusted { trust, sets };
        let Trust {
            header,
            certificate,
            ..
        } = &trusted.trust;
        let at_tip = trusted.at(header.height)?;
        certified(header, certificate, at_tip, genesis)?;
        if header.next_validators_hash != last(&trusted.sets)?.1.hash() {
            return Err(SnapshotError::Trust(
                "the last change of validators is missing",
            ));
        }
        Ok(trusted)
    }

    /// Checks that the founding transaction is the one block 0 stands for.
    pub(super) fn founds(&self, first: &Header, genesis: &Genesis) -> bool {
        let Ok(signed) = SignedTransaction::decode(&self.founding) else {
            return false;
        };
        let root = tx_root(&[signed.id()]);
        let holds = signed.verify(genesis.chain_id()).is_ok_and(
            |verified| matches!(&verified.body().payload, Payload::Genesis(own) if own == genesis),
        );
        holds && first.tx_count == 1 && first.tx_root == root
    }
}

impl Trusted {
    /// Who certifies a height.
    pub(super) fn at(&self, height: Height) -> Result<&ValidatorSet, SnapshotError> {
        let set = self.sets.iter().rev().find(|(from, _)| *from <= height);
        set.map(|(_, set)| set)
            .ok_or(SnapshotError::Trust("no validators"))
    }

    /// The change that a header makes, if it makes one.
    pub(super) fn change_at(&self, height: Height) -> Option<&ValidatorChange> {
        let changes = &self.trust.changes;
        let at = changes.binary_search_by_key(&height, |change| change.header.height);
        at.ok().and_then(|at| changes.get(at))
    }
}

fn last(sets: &[(Height, ValidatorSet)]) -> Result<(&Height, &ValidatorSet), SnapshotError> {
    let last = sets.last().ok_or(SnapshotError::Trust("no validators"))?;
    Ok((&last.0, &last.1))
}

fn certified(
    header: &Header,
    certificate: &Certificate,
    validators: &ValidatorSet,
    genesis: &Genesis,
) -> Result<(), SnapshotError> {
    if certificate.block != header.hash() || certificate.height != header.height {
        return Err(SnapshotError::Trust("a certificate is for another block"));
    }
    if header.chain != genesis.chain_id() || header.validators_hash != validators.hash() {
        return Err(SnapshotError::Trust("a header names other validators"));
    }
    certificate
        .verify(header.chain, validators)
        .map_err(|_| SnapshotError::Trust("a certificate does not hold"))
}
