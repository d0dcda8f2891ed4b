//! People who sign in at a node: roles, what they may do, sessions, enrolment.
//!
//! What each role may do is decided by the node (`fog-node`, `people/permissions.rs`); here are only the
//! words for it. Requests that hold a passphrase or a code say nothing of it in their `Debug`.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What a person is at this node; one person may be several.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Registers people, votes, keeps the node.
    Admin,
    /// Treats patients.
    Physician,
    /// Cares for patients and their devices.
    Nurse,
    /// Looks after devices.
    Technician,
    /// Works with what was granted for research.
    Researcher,
    /// Looks at who did what.
    Auditor,
    /// Is measured.
    Patient,
}

impl Role {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 7] = [
        Self::Admin,
        Self::Physician,
        Self::Nurse,
        Self::Technician,
        Self::Researcher,
        Self::Auditor,
        Self::Patient,
    ];

    /// Its name in JSON and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Physician => "physician",
            Self::Nurse => "nurse",
            Self::Technician => "technician",
            Self::Researcher => "researcher",
            Self::Auditor => "auditor",
            Self::Patient => "patient",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|role| role.name() == text);
        known.ok_or_else(|| format!("expected one of {}", Self::ALL.map(Self::name).join(", ")))
    }
}

/// Something that may be done at a node; each route of the API asks for one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// See the node, its devices and their live values.
    SeeDevices,
    /// Pair devices, change them, place them, hand them over, let one hear another.
    ChangeDevices,
    /// Say whose a device is.
    Assign,
    /// Read what was recorded, and its proofs.
    ReadRecords,
    /// Read the chain and the consortium.
    ReadConsortium,
    /// Propose, vote, invite and join in the organisation's name.
    Vote,
    /// See who is registered.
    SeePeople,
    /// Register people, give roles, revoke, enrol anew.
    ManagePeople,
    /// Keep the node: back it up, erase for good what must not be kept.
    Maintain,
    /// Ask who did what.
    Audit,
    /// Decide about requests for the organisation's data, and review where the glass was broken.
    DecideAccess,
    /// See her own record, and who looked at it; say what of it others may see.
    OwnRecord,
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::SeeDevices,
        Self::ChangeDevices,
        Self::Assign,
        Self::ReadRecords,
        Self::ReadConsortium,
        Self::Vote,
        Self::SeePeople,
        Self::ManagePeople,
        Self::Maintain,
        Self::Audit,
        Self::DecideAccess,
        Self::OwnRecord,
    ];
}

/// Whether a person may sign in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PersonStanding {
    /// May.
    Active,
    /// May not, for good.
    Revoked,
}

/// A registered person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Person {
    /// Random id, 32 hex digits.
    pub id: String,
    /// What is typed to sign in: lowercase, nobody else's.
    pub login: String,
    /// The name that is shown.
    pub name: String,
    /// What the person is here.
    pub roles: BTreeSet<Role>,
    /// Whether the person may sign in.
    pub standing: PersonStanding,
    /// When the person was registered, in Unix milliseconds.
    pub since: i64,
    /// Ed25519 public key, hex (RFC 8032).
    pub signing_key: String,
    /// X25519 public key, hex (RFC 7748).
    pub exchange_key: String,
    /// Recovery codes that are not used yet.
    pub recovery_codes: u8,
    /// No try to sign in is heard before, in Unix milliseconds; `None` when one is heard now.
    pub closed_until: Option<i64>,
    /// What the ledger knows of the person.
    pub ledger: PersonOnLedger,
}

/// What the ledger knows of a person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PersonOnLedger {
    /// The random name by which the ledger knows the person, 64 hex digits; none until it is drawn.
    pub handle: Option<String>,
    /// How far it is.
    pub standing: LedgerStanding,
    /// What keeps it, while the person waits and that is known.
    pub why_not: Option<String>,
}

/// How far a person is on the ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LedgerStanding {
    /// Registration, roles, keys or revocation are not final yet; the node goes on by itself.
    Waiting,
    /// As it is here.
    OnLedger,
    /// Revoked there, for good.
    Revoked,
    /// Was revoked before the ledger heard of the person.
    Never,
}

/// Says who by id only: a log names nobody.
impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Person({})", self.id)
    }
}

/// Implements a `Debug` that says only which request it is.
macro_rules! silent {
    ($($request:ident),*) => {$(
        impl fmt::Debug for $request {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($request), "(…)"))
            }
        }
    )*};
}

silent!(
    AddPerson,
    SignIn,
    Unlock,
    StepUp,
    Enrol,
    ChangePassphrase,
    Enrolment,
    SignedIn
);

/// Registers a person. The first one must be an admin; before, nobody needs to sign in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AddPerson {
    /// 2 to 32 lowercase letters, digits, `.`, `-` and `_`; begins with a letter.
    pub login: String,
    /// 1 to 64 characters.
    pub name: String,
    /// At least one.
    pub roles: BTreeSet<Role>,
    /// The person's own: 12 to 256 characters.
    pub passphrase: String,
}

/// What a person needs to sign in from now on. Shown once, kept nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Enrolment {
    /// The person.
    pub person: Person,
    /// `otpauth://` address for an authenticator app: RFC 6238 with SHA-1, 6 digits, 30 seconds.
    pub otpauth: String,
    /// The same as a QR code, an SVG image.
    pub qr: String,
    /// Ten codes, each good once in place of a code of the app.
    pub recovery_codes: Vec<String>,
}

/// Gives a person these roles and no others.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GiveRoles {
    /// At least one.
    pub roles: BTreeSet<Role>,
}

/// Makes a new secret for the authenticator app and new recovery codes; the old ones are worth nothing.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Enrol {
    /// Also a new passphrase, for who has forgotten it. The old keys cannot be opened without the old one,
    /// so the person gets new keys, too.
    pub passphrase: Option<String>,
}

/// Changes one's own passphrase.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChangePassphrase {
    /// The one that holds now.
    pub passphrase: String,
    /// The one that holds from now on; may be the same.
    pub new_passphrase: String,
    /// Also makes new keys.
    #[serde(default)]
    pub new_keys: bool,
}

/// Signs in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// Who.
    pub login: String,
    /// What the person knows.
    pub passphrase: String,
    /// What the person has: six digits of the app, or a recovery code.
    pub code: String,
    /// A program, which is told the session's token; a browser gets a cookie that its pages cannot read.
    #[serde(default)]
    pub program: bool,
}

/// Opens a locked session.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Unlock {
    /// The passphrase of the session's person.
    pub passphrase: String,
}

/// Shows anew that the person has the app.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StepUp {
    /// Six digits of the app.
    pub code: String,
}

/// Goes on with another session of the same browser; the one before is locked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SwitchSession {
    /// The other person's id.
    pub person: String,
}

/// Where a caller stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// Nobody is registered: all is open to who has the node's token, and nothing from other machines.
    SetUp,
    /// Somebody must sign in.
    SignedOut,
    /// Signed in, and locked: the passphrase opens it.
    Locked,
    /// Signed in.
    Open,
}

/// Who calls, and what they may do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionView {
    /// Where the caller stands.
    pub state: SessionState,
    /// The node's name, for the page that asks to sign in.
    pub node: String,
    /// Who it is.
    pub person: Option<Person>,
    /// What they may do now.
    pub may: BTreeSet<Capability>,
    /// When the session ends, in Unix milliseconds.
    pub ends_at: Option<i64>,
    /// Seconds without an act after which a session is locked.
    pub lock_after_seconds: u64,
    /// Until when the app's code counts as fresh, in Unix milliseconds; votes, backups and the like need that.
    pub fresh_until: Option<i64>,
    /// Who else has a session in this browser.
    pub others: Vec<OtherSession>,
}

/// Another person's session in the same browser.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OtherSession {
    /// The person's id.
    pub person: String,
    /// The name that is shown.
    pub name: String,
}

/// Says who by id only.
impl fmt::Debug for OtherSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OtherSession({})", self.person)
    }
}

/// A session has begun.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignedIn {
    /// Who it is and what they may do.
    pub session: SessionView,
    /// For a program: what it sends as `Fogward-Session`.
    pub token: Option<String>,
}
