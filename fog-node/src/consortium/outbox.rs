//! Proposals and votes on their way: on disk before they are submitted, until they are final.
//!
//! They are signed with the organisation's admin key, whose nonces are its own, so they have a folder of
//! their own beside the vault's outbox: one file a transaction, `NONCE.tx`, written whole or not at all.
//! What is in it is submitted again after every start, byte for byte.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ledger_core::transaction::MAX_TRANSACTION_BYTES;
use ledger_core::{Nonce, SignedTransaction};

use crate::keystore::{create_private_dir, write_private_bytes};

/// The folder of waiting transactions.
pub(crate) struct GovernanceOutbox {
    folder: PathBuf,
}

impl GovernanceOutbox {
    /// Opens the folder, making it if it is missing.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) fn open(folder: PathBuf) -> anyhow::Result<Self> {
        create_private_dir(&folder)?;
        Ok(Self { folder })
    }

    /// What waits, by nonce. A file that is no transaction is left alone and not returned.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub(crate) fn list(&self) -> anyhow::Result<BTreeMap<Nonce, SignedTransaction>> {
        let mut waiting = BTreeMap::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let Some(nonce) = nonce_of(&path) else {
                continue;
            };
            if fs::metadata(&path)?.len() > 2 * MAX_TRANSACTION_BYTES as u64 {
                continue;
            }
            if let Ok(transaction) = SignedTransaction::decode(&fs::read(&path)?) {
                waiting.insert(nonce, transaction);
            }
        }
        Ok(waiting)
    }

    /// Keeps a transaction. Durable when this returns.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn keep(&self, nonce: Nonce, transaction: &SignedTransaction) -> anyhow::Result<()> {
        write_private_bytes(&self.path(nonce), &transaction.encode())
    }

    /// Forgets a transaction that is final, or that the ledger will never take.
    ///
    /// # Errors
    /// If the file cannot be removed.
    pub(crate) fn forget(&self, nonce: Nonce) -> anyhow::Result<()> {
        match fs::remove_file(self.path(nonce)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn path(&self, nonce: Nonce) -> PathBuf {
        self.folder.join(format!("{:020}.tx", nonce.0))
    }
}

fn nonce_of(path: &Path) -> Option<Nonce> {
    let name = path.file_name()?.to_str()?;
    name.strip_suffix(".tx")?.parse().ok().map(Nonce)
}

#[cfg(test)]
mod tests {
    //! Goal: what was kept is there after a restart, in order, until it is forgotten. Method: a folder.
    use super::*;
    use ledger_core::governance::{Choice, Vote};
    use ledger_core::transaction::TransactionBody;
    use ledger_core::{ChainId, Digest, Payload, ProposalNumber, SecretKey};

    fn vote(nonce: u64) -> SignedTransaction {
        let body = TransactionBody {
            chain: ChainId(Digest([1; 32])),
            nonce: Nonce(nonce),
            payload: Payload::Vote(Vote {
                proposal: ProposalNumber(3),
                choice: Choice::Approve,
            }),
        };
        SignedTransaction::sign(&body, &SecretKey::from_seed(&[5; 32]))
    }

    #[test]
    fn what_waits_survives_and_keeps_its_order() {
        let folder = tempfile::tempdir().unwrap();
        let outbox = GovernanceOutbox::open(folder.path().join("outbox")).unwrap();
        for nonce in [10, 9, 100] {
            outbox.keep(Nonce(nonce), &vote(nonce)).unwrap();
        }
        fs::write(folder.path().join("outbox/7.tx"), "half a").unwrap();
        let outbox = GovernanceOutbox::open(folder.path().join("outbox")).unwrap();
        let waiting = outbox.list().unwrap();
        assert_eq!(
            waiting.keys().map(|nonce| nonce.0).collect::<Vec<_>>(),
            [9, 10, 100]
        );
        assert_eq!(waiting[&Nonce(9)], vote(9));
        outbox.forget(Nonce(9)).unwrap();
        outbox.forget(Nonce(9)).unwrap();
        assert_eq!(outbox.list().unwrap().len(), 2);
    }
}
