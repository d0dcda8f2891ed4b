//! `meta`: which chain this is, and the genesis it starts from.

use ledger_core::canonical;
use ledger_core::digest::Digest;
use ledger_core::genesis::Genesis;
use ledger_core::ids::{ChainId, Height};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::error::{Doing as _, StoreError, damaged};

pub(crate) const MIGRATION: &str = "
CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
";

/// The names this version writes.
pub(crate) const CHAIN: &str = "chain";
pub(crate) const GENESIS: &str = "genesis";
/// Where the replica started, if not with block 0: height and hash of the block whose state it took over.
pub(crate) const SNAPSHOT: &str = "snapshot";

pub(crate) fn write(connection: &Connection, genesis: &Genesis) -> Result<(), StoreError> {
    let mut insert = connection
        .prepare_cached("INSERT INTO meta (name, value) VALUES (?1, ?2)")
        .doing("write its chain id")?;
    for (name, value) in [
        (CHAIN, genesis.chain_id().0.0.to_vec()),
        (GENESIS, genesis.to_file()),
    ] {
        insert
            .execute(params![name, value])
            .doing("write its chain id")?;
    }
    Ok(())
}

pub(crate) fn get(connection: &Connection, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")
        .and_then(|mut select| select.query_row([name], |row| row.get(0)).optional())
        .doing("read its chain id")
}

/// The genesis, if there is a chain; its digest must be the stored chain id.
pub(crate) fn genesis(connection: &Connection) -> Result<Option<(ChainId, Genesis)>, StoreError> {
    let Some(file) = get(connection, GENESIS)? else {
        return Ok(None);
    };
    let genesis =
        Genesis::from_file(&file).map_err(|error| damaged(format!("its genesis: {error}")))?;
    let chain = genesis.chain_id();
    if get(connection, CHAIN)?.as_deref() != Some(&chain.0.0) {
        return Err(damaged("its chain id is not that of its genesis"));
    }
    Ok(Some((chain, genesis)))
}

/// Notes that the replica started from a snapshot.
pub(crate) fn write_snapshot(
    connection: &Connection,
    height: Height,
    hash: &Digest,
) -> Result<(), StoreError> {
    let value = canonical::encode(&(height, *hash));
    connection
        .execute(
            "INSERT INTO meta (name, value) VALUES (?1, ?2)",
            params![SNAPSHOT, value],
        )
        .doing("write its start")?;
    Ok(())
}

/// The block from whose state the replica started, if not from block 0.
pub(crate) fn snapshot(connection: &Connection) -> Result<Option<(Height, Digest)>, StoreError> {
    let value = get(connection, SNAPSHOT)?;
    let decode = |value: Vec<u8>| canonical::decode(&value, 64).map_err(|_| damaged("its start"));
    value.map(decode).transpose()
}
