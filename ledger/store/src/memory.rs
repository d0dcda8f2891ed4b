//! A state and its tree in memory: what block 0 is built over, and what `fsck` replays the chain into.

use std::collections::BTreeMap;

use jmt::storage::{LeafNode, Node, NodeKey, TreeReader, TreeUpdateBatch};
use jmt::{KeyHash, OwnedValue, Version};
use ledger_core::state::{StateKey, StateReadError, StateView, Writes};
use ledger_core::state_tree::key_hash;

/// Entries with the height that wrote each, and the current tree's nodes.
#[derive(Default)]
pub(crate) struct MemoryState {
    pub(crate) entries: BTreeMap<StateKey, (Version, Vec<u8>)>,
    pub(crate) nodes: BTreeMap<NodeKey, Node>,
    keys: BTreeMap<KeyHash, StateKey>,
}

impl MemoryState {
    /// Takes over what a block changed.
    pub(crate) fn absorb(&mut self, height: Version, writes: &Writes, update: &TreeUpdateBatch) {
        for (key, value) in writes {
            self.keys.insert(key_hash(key), key.clone());
            self.entries.insert(key.clone(), (height, value.clone()));
        }
        for (key, node) in update.node_batch.nodes() {
            self.nodes.insert(key.clone(), node.clone());
        }
        for stale in &update.stale_node_index_batch {
            self.nodes.remove(&stale.node_key);
        }
    }
}

impl StateView for MemoryState {
    fn get(&self, key: &StateKey) -> Result<Option<Vec<u8>>, StateReadError> {
        Ok(self.entries.get(key).map(|(_, value)| value.clone()))
    }
}

impl TreeReader for MemoryState {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        Ok(self.nodes.get(key).cloned())
    }

    fn get_value_option(
        &self,
        max_version: Version,
        hash: KeyHash,
    ) -> anyhow::Result<Option<OwnedValue>> {
        let entry = self.keys.get(&hash).and_then(|key| self.entries.get(key));
        Ok(entry
            .filter(|(version, _)| *version <= max_version)
            .map(|(_, value)| value.clone()))
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        anyhow::bail!("only a tree that is restored piece by piece is asked for its last leaf")
    }
}
