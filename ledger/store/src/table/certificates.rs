//! `certificates`: why each block but the first is final.

use ledger_core::canonical;
use ledger_core::certificate::Certificate;
use ledger_core::ids::Height;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{column, height};
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

/// The height after the last one that has no certificate, as block 0 has none.
pub(crate) fn unbroken_from(connection: &Connection) -> Result<Height, StoreError> {
    let last = connection
        .prepare_cached(
            "SELECT headers.height FROM headers LEFT JOIN certificates USING (height)
             WHERE certificates.height IS NULL ORDER BY headers.height DESC LIMIT 1",
        )
        .and_then(|mut select| select.query_row([], |row| height(row, 0)).optional())
        .doing("read the certificates")?;
    Ok(last.map_or(Height(0), |last| Height(last.0.saturating_add(1))))
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
