//! Proof that a validator said two different things, kept for those who decide what follows.
//!
//! The engine notices it while a height is decided and hands it over with the decision. Here every
//! signature is checked again, against the ledger's own bytes, and what holds is on disk before the
//! engine is answered:
//!
//! ```text
//! "FWEVIDE1"  postcard( [ Evidence, … ] )        evidence.bin, replaced as a whole
//! ```
//!
//! One piece for each validator, height, round and kind of message; of one validator at most
//! [`MAX_OF_ONE`], so that nobody fills the book by repeating itself. Left out: what follows; that is
//! for the consortium to vote on.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_malachitebft_app_channel::app::types::MisbehaviorEvidence;
use arc_malachitebft_app_channel::app::types::core::{Proposal as _, SignedMessage};
use ledger_core::certificate::{VoteContent, VoteKind};
use ledger_core::light::{self, Equivocation, SignedVote};
use ledger_core::{ChainId, Digest, Height, PublicKey, Signature, ValidatorSet, canonical};
use serde::{Deserialize, Serialize};

use crate::adapter::Chain;
use crate::adapter::context::{Proposal, Vote};
use crate::adapter::signing::{proposal_sign_bytes, vote_content};

#[cfg(test)]
mod tests;

/// First bytes of the file.
const MAGIC: &[u8; 8] = b"FWEVIDE1";
/// Most pieces kept.
const MAX_PIECES: usize = 1024;
/// Most pieces kept of one validator.
const MAX_OF_ONE: usize = 16;
/// Longest file in bytes.
const MAX_FILE_BYTES: usize = MAX_PIECES * 1024;

/// Two proposals of one validator for one height and round.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DoubleProposal {
    /// The chain.
    pub chain: ChainId,
    /// The height.
    pub height: Height,
    /// The round.
    pub round: u32,
    /// Who proposed.
    pub proposer: PublicKey,
    /// The proposal for the block that is lower as bytes.
    pub one: ProposedBlock,
    /// The other.
    pub two: ProposedBlock,
}

/// A block in a proposal, and the proposer's signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProposedBlock {
    /// The block.
    pub block: Digest,
    /// The round in which it was found valid before, if it was.
    pub valid_round: Option<u32>,
    /// The signature over the bytes of a proposal.
    pub signature: Signature,
}

impl DoubleProposal {
    fn holds(&self, validators: &ValidatorSet) -> bool {
        let signed = |one: &ProposedBlock| {
            let bytes = proposal_sign_bytes(
                self.chain,
                self.height,
                self.round,
                one.valid_round,
                one.block,
                self.proposer,
            );
            self.proposer.verify(&bytes, &one.signature).is_ok()
        };
        self.one.block < self.two.block
            && validators.find(&self.proposer).is_some()
            && signed(&self.one)
            && signed(&self.two)
    }
}

/// What a validator did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Offence {
    /// It voted for two things at a time; `ledger_core::light` verifies it for anybody.
    Votes(Equivocation),
    /// It proposed two blocks at a time.
    Proposals(DoubleProposal),
}

impl Offence {
    /// Whose it is.
    #[must_use]
    pub const fn validator(&self) -> PublicKey {
        match self {
            Self::Votes(votes) => votes.one.content.validator,
            Self::Proposals(proposals) => proposals.proposer,
        }
    }

    /// The height it was done at.
    #[must_use]
    pub const fn height(&self) -> Height {
        match self {
            Self::Votes(votes) => votes.one.content.height,
            Self::Proposals(proposals) => proposals.height,
        }
    }

    /// The round it was done in.
    #[must_use]
    pub const fn round(&self) -> u32 {
        match self {
            Self::Votes(votes) => votes.one.content.round,
            Self::Proposals(proposals) => proposals.round,
        }
    }

    fn kind(&self) -> Option<VoteKind> {
        match self {
            Self::Votes(votes) => Some(votes.one.content.kind),
            Self::Proposals(_) => None,
        }
    }

    fn is_as(&self, other: &Self) -> bool {
        let what = |one: &Self| (one.validator(), one.height(), one.round(), one.kind());
        what(self) == what(other)
    }

    fn holds(&self, chain: ChainId, validators: &ValidatorSet) -> bool {
        match self {
            Self::Votes(votes) => {
                let evidence = light::Evidence::Equivocation(Box::new(*votes));
                evidence.verify(chain, validators).is_ok()
            }
            Self::Proposals(proposals) => proposals.holds(validators),
        }
    }
}

/// An offence and when this node noticed it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// What was done, with the signatures that prove it.
    pub offence: Offence,
    /// When this node noticed, in Unix milliseconds.
    pub noticed_millis: u64,
}

/// All evidence this node has. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct EvidenceBook {
    path: PathBuf,
    pieces: Arc<Mutex<Vec<Evidence>>>,
}

impl EvidenceBook {
    /// The book in `home`. A file that cannot be read is put aside: evidence is no reason not to start.
    pub(crate) fn open(home: &Path) -> io::Result<Self> {
        let path = home.join("evidence.bin");
        let pieces = match std::fs::read(&path) {
            Ok(bytes) => match decode(&bytes) {
                Some(pieces) => pieces,
                None => {
                    tracing::error!("the evidence file is damaged and put aside");
                    std::fs::rename(&path, home.join("evidence.damaged"))?;
                    Vec::new()
                }
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        Ok(Self {
            path,
            pieces: Arc::new(Mutex::new(pieces)),
        })
    }

    /// All pieces, the oldest first.
    pub(crate) fn pieces(&self) -> Vec<Evidence> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Evidence>> {
        // Only ever replaced as a whole.
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what holds and is new of `offences` against `validators`. Durable when this returns.
    pub(crate) fn keep(
        &self,
        chain: ChainId,
        validators: &ValidatorSet,
        offences: Vec<Offence>,
        noticed_millis: u64,
    ) -> io::Result<()> {
        let mut pieces = self.lock();
        let before = pieces.len();
        let mut with_new = pieces.clone();
        for offence in offences {
            let of_one = with_new.iter().map(|piece| piece.offence.validator());
            let of_one = of_one.filter(|key| *key == offence.validator()).count();
            let is_known = with_new.iter().any(|piece| piece.offence.is_as(&offence));
            let is_full = of_one >= MAX_OF_ONE || with_new.len() >= MAX_PIECES;
            if is_known || is_full || !offence.holds(chain, validators) {
                continue;
            }
            tracing::error!(
                validator = %offence.validator().short(), height = %offence.height(),
                "a validator has signed two different things"
            );
            with_new.push(Evidence {
                offence,
                noticed_millis,
            });
        }
        if with_new.len() > before {
            replace(&self.path, &encode(&with_new))?;
            *pieces = with_new;
        }
        Ok(())
    }
}

fn encode(pieces: &[Evidence]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(canonical::encode(&pieces));
    bytes
}

fn decode(bytes: &[u8]) -> Option<Vec<Evidence>> {
    let body = bytes.strip_prefix(MAGIC)?;
    let pieces: Vec<Evidence> = canonical::decode(body, MAX_FILE_BYTES).ok()?;
    (pieces.len() <= MAX_PIECES).then_some(pieces)
}

/// Replaces a file as a whole: after a crash there is the old one or the new one.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// What the engine noticed, in the ledger's words. Nothing of it is checked yet.
pub(crate) fn offences(chain: ChainId, noticed: &MisbehaviorEvidence<Chain>) -> Vec<Offence> {
    let votes = noticed.votes.iter().flat_map(|(_, pairs)| pairs);
    let votes = votes.filter_map(|(one, two)| {
        let (one, two) = (signed_vote(chain, one)?, signed_vote(chain, two)?);
        Some(Offence::Votes(Equivocation::new(one, two)))
    });
    let proposals = noticed.proposals.iter().flat_map(|(_, pairs)| pairs);
    let proposals = proposals.filter_map(|(one, two)| {
        let double = double_proposal(chain, one, two)?;
        Some(Offence::Proposals(double))
    });
    votes.chain(proposals).collect()
}

fn signed_vote(chain: ChainId, vote: &SignedMessage<Chain, Vote>) -> Option<SignedVote> {
    let content: VoteContent = vote_content(chain, &vote.message)?;
    Some(SignedVote {
        content,
        signature: vote.signature,
    })
}

fn double_proposal(
    chain: ChainId,
    one: &SignedMessage<Chain, Proposal>,
    two: &SignedMessage<Chain, Proposal>,
) -> Option<DoubleProposal> {
    let (first, second) = (&one.message, &two.message);
    let same = |of: &Proposal| (of.height, of.round, of.proposer);
    if same(first) != same(second) {
        return None;
    }
    let block = |signed: &SignedMessage<Chain, Proposal>| ProposedBlock {
        block: signed.message.value.0,
        valid_round: signed.message.pol_round().as_u32(),
        signature: signed.signature,
    };
    let (mut one, mut two) = (block(one), block(two));
    if two.block < one.block {
        std::mem::swap(&mut one, &mut two);
    }
    Some(DoubleProposal {
        chain,
        height: first.height.0,
        round: first.round.as_u32()?,
        proposer: first.proposer.0,
        one,
        two,
    })
}
