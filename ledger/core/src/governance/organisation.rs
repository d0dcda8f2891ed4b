//! Organisations: who holds a voice.

use serde::{Deserialize, Serialize};

use crate::ids::{Height, OrganisationId};
use crate::key::PublicKey;

/// Most admin keys of an organisation.
pub const MAX_ADMINS: usize = 16;
/// Most nodes of an organisation at a time.
pub const MAX_NODES: usize = 256;
/// Most organisations a consortium has at a time.
pub const MAX_ORGANISATIONS: usize = 256;
/// Most organisations that may ever have been in a consortium.
pub const MAX_ORGANISATIONS_EVER: usize = 1024;
/// Longest address of a node in bytes.
pub const MAX_ADDRESS_BYTES: usize = 128;
/// Longest name of a consortium, an organisation or a node, in characters.
pub const MAX_NAME_CHARS: usize = 64;

/// Whether an organisation or a node takes part.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Standing {
    /// It does.
    Active,
    /// It did.
    Removed {
        /// The block that ended it.
        height: Height,
    },
}

/// A member of the consortium with one voice, whichever of its admins casts it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Organisation {
    /// Its id.
    pub id: OrganisationId,
    /// Its name, for people.
    pub name: String,
    /// Keys that may propose and vote for it: 1 to [`MAX_ADMINS`], in ascending order, each once.
    pub admins: Vec<PublicKey>,
    /// Whether it takes part.
    pub standing: Standing,
}

impl Organisation {
    /// An active organisation.
    #[must_use]
    pub fn new(id: OrganisationId, name: String, mut admins: Vec<PublicKey>) -> Self {
        admins.sort_unstable();
        Self {
            id,
            name,
            admins,
            standing: Standing::Active,
        }
    }
}

/// The ids of all organisations, each list in ascending order.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct OrganisationIds {
    /// Those that have a voice.
    pub active: Vec<OrganisationId>,
    /// Those that had one.
    pub removed: Vec<OrganisationId>,
}

/// What a key is used for. A key has one owner, and each use of it one place.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct KeyUse {
    /// The owner; none if the key is free.
    pub organisation: Option<OrganisationId>,
    /// Whether it is an admin key.
    pub is_admin: bool,
    /// Whether it is a node's key for transactions.
    pub is_node: bool,
    /// Whether it is a node's key for votes.
    pub is_vote: bool,
    /// The open proposal that would put it to use.
    pub proposal: Option<crate::ids::ProposalNumber>,
}

/// Whether `name` can stand on a screen: 1 to [`MAX_NAME_CHARS`] characters, none of them a control
/// character, not only space.
#[must_use]
pub fn is_name(name: &str) -> bool {
    name.chars().count() <= MAX_NAME_CHARS
        && !name.trim().is_empty()
        && !name.chars().any(char::is_control)
}

/// Whether `text` is an address peers can try: a host and a port, in at most [`MAX_ADDRESS_BYTES`]
/// printable ASCII characters; or empty.
#[must_use]
pub fn is_address(text: &str) -> bool {
    let parts = text.rsplit_once(':');
    let parts = parts.map(|(host, port)| (host, port.parse::<u16>()));
    text.is_empty()
        || (text.len() <= MAX_ADDRESS_BYTES
            && text.bytes().all(|byte| byte.is_ascii_graphic())
            && matches!(parts, Some((host, Ok(1..))) if !host.is_empty()))
}
