//! The state at the tip: our own against the stored one, row by row.

use std::collections::BTreeMap;

use ledger_core::ids::Height;
use ledger_core::state::StateKey;
use ledger_core::state_tree::key_hash;
use rusqlite::Connection;

use super::{FsckReport, sentence};
use crate::memory::MemoryState;
use crate::table::{state, tree_nodes};

pub(super) fn check(connection: &Connection, own: MemoryState, report: &mut FsckReport) {
    let MemoryState { entries, nodes, .. } = own;
    let mut expected = BTreeMap::new();
    for (key, node) in nodes {
        match tree_nodes::encode(&node) {
            Ok(bytes) => expected.insert(tree_nodes::path(&key), (Height(key.version()), bytes)),
            Err(error) => return report.add("tree_nodes", None, sentence(&error)),
        };
    }
    entries_match(connection, entries, report);
    nodes_match(connection, expected, report);
}

fn entries_match(
    connection: &Connection,
    mut expected: BTreeMap<StateKey, (u64, Vec<u8>)>,
    report: &mut FsckReport,
) {
    let mut problems = Vec::new();
    let walked = state::for_each(connection, |key, hash, height, value| {
        let key = StateKey(key);
        let same = expected
            .remove(&key)
            .is_some_and(|own| own == (height.0, value) && hash == key_hash(&key));
        if !same {
            problems.push((
                height,
                format!("State entry {} is not what the blocks lead to.", name(&key)),
            ));
        }
    });
    if let Err(error) = walked {
        return report.add("state", None, sentence(&error));
    }
    for (height, problem) in problems {
        report.add("state", Some(height), problem);
    }
    for (key, (height, _)) in expected {
        let problem = format!("State entry {} is missing.", name(&key));
        report.add("state", Some(Height(height)), problem);
    }
}

fn nodes_match(
    connection: &Connection,
    mut expected: BTreeMap<Vec<u8>, (Height, Vec<u8>)>,
    report: &mut FsckReport,
) {
    let mut problems = Vec::new();
    let walked = tree_nodes::for_each(connection, |path, height, node| {
        let same = expected
            .remove(&path)
            .is_some_and(|own| own == (height, node));
        if !same {
            let path = hex_path(&path);
            problems.push((
                height,
                format!("State tree node {path} is not what the blocks lead to."),
            ));
        }
    });
    if let Err(error) = walked {
        return report.add("tree_nodes", None, sentence(&error));
    }
    for (height, problem) in problems {
        report.add("tree_nodes", Some(height), problem);
    }
    for (path, (height, _)) in expected {
        let problem = format!("State tree node {} is missing.", hex_path(&path));
        report.add("tree_nodes", Some(height), problem);
    }
}

/// `prefix/12345678…`, or the plain name.
fn name(key: &StateKey) -> String {
    let slash = key.0.iter().position(|byte| *byte == b'/');
    let (prefix, rest) = key.0.split_at(slash.map_or(key.0.len(), |at| at + 1));
    let digits: String = rest
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!(
        "\"{}{digits}\"",
        String::from_utf8_lossy(prefix).escape_debug()
    )
}

fn hex_path(path: &[u8]) -> String {
    let digits: String = path.iter().map(|nibble| format!("{nibble:x}")).collect();
    format!("\"{digits}\"")
}
