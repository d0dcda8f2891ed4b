//! Anchors signed before the clock starts, in files: clients sign on machines of their own, not on the
//! validators'.
//!
//! A file holds for each transaction its length in four bytes, little endian, and its bytes.

use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use ledger_core::{
    AnchorBatch, BatchNumber, ChainId, Digest, Nonce, Payload, SecretKey, SignedTransaction,
    TransactionBody,
};

use super::town::sender_key;
use crate::keystore::random;

/// Where a node's folder holds what it is to submit for a sender.
pub(super) fn file(data_dir: &Path, sender: u16) -> PathBuf {
    data_dir.join(format!("load-{sender}"))
}

/// An anchor as a node makes it; nobody can tell what its root stands for, so here it is random. The
/// sender's first is number 0.
pub(super) fn anchor(
    chain: ChainId,
    number: u64,
    key: &SecretKey,
) -> anyhow::Result<SignedTransaction> {
    let body = TransactionBody {
        chain,
        nonce: Nonce(number),
        payload: Payload::AnchorBatch(AnchorBatch {
            batch: BatchNumber(number),
            root: Digest(random()?),
            streams: 64,
            readings: 4096,
        }),
    };
    Ok(SignedTransaction::sign(&body, key))
}

/// Signs `count` anchors of a sender into a file. Returns the bytes of the last, without its length.
pub(super) fn write(file: &Path, chain: ChainId, sender: u16, count: u64) -> anyhow::Result<usize> {
    let (key, mut bytes) = (sender_key(sender), 0);
    let mut output = BufWriter::new(File::create(file)?);
    for number in 0..count {
        let transaction = anchor(chain, number, &key)?.encode();
        bytes = transaction.len();
        output.write_all(&u32::try_from(bytes)?.to_le_bytes())?;
        output.write_all(&transaction)?;
    }
    output.flush()?;
    Ok(bytes)
}

/// The transactions of a file, one after another.
pub(super) fn read(
    file: &Path,
) -> anyhow::Result<impl Iterator<Item = anyhow::Result<SignedTransaction>> + use<>> {
    let mut input = BufReader::new(File::open(file)?);
    let mut next = move || -> anyhow::Result<Option<SignedTransaction>> {
        let mut length = [0; 4];
        match input.read_exact(&mut length) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
        input.read_exact(&mut bytes)?;
        Ok(Some(SignedTransaction::decode(&bytes)?))
    };
    Ok(std::iter::from_fn(move || next().transpose()))
}
