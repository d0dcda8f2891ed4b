//! How many readings a state says are anchored: the sum over all nodes' anchor heads.
//!
//! A node whose key was rotated takes its head along, and the old one stays as it was; then the sum counts
//! some readings twice and is an upper bound only.

use ledger_core::canonical;
use ledger_core::genesis::Member;
use ledger_core::governance::Standing;
use ledger_core::state::{AnchorHead, MAX_STATE_VALUE_BYTES};

/// The sum over the entries added so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AnchoredReadings {
    sum: u64,
    is_bound: bool,
}

impl AnchoredReadings {
    /// Takes one entry of the state into account.
    pub(crate) fn add(&mut self, key: &[u8], value: &[u8]) {
        if key.starts_with(b"anchor/") {
            if let Ok(head) = canonical::decode::<AnchorHead>(value, MAX_STATE_VALUE_BYTES) {
                self.sum = self.sum.saturating_add(head.readings);
            }
        } else if key.starts_with(b"member/") {
            let member = canonical::decode::<Member>(value, MAX_STATE_VALUE_BYTES);
            self.is_bound |= !matches!(member, Ok(member) if member.standing == Standing::Active);
        }
    }

    /// Whether a chain that anchors `total` readings can have led to this state.
    pub(crate) const fn allows(self, total: u64) -> bool {
        if self.is_bound {
            total <= self.sum
        } else {
            total == self.sum
        }
    }
}
