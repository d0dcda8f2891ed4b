//! The invitations this node has given out, in `DATA/consortium/invitations.json`, until they are used,
//! revoked or expired.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::invitation::Token;
use super::noise::DoorKey;
use super::settings::FOLDER;
use crate::keystore::{create_private_dir, write_private};

/// Most invitations that may be out at a time.
pub(crate) const MAX_ISSUED: usize = 64;

/// One invitation that is out.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Issued {
    /// Its number.
    #[serde(with = "hex_array")]
    pub(crate) id: [u8; 16],
    #[serde(with = "hex_array")]
    token: [u8; 32],
    #[serde(with = "hex_array")]
    door_secret: [u8; 32],
    #[serde(with = "hex_array")]
    door_public: [u8; 32],
    /// When it ends, in Unix milliseconds.
    pub(crate) expires: u64,
    /// For a node of this node's own organisation.
    pub(crate) same_organisation: bool,
}

impl Issued {
    pub(super) fn new(
        id: [u8; 16],
        token: Token,
        door: &DoorKey,
        expires: u64,
        same_organisation: bool,
    ) -> Self {
        Self {
            id,
            token: token.0,
            door_secret: *door.secret,
            door_public: door.public,
            expires,
            same_organisation,
        }
    }

    pub(super) const fn token(&self) -> Token {
        Token(self.token)
    }

    pub(super) fn door_key(&self) -> DoorKey {
        DoorKey {
            secret: Zeroizing::new(self.door_secret),
            public: self.door_public,
        }
    }
}

/// The invitations that are out.
pub(crate) struct IssuedList {
    file: PathBuf,
    list: Vec<Issued>,
}

impl IssuedList {
    /// Reads the list of a data folder.
    ///
    /// # Errors
    /// If there is one that cannot be read.
    pub(crate) fn open(data_dir: &Path) -> anyhow::Result<Self> {
        let folder = data_dir.join(FOLDER);
        create_private_dir(&folder)?;
        let file = folder.join("invitations.json");
        let list = match std::fs::read_to_string(&file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            read => {
                let text = Zeroizing::new(read.context("cannot read the list of invitations")?);
                // What went wrong could quote a token, so it is not told.
                serde_json::from_str(&text).map_err(|_| {
                    anyhow::anyhow!(
                        "{} is not as it was written; remove it, and invite anew",
                        file.display()
                    )
                })?
            }
        };
        Ok(Self { file, list })
    }

    /// The invitations that have not expired at `now`.
    pub(crate) fn valid(&self, now: u64) -> impl Iterator<Item = &Issued> {
        self.list.iter().filter(move |issued| issued.expires > now)
    }

    /// The invitation of this number, unless it has expired.
    pub(super) fn find(&self, id: &[u8; 16], now: u64) -> Option<&Issued> {
        self.valid(now).find(|issued| issued.id == *id)
    }

    /// Adds an invitation; expired ones go. Durable when this returns.
    pub(super) fn add(&mut self, issued: Issued, now: u64) -> anyhow::Result<()> {
        let mut list = self.list.clone();
        list.retain(|one| one.expires > now);
        list.push(issued);
        self.replace(list)
    }

    /// Ends an invitation. False if there is none of this number.
    pub(super) fn remove(&mut self, id: &[u8; 16]) -> anyhow::Result<bool> {
        let mut list = self.list.clone();
        list.retain(|one| one.id != *id);
        let is_there = list.len() < self.list.len();
        if is_there {
            self.replace(list)?;
        }
        Ok(is_there)
    }

    fn replace(&mut self, list: Vec<Issued>) -> anyhow::Result<()> {
        let text = Zeroizing::new(serde_json::to_string(&list)?);
        write_private(&self.file, &text).context("cannot write the list of invitations")?;
        self.list = list;
        Ok(())
    }
}

/// Bytes as hex in JSON.
mod hex_array {
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(super) fn serialize<const N: usize, S: Serializer>(
        bytes: &[u8; N],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(bytes))
    }

    pub(super) fn deserialize<'de, const N: usize, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<[u8; N], D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; N];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| de::Error::custom("not hex digits"))?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    //! Goal: invitations survive a restart, end once, and expire. Method: a folder.
    use super::*;

    #[test]
    fn invitations_end_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut list = IssuedList::open(folder.path()).unwrap();
        let door = DoorKey::generate().unwrap();
        for (id, expires) in [(1, 100), (2, 200)] {
            let issued = Issued::new([id; 16], Token([id; 32]), &door, expires, false);
            list.add(issued, 50).unwrap();
        }
        let mut list = IssuedList::open(folder.path()).unwrap();
        assert_eq!(list.valid(99).count(), 2);
        assert!(list.find(&[1; 16], 100).is_none(), "it has expired");
        assert_eq!(list.find(&[2; 16], 100).unwrap().token(), Token([2; 32]));
        assert!(list.remove(&[2; 16]).unwrap());
        assert!(!list.remove(&[2; 16]).unwrap());
        assert!(
            IssuedList::open(folder.path())
                .unwrap()
                .find(&[2; 16], 0)
                .is_none()
        );
    }
}
