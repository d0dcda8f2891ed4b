//! `certificates`: why each block but the first is final.

use ledger_core::canonical;
use ledger_core::certificate::Certificate;
use ledger_core::ids::Height;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::column;
use crate::error::{Doing as _, StoreError, damaged};

pub(crate) const MIGRATION: &str = "
CREATE TABLE certificates (
    height      INTEGER NOT NULL PRIMARY KEY REFERENCES headers (height),
    certificate BLOB NOT NULL
) STRICT;
";

/// Longest certificate in bytes: 1,024 validators with room to spare.
pub(crate) const MAX_CERTIFICATE_BYTES: usize = 128 * 1024;

pub(crate) fn insert(connection: &Connection, certificate: &Certificate) -> Result<(), StoreError> {
    let values = params![
        column(certificate.height.0)?,
        canonical::encode(certificate)
    ];
    connection
        .prepare_cached("INSERT INTO certificates (height, certificate) VALUES (?1, ?2)")
        .and_then(|mut insert| insert.execute(values))
        .doing("write a certificate")?;
    Ok(())
}

pub(crate) fn at(connection: &Connection, at: Height) -> Result<Option<Certificate>, StoreError> {
    let height = column(at.0)?;
    let bytes: Option<Vec<u8>> = connection
        .prepare_cached("SELECT certificate FROM certificates WHERE height = ?1")
        .and_then(|mut select| select.query_row([height], |row| row.get(0)).optional())
        .doing("read a certificate")?;
    bytes
        .map(|bytes| {
            canonical::decode(&bytes, MAX_CERTIFICATE_BYTES)
                .map_err(|error| damaged(format!("certificate {at}: {error}")))
        })
        .transpose()
}
