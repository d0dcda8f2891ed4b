//! A backup of the running node, for who asks over the API: made in a hidden folder beside the data, then
//! sent piece by piece, then gone. One at a time, since each reads the whole node.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use fog_api::MakeBackup;
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::sync::{Mutex, OwnedMutexGuard};
use zeroize::Zeroizing;

use super::{About, MIN_PASSPHRASE, backup};
use crate::failure::Failure;
use crate::node::Node;

/// Bytes sent at a time.
const PIECE: usize = 64 * 1024;

/// The turn to make a backup.
pub(crate) type Turn = Arc<Mutex<()>>;

/// A backup that waits to be sent. Its file goes with it.
pub(crate) struct Ready {
    file: tokio::fs::File,
    /// What it says of itself.
    pub(crate) about: About,
    _folder: TempDir,
    _turn: OwnedMutexGuard<()>,
}

impl Node {
    /// Makes a backup of this node.
    ///
    /// # Errors
    /// [`Failure`] if the passphrase is too short, another backup is being made, or it cannot be written.
    pub(crate) async fn make_backup(self: &Arc<Self>, asked: MakeBackup) -> Result<Ready, Failure> {
        let passphrase = Zeroizing::new(asked.passphrase);
        if passphrase.chars().count() < MIN_PASSPHRASE {
            return Err(too_short());
        }
        let turn = Arc::clone(&self.backup_turn).try_lock_owned();
        let turn = turn.map_err(|_| busy())?;
        self.blocking(move |node| {
            let folder = tempfile::tempdir_in(&node.data_dir).map_err(failed)?;
            let path = folder.path().join("node.fwbackup");
            let about = backup(&node.data_dir, &path, &passphrase).map_err(failed)?;
            let file = std::fs::File::open(&path).map_err(failed)?;
            Ok(Ready {
                file: file.into(),
                about,
                _folder: folder,
                _turn: turn,
            })
        })
        .await
    }
}

impl Ready {
    /// The file's bytes.
    pub(crate) fn into_body(self) -> Body {
        Body::from_stream(futures_util::stream::try_unfold(self, async |mut ready| {
            let mut piece = Vec::with_capacity(PIECE);
            let mut part = (&mut ready.file).take(PIECE as u64);
            let read = part.read_to_end(&mut piece).await?;
            Ok::<_, std::io::Error>((read > 0).then(|| (Bytes::from(piece), ready)))
        }))
    }
}

fn too_short() -> Failure {
    Failure::new(
        400,
        "BAK-01",
        "The passphrase is too short.",
        format!(
            "Who finds the file can try passphrases as fast as it likes; it needs at least {MIN_PASSPHRASE} characters."
        ),
        "Choose a longer one, such as five words that do not belong together.",
    )
}

fn busy() -> Failure {
    Failure::new(
        409,
        "BAK-02",
        "A backup is being made already.",
        "Each reads the whole node, so they are made one after the other.",
        "Wait until it is saved.",
    )
}

fn failed(cause: impl std::fmt::Display) -> Failure {
    tracing::error!(%cause, "a backup could not be made");
    Failure::new(
        500,
        "BAK-03",
        "The backup could not be made.",
        "Its copies could not be written beside the node's data; the log says more.",
        "See that the disk has room for two more copies of the node's data, and try again.",
    )
}
