//! The state of a replica whose blocks cannot be executed again: entries and tree against the root in the
//! tip's header, from the root down. Every stored node must be reached and hash to what its parent says;
//! every stored entry must be the one its leaf names.

use std::collections::BTreeMap;

use borsh::BorshDeserialize as _;
use jmt::storage::{LeafNode, Node};
use jmt::{KeyHash, ValueHash};
use ledger_core::block::Header;
use ledger_core::digest::Digest;
use ledger_core::ids::Height;
use ledger_core::state::StateKey;
use ledger_core::state_tree::{StateHasher, key_hash};
use rusqlite::Connection;

use super::{FsckReport, sentence};
use crate::anchored::AnchoredReadings;
use crate::error::StoreError;
use crate::table::{state, tree_nodes};

/// Entries not reached yet: the height that wrote each, and its leaf.
type Entries = BTreeMap<KeyHash, (Height, LeafNode)>;
/// Nodes not reached yet, by path.
type Nodes = BTreeMap<Vec<u8>, (Height, Vec<u8>)>;

pub(super) fn check(connection: &Connection, tip: &Header, report: &mut FsckReport) {
    let mut readings = AnchoredReadings::default();
    let entries = entries(connection, report, &mut readings);
    let nodes = nodes(connection);
    let (mut entries, mut nodes) = match (entries, nodes) {
        (Ok(entries), Ok(nodes)) => (entries, nodes),
        (Err(error), _) => return report.add("state", None, sentence(&error)),
        (_, Err(error)) => return report.add("tree_nodes", None, sentence(&error)),
    };
    if !readings.allows(report.readings) {
        let text = "The state counts other anchored readings than the blocks.";
        report.add("headers", Some(tip.height), text);
    }
    let mut walk = Walk {
        entries: &mut entries,
        nodes: &mut nodes,
        report,
    };
    walk.below(&mut Vec::new(), tip.height, tip.state_root);
    for (path, (height, _)) in nodes {
        let text = format!("State tree node {} is not in the tree.", digits(&path));
        report.add("tree_nodes", Some(height), text);
    }
    for (hash, (height, _)) in entries {
        let text = format!("State entry {} is not in the tree.", digits(&hash.0[..4]));
        report.add("state", Some(height), text);
    }
}

struct Walk<'a> {
    entries: &'a mut Entries,
    nodes: &'a mut Nodes,
    report: &'a mut FsckReport,
}

impl Walk<'_> {
    /// Checks the node at `path`, which must hash to `hash`, and all below it; returns how many leaves
    /// there are. As deep as the longest common prefix of two keys, at most 64 nibbles.
    fn below(&mut self, path: &mut Vec<u8>, height: Height, hash: Digest) -> usize {
        let (at, bytes) = self.nodes.remove(path.as_slice()).unwrap_or_default();
        let found = Node::try_from_slice(&bytes)
            .ok()
            .filter(|node| at == height && hash_of(node) == hash);
        match found {
            Some(Node::Internal(node)) if path.len() < 64 => {
                let (mut leaves, mut children) = (0, 0u64);
                for (nibble, child) in node.children_sorted() {
                    path.push(u8::from(nibble));
                    let own = self.below(path, Height(child.version), Digest(child.hash));
                    path.pop();
                    if own != child.leaf_count() {
                        self.problem(path, height);
                    }
                    leaves += own;
                    children += 1;
                }
                // What no hash covers: the two counts that a node ends with.
                let counts = [children, leaves as u64].map(u64::to_le_bytes).concat();
                if !bytes.ends_with(&counts) {
                    self.problem(path, height);
                }
                leaves
            }
            Some(Node::Leaf(leaf)) => {
                self.entry(&leaf, height);
                1
            }
            _ => {
                self.problem(path, height);
                0
            }
        }
    }

    fn problem(&mut self, path: &[u8], height: Height) {
        let text = format!(
            "State tree node {} does not lead to the root.",
            digits(path)
        );
        self.report.add("tree_nodes", Some(height), text);
    }

    fn entry(&mut self, leaf: &LeafNode, height: Height) {
        let hash = leaf.key_hash();
        match self.entries.remove(&hash) {
            Some((written, own)) if own == *leaf && written <= height => {}
            found => {
                let name = digits(&hash.0[..4]);
                let text = match found {
                    Some(_) => format!("State entry {name} is not the one the tree holds."),
                    None => format!("State entry {name} is missing."),
                };
                self.report.add("state", Some(height), text);
            }
        }
    }
}

/// Reads all entries, and how many readings they say are anchored.
fn entries(
    connection: &Connection,
    report: &mut FsckReport,
    readings: &mut AnchoredReadings,
) -> Result<Entries, StoreError> {
    let mut entries = Entries::new();
    state::for_each(connection, |key, stored, height, value| {
        readings.add(&key, &value);
        let hash = key_hash(&StateKey(key));
        if hash != stored {
            let text = format!(
                "State entry {} has another hash than its row.",
                digits(&hash.0[..4])
            );
            report.add("state", Some(height), text);
        }
        let leaf = LeafNode::new(hash, ValueHash::with::<StateHasher>(&value));
        entries.insert(hash, (height, leaf));
    })?;
    Ok(entries)
}

fn nodes(connection: &Connection) -> Result<Nodes, StoreError> {
    let mut nodes = Nodes::new();
    tree_nodes::for_each(connection, |path, height, node| {
        nodes.insert(path, (height, node));
    })?;
    Ok(nodes)
}

fn hash_of(node: &Node) -> Digest {
    Digest(match node {
        Node::Null => return Digest::ZERO,
        Node::Internal(node) => node.hash::<StateHasher>(),
        Node::Leaf(leaf) => leaf.hash::<StateHasher>(),
    })
}

fn digits(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digits}\"")
}
