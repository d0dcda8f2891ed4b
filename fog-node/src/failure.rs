//! How the node refuses a request: a status for HTTP, and what, why and next for a person.

use fog_api::ApiError;

/// A refused or failed request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {} {}", .error.code, .error.what, .error.why)]
pub struct Failure {
    /// HTTP status.
    pub status: u16,
    /// What a person is told.
    pub error: ApiError,
}

impl Failure {
    /// A refusal with this status and code.
    #[must_use]
    pub fn new(status: u16, code: &str, what: &str, why: impl Into<String>, next: &str) -> Self {
        Self {
            status,
            error: ApiError {
                code: code.into(),
                what: what.into(),
                why: why.into(),
                next: next.into(),
            },
        }
    }

    /// What was asked for is not here.
    #[must_use]
    pub fn not_found(what: &str, next: &str) -> Self {
        let why = "This node holds nothing under this name.";
        Self::new(404, "API-04", what, why, next)
    }

    /// The node itself failed; the cause is for the log.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed");
        Self::new(
            500,
            "API-50",
            "The node could not answer.",
            "Its store could not be read; the log says more.",
            "Try again. If it stays so, stop the node and run fogward fsck on its folder.",
        )
    }

    /// The node is stopping.
    #[must_use]
    pub fn stopping() -> Self {
        Self::new(
            503,
            "API-53",
            "The node is stopping.",
            "It accepts nothing more, so that all that was accepted is finished.",
            "Start it again.",
        )
    }
}

impl From<crate::vault::VaultError> for Failure {
    fn from(error: crate::vault::VaultError) -> Self {
        Self::internal(error)
    }
}

impl From<crate::vault::seal::SealError> for Failure {
    fn from(error: crate::vault::seal::SealError) -> Self {
        Self::internal(error)
    }
}

impl From<ledger_store::StoreError> for Failure {
    fn from(error: ledger_store::StoreError) -> Self {
        Self::internal(error)
    }
}
