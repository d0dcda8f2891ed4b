//! Why a light block or what came with it is refused, and what to do then.

use super::evidence::Fork;
use crate::certificate::CertificateError;
use crate::ids::Height;
use crate::state_proof::StateProofError;

/// Why a light client does not go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LightError {
    /// A block format this program does not know.
    #[error("The block has format {0}, which this program does not know.")]
    Version(u16),
    /// A block of another chain.
    #[error("The block belongs to another chain than the genesis.")]
    OtherChain,
    /// What was sent cannot be read.
    #[error("What the node sent is no light block, or no proof.")]
    Malformed,
    /// Header and certificate do not belong together.
    #[error("The certificate is for another block.")]
    OtherCertificate,
    /// Header and validators do not belong together.
    #[error("The validators are not those that the header names.")]
    OtherValidators,
    /// Header and next validators do not belong together.
    #[error("The next validators are not those that the header names.")]
    NextValidators,
    /// The validators did not sign, or too few of them.
    #[error("The block is not final: {0}.")]
    Certificate(#[from] CertificateError),
    /// The next block is certified by validators that the trusted block did not name.
    #[error("The block is certified by others than the validators that follow from the genesis.")]
    NotNamed,
    /// The next block does not follow the trusted one.
    #[error("The block names another parent than the block before it.")]
    Parent,
    /// Not later than the block before.
    #[error("The block is not later than one before it.")]
    Time,
    /// Too far from the trusted block.
    #[error(
        "Too few known validators signed the block: {power} of {total} power, more than a third is needed."
    )]
    NotEnoughTrust {
        /// Known power that signed.
        power: u64,
        /// Power of all known validators.
        total: u64,
    },
    /// The block's time is ahead of this clock.
    #[error("The block's time is {ahead_millis} ms ahead of this clock.")]
    Future {
        /// By how much, in milliseconds.
        ahead_millis: u64,
    },
    /// The trusted block is older than the trusting period.
    #[error("The newest trusted block is {age_millis} ms old, more than the trusting period.")]
    Expired {
        /// Its age in milliseconds.
        age_millis: u64,
    },
    /// A block from before the trusted one; nothing can be told of it.
    #[error("Block {height} is before the trusted block {trusted}.")]
    Older {
        /// The block's height.
        height: Height,
        /// The trusted height.
        trusted: Height,
    },
    /// Two certified blocks at one height.
    #[error("There are two certified blocks at height {}.", .0.height())]
    Fork(Box<Fork>),
    /// A block that must be there was not given.
    #[error("The node did not give block {height}, though it has later ones.")]
    MissingBlock {
        /// The height that was asked for.
        height: Height,
    },
    /// The newest block is older than the chain's heartbeat allows.
    #[error(
        "The newest block is {age_millis} ms old; a chain that lives makes one every {limit_millis} ms."
    )]
    StaleTip {
        /// Its age in milliseconds.
        age_millis: u64,
        /// The greatest age that is expected, in milliseconds.
        limit_millis: u64,
    },
    /// Another node has certified blocks that this one does not show.
    #[error("The node's newest block is {height}; another node has block {other}, certified.")]
    Withheld {
        /// The newest block of the node.
        height: Height,
        /// A later block of another node.
        other: Height,
    },
    /// A state proof that does not hold.
    #[error("The state proof does not hold: {0}.")]
    State(#[from] StateProofError),
    /// There is no state to prove anything against yet.
    #[error("Only the genesis is trusted; it has no state root.")]
    NoState,
}

impl LightError {
    /// A stable name for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Version(_) => "version",
            Self::OtherChain => "other_chain",
            Self::Malformed => "malformed",
            Self::OtherCertificate => "other_certificate",
            Self::OtherValidators => "other_validators",
            Self::NextValidators => "next_validators",
            Self::Certificate(CertificateError::Signers) => "signers",
            Self::Certificate(CertificateError::Signature) => "signature",
            Self::Certificate(CertificateError::NoQuorum { .. }) => "no_quorum",
            Self::NotNamed => "validators_not_named",
            Self::Parent => "parent",
            Self::Time => "time",
            Self::NotEnoughTrust { .. } => "not_enough_trust",
            Self::Future { .. } => "future",
            Self::Expired { .. } => "expired",
            Self::Older { .. } => "older",
            Self::Fork(_) => "fork",
            Self::MissingBlock { .. } => "missing_block",
            Self::StaleTip { .. } => "stale_tip",
            Self::Withheld { .. } => "withheld",
            Self::State(_) => "state_proof",
            Self::NoState => "no_state",
        }
    }

    /// Whether no honest node gives such an answer. The others may be the fault of this clock, of these
    /// options, or of a chain that stands still.
    #[must_use]
    pub const fn is_lie(&self) -> bool {
        !matches!(
            self,
            Self::Version(_)
                | Self::NotEnoughTrust { .. }
                | Self::Future { .. }
                | Self::Expired { .. }
                | Self::Older { .. }
                | Self::StaleTip { .. }
                | Self::NoState
        )
    }

    /// What a person does next.
    #[must_use]
    pub const fn next(&self) -> &'static str {
        match self {
            Self::Version(_) => "Use a newer program.",
            Self::OtherChain => {
                "Compare the genesis file with one you trust, and ask a node of that chain."
            }
            Self::NotEnoughTrust { .. } => "Ask for a block nearer to the trusted one.",
            Self::Future { .. } => "Set this machine's clock, then try again.",
            Self::Expired { .. } => {
                "Get a recent block's hash from somebody you trust, or start from the genesis."
            }
            Self::Older { .. } => "Ask for a later block.",
            Self::Fork(_) => {
                "Keep the evidence and show it to the consortium: more than a third of its \
                 validators signed both."
            }
            Self::StaleTip { .. } => {
                "Ask another node: this one hides newer blocks, or the consortium stands still."
            }
            Self::NoState => "Follow the chain to its first block.",
            _ => "Trust nothing from this node; ask another, and tell whoever runs this one.",
        }
    }
}
