//! Where this node listens for its peers, and whom it was invited by, in `DATA/consortium/network.json`.
//!
//! Who may connect and where they listen is on the ledger; what is here is needed before the ledger is.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use ledger_core::PublicKey;
use serde::{Deserialize, Serialize};

use crate::keystore::{create_private_dir, write_private};

/// The folder below the data folder.
pub(crate) const FOLDER: &str = "consortium";

/// The settings.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct NetworkSettings {
    /// The node's name, as it was founded or joined with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) node: Option<String>,
    /// Where this node listens for peers; the door for those who knock is one port above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) listen: Option<SocketAddr>,
    /// Where others reach it, `host:port`, if that is another address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
    /// Where the nodes that the invitation names listen, by the key they are reached under.
    #[serde(default)]
    pub(crate) peers: BTreeMap<String, String>,
    /// What this node has joined with an invitation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) joined: Option<JoinNote>,
}

/// What a node has joined.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct JoinNote {
    /// The consortium's name.
    pub(crate) consortium: String,
    /// Number of the proposal to admit this node.
    pub(crate) proposal: u64,
}

impl NetworkSettings {
    /// Reads the settings of a data folder; empty ones if there are none yet.
    ///
    /// # Errors
    /// If the file cannot be read or is none.
    pub(crate) fn load(data_dir: &Path) -> anyhow::Result<Self> {
        let path = file(data_dir);
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            read => read.with_context(|| format!("cannot read {}", path.display()))?,
        };
        serde_json::from_str(&text).with_context(|| {
            format!(
                "{} is not as it was written; give --listen again, or correct it",
                path.display()
            )
        })
    }

    /// Writes the settings. Durable when this returns.
    ///
    /// # Errors
    /// If they cannot be written.
    pub(crate) fn save(&self, data_dir: &Path) -> anyhow::Result<()> {
        create_private_dir(&data_dir.join(FOLDER))?;
        let text = serde_json::to_string_pretty(self)?;
        write_private(&file(data_dir), &text).context("cannot write the network's settings")
    }

    /// The nodes that the invitation names, and where they listen.
    pub(crate) fn invited(&self) -> impl Iterator<Item = (PublicKey, String)> {
        let named = self.peers.iter();
        named.filter_map(|(key, address)| Some((key.parse().ok()?, address.clone())))
    }

    /// Where others reach this node, if it listens.
    pub(crate) fn advertised(&self) -> Option<String> {
        let listen = self.listen?;
        Some(self.address.clone().unwrap_or_else(|| listen.to_string()))
    }

    /// Where others knock, if this node listens: one port above.
    pub(crate) fn door(&self) -> Option<String> {
        door_of(&self.advertised()?)
    }

    /// Where the door listens.
    pub(crate) fn door_listen(&self) -> Option<SocketAddr> {
        let listen = self.listen?;
        Some(SocketAddr::new(listen.ip(), listen.port().checked_add(1)?))
    }
}

/// Where the door of a node is that listens at `address`: one port above.
pub(crate) fn door_of(address: &str) -> Option<String> {
    let (host, port) = address.rsplit_once(':')?;
    let port: u16 = port.parse().ok()?;
    Some(format!("{host}:{}", port.checked_add(1)?))
}

fn file(data_dir: &Path) -> PathBuf {
    data_dir.join(FOLDER).join("network.json")
}

#[cfg(test)]
mod tests {
    //! Goal: what is written is read, and the door is where it is said to be. Method: examples.
    use super::*;

    #[test]
    fn settings_survive_and_the_door_is_one_port_above() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            NetworkSettings::load(folder.path()).unwrap(),
            NetworkSettings::default()
        );
        let mut settings = NetworkSettings {
            listen: Some("0.0.0.0:7401".parse().unwrap()),
            ..NetworkSettings::default()
        };
        assert_eq!(settings.advertised().as_deref(), Some("0.0.0.0:7401"));
        settings.address = Some("fog.harbour.example:7500".into());
        settings
            .peers
            .insert("03".repeat(32), "192.0.2.1:7401".into());
        settings.save(folder.path()).unwrap();
        let read = NetworkSettings::load(folder.path()).unwrap();
        assert_eq!(read, settings);
        assert_eq!(read.door().as_deref(), Some("fog.harbour.example:7501"));
        assert_eq!(read.door_listen(), Some("0.0.0.0:7402".parse().unwrap()));
        std::fs::write(file(folder.path()), "{").unwrap();
        assert!(NetworkSettings::load(folder.path()).is_err());
    }
}
