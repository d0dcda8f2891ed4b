//! `tree_nodes`: the current state tree's nodes by their path from the root, one byte a nibble.
//!
//! Only the tree of the tip is kept: a block's new nodes replace those on the same paths, and the
//! stale rest is deleted with the block, so the table grows with the state and not with the chain.

use borsh::BorshDeserialize as _;
use jmt::storage::{Node, NodeKey, TreeUpdateBatch};
use ledger_core::ids::Height;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{column, height};
use crate::error::{Doing as _, StoreError, damaged};

pub(crate) const MIGRATION: &str = "
CREATE TABLE tree_nodes (
    path   BLOB NOT NULL PRIMARY KEY,
    height INTEGER NOT NULL,
    node   BLOB NOT NULL
) STRICT, WITHOUT ROWID;
";

/// The path of a node: one byte a nibble, nothing for the root.
pub(crate) fn path(key: &NodeKey) -> Vec<u8> {
    key.nibble_path()
        .nibbles()
        .map(|nibble| nibble.as_usize() as u8)
        .collect()
}

pub(crate) fn encode(node: &Node) -> Result<Vec<u8>, StoreError> {
    borsh::to_vec(node).map_err(|_| damaged("a node of the state tree cannot be encoded"))
}

pub(crate) fn write(connection: &Connection, update: &TreeUpdateBatch) -> Result<(), StoreError> {
    let doing = "write the state tree";
    let mut upsert = connection
        .prepare_cached(
            "INSERT INTO tree_nodes (path, height, node) VALUES (?1, ?2, ?3)
             ON CONFLICT (path) DO UPDATE SET height = excluded.height, node = excluded.node",
        )
        .doing(doing)?;
    for (key, node) in update.node_batch.nodes() {
        upsert
            .execute(params![path(key), column(key.version())?, encode(node)?])
            .doing(doing)?;
    }
    let mut delete = connection
        .prepare_cached("DELETE FROM tree_nodes WHERE path = ?1 AND height = ?2")
        .doing(doing)?;
    for stale in &update.stale_node_index_batch {
        let key = &stale.node_key;
        delete
            .execute(params![path(key), column(key.version())?])
            .doing(doing)?;
    }
    Ok(())
}

/// An empty tree at `height`, over which the first entries can be put.
pub(crate) fn plant(connection: &Connection, height: Height) -> Result<(), StoreError> {
    let values = params![Vec::new(), column(height.0)?, encode(&Node::Null)?];
    connection
        .execute(
            "INSERT INTO tree_nodes (path, height, node) VALUES (?1, ?2, ?3)",
            values,
        )
        .doing("write the state tree")?;
    Ok(())
}

pub(crate) fn get(connection: &Connection, key: &NodeKey) -> Result<Option<Node>, StoreError> {
    let height = column(key.version())?;
    let bytes: Option<Vec<u8>> = connection
        .prepare_cached("SELECT node FROM tree_nodes WHERE path = ?1 AND height = ?2")
        .and_then(|mut select| {
            select
                .query_row(params![path(key), height], |row| row.get(0))
                .optional()
        })
        .doing("read the state tree")?;
    bytes
        .map(|bytes| Node::try_from_slice(&bytes).map_err(|_| damaged("a node of the state tree")))
        .transpose()
}

/// Hands every row to `visit`: path, height, node.
pub(crate) fn for_each(
    connection: &Connection,
    mut visit: impl FnMut(Vec<u8>, Height, Vec<u8>),
) -> Result<(), StoreError> {
    let doing = "read the state tree";
    let mut select = connection
        .prepare("SELECT path, height, node FROM tree_nodes ORDER BY path")
        .doing(doing)?;
    let mut rows = select.query([]).doing(doing)?;
    while let Some(row) = rows.next().doing(doing)? {
        let (path, node) = (row.get(0).doing(doing)?, row.get(2).doing(doing)?);
        visit(path, height(row, 1).doing(doing)?, node);
    }
    Ok(())
}
