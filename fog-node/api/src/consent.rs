//! What patients agreed to. Nothing here says anything of itself in its `Debug`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Writes down what a patient agreed to, as the caller heard it before a witness.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GiveConsent {
    /// What she agreed to, in words: 1 to 2,000 characters. It stays in the vault.
    pub words: String,
    /// The same as a policy in Cedar, about everybody's data or about `Subject::"patient"`; on the ledger it is about
    /// hers.
    pub text: String,
    /// For what; without any, what the policy speaks of, or everything.
    #[serde(default)]
    pub purposes: Vec<String>,
    /// Who was there: 1 to 80 characters.
    pub witness: String,
    /// For how many days; until it is withdrawn without.
    #[serde(default)]
    pub days: Option<u32>,
}

/// Says nothing of itself.
impl fmt::Debug for GiveConsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GiveConsent(…)")
    }
}

/// Gives a consent of one's own, signed with the caller's key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GiveOwnConsent {
    /// What is agreed to, in words: 1 to 2,000 characters. It stays in the vault.
    pub words: String,
    /// The same as a policy in Cedar, as in [`GiveConsent`].
    pub text: String,
    /// For what; without any, what the policy speaks of, or everything.
    #[serde(default)]
    pub purposes: Vec<String>,
    /// For how many days; until it is withdrawn without.
    #[serde(default)]
    pub days: Option<u32>,
}

/// Says nothing of itself.
impl fmt::Debug for GiveOwnConsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GiveOwnConsent(…)")
    }
}

/// What a patient signed with her own key, verified as it is told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConsentSignature {
    /// By which handle the ledger knows her as a person.
    pub person: String,
    /// Her Ed25519 public key, hex.
    pub key: String,
    /// Whether the signature is over what is told here, and the ledger says that the key is that person's.
    pub is_valid: bool,
}

/// How far a consent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConsentStanding {
    /// It holds, and the ledger does not know it yet.
    Waiting,
    /// It holds.
    InForce,
    /// It does not hold any more, and the ledger does not know that yet.
    Ending,
    /// It does not hold any more.
    Ended,
}

/// What a patient agreed to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConsentRow {
    /// Its id, 32 hex digits.
    pub id: String,
    /// What she agreed to, in words.
    pub words: String,
    /// The same as a policy in Cedar.
    pub text: String,
    /// What that means, where words can say it.
    pub rule: Option<String>,
    /// For what.
    pub purposes: Vec<String>,
    /// Login of who wrote it down.
    pub captured_by: String,
    /// Who was there; empty where she gave it herself.
    pub witness: String,
    /// Her signature, where she gave it herself.
    pub signature: Option<ConsentSignature>,
    /// When it was given, in Unix milliseconds.
    pub since: i64,
    /// Until before this moment; none if it lasts until it is withdrawn.
    pub until: Option<i64>,
    /// How far it is.
    pub standing: ConsentStanding,
    /// When it was withdrawn, in Unix milliseconds.
    pub withdrawn: Option<i64>,
    /// Login of who wrote that down.
    pub withdrawn_by: Option<String>,
    /// Her signature, where she withdrew it herself.
    pub withdrawal_signature: Option<ConsentSignature>,
}

/// Says which by its id only.
impl fmt::Debug for ConsentRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConsentRow({}, {:?})", self.id, self.standing)
    }
}
