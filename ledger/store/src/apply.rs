//! From transactions to a [`CheckedBlock`]: the one path that proposers, validators, late joiners and
//! `fsck` all take, so that none can accept what another refuses.
//!
//! Upon a block of height h, over the state after h − 1:
//! 1. format, chain, height, parent, time, proposer, validators, size, number of transactions and
//!    transactions root, all without touching the state;
//! 2. form, chain and signature of each transaction, many together, on all cores;
//! 3. execution in order; a single refused transaction refuses the block;
//! 4. state root and next validators.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use jmt::storage::{TreeReader, TreeUpdateBatch};
use ledger_core::access::Logged;
use ledger_core::block::{BLOCK_VERSION, Block, Header, tx_root};
use ledger_core::certificate::Certificate;
use ledger_core::digest::Digest;
use ledger_core::genesis::Genesis;
use ledger_core::ids::{ChainId, Height, Nonce};
use ledger_core::key::PublicKey;
use ledger_core::state::{ExecutionError, Executor, StateView, Writes, next_validators};
use ledger_core::state_tree::root_after;
use ledger_core::transaction::{Payload, SignedTransaction, TransactionError, VerifiedTransaction};
use ledger_core::validators::ValidatorSet;
use rayon::iter::{IndexedParallelIterator as _, ParallelIterator as _};
use rayon::slice::ParallelSlice as _;

use crate::error::{Refusal, StoreError};
use crate::replica::VerifiedCertificate;

/// Transactions whose signatures are checked together, on one core.
const TOGETHER: usize = 256;

/// Looks up transactions that were verified before, by id.
pub(crate) type Known<'a> = &'a (dyn Fn(&Digest) -> Option<VerifiedTransaction> + Sync);

/// Where the next block goes.
pub(crate) struct Position {
    pub(crate) chain: ChainId,
    pub(crate) height: Height,
    pub(crate) parent: Digest,
    pub(crate) time: TimeRule,
    /// The validators of `height`.
    pub(crate) validators: ValidatorSet,
    pub(crate) max_bytes: u64,
}

/// What a block's time must be.
#[derive(Clone, Copy)]
pub(crate) enum TimeRule {
    /// The genesis' own time, for block 0.
    Exactly(u64),
    /// Later than the parent's.
    After(u64),
}

impl Position {
    /// The place of block 0.
    pub(crate) fn first(genesis: &Genesis) -> Self {
        Self {
            chain: genesis.chain_id(),
            height: Height(0),
            parent: Digest::ZERO,
            time: TimeRule::Exactly(genesis.time_millis),
            validators: genesis.validators.clone(),
            max_bytes: u64::MAX,
        }
    }
}

/// A valid next block with all that follows from it. Made by [`crate::Replica::prepare`] and
/// [`crate::Replica::check`] only.
#[derive(Clone, Debug)]
pub struct CheckedBlock {
    pub(crate) block: Block,
    pub(crate) hash: Digest,
    pub(crate) transactions: Vec<Executed>,
    pub(crate) readings: u64,
    pub(crate) validators: ValidatorSet,
    pub(crate) next_validators: ValidatorSet,
    pub(crate) writes: Writes,
    pub(crate) update: TreeUpdateBatch,
}

/// What the replica's columns tell of a transaction.
#[derive(Clone, Debug)]
pub(crate) struct Executed {
    pub(crate) id: Digest,
    pub(crate) sender: PublicKey,
    pub(crate) nonce: Nonce,
    pub(crate) kind: &'static str,
    /// What it entered in the access log.
    pub(crate) logged: Option<Logged>,
}

impl CheckedBlock {
    /// The block.
    #[must_use]
    pub const fn block(&self) -> &Block {
        &self.block
    }

    /// Its header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.block.header
    }

    /// Its hash.
    #[must_use]
    pub const fn hash(&self) -> Digest {
        self.hash
    }

    /// The ids of its transactions, in order.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = Digest> + '_ {
        self.transactions.iter().map(|executed| executed.id)
    }

    /// The senders of its transactions, each with the nonce of its last.
    #[must_use]
    pub fn last_nonces(&self) -> BTreeMap<PublicKey, Nonce> {
        let executed = self.transactions.iter();
        executed.map(|one| (one.sender, one.nonce)).collect()
    }

    /// How many readings it anchors.
    #[must_use]
    pub const fn readings(&self) -> u64 {
        self.readings
    }

    /// The validators that certify it.
    #[must_use]
    pub const fn validators(&self) -> &ValidatorSet {
        &self.validators
    }

    /// The validators that certify the block after it.
    #[must_use]
    pub const fn next_validators(&self) -> &ValidatorSet {
        &self.next_validators
    }

    /// Verifies a certificate for this block.
    ///
    /// # Errors
    /// [`Refusal::OtherCertificate`] or [`Refusal::Certificate`].
    pub fn certify(&self, certificate: Certificate) -> Result<VerifiedCertificate, Refusal> {
        if certificate.block != self.hash || certificate.height != self.block.header.height {
            return Err(Refusal::OtherCertificate);
        }
        certificate.verify(self.block.header.chain, &self.validators)?;
        Ok(VerifiedCertificate::by_engine(certificate))
    }
}

/// A transaction that [`crate::Replica::prepare`] left out of the block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// Its id.
    pub id: Digest,
    /// Why the state does not accept it now. A nonce above the expected one may fit later.
    pub error: ExecutionError,
}

/// A block ready to be proposed.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The block.
    pub block: CheckedBlock,
    /// Transactions the state does not accept.
    pub refused: Vec<Refused>,
}

/// Builds a block of those `candidates`, in order, that the state accepts and that fit in.
pub(crate) fn prepare<S, I>(
    state: &S,
    position: Position,
    candidates: I,
    time_millis: u64,
    proposer: PublicKey,
) -> Result<Prepared, StoreError>
where
    S: StateView + TreeReader,
    I: IntoIterator<Item: Borrow<VerifiedTransaction>>,
{
    let time_millis = match position.time {
        TimeRule::Exactly(time) => time,
        TimeRule::After(parent) => time_millis.max(parent.saturating_add(1)),
    };
    let mut executor = Executor::new(state, position.height, time_millis);
    let (mut draft, mut bytes, mut refused) = (Draft::default(), 0u64, Vec::new());
    for candidate in candidates {
        let transaction = candidate.borrow();
        let own = transaction.bytes().len() as u64;
        let with_it = bytes.saturating_add(own);
        let outcome = if own > position.max_bytes {
            // Waiting for room would keep it, and all behind it, waiting for ever.
            Err(ExecutionError::TooLarge)
        } else if with_it > position.max_bytes {
            break;
        } else {
            executor.apply(transaction)
        };
        match outcome {
            Ok(()) => {
                bytes = with_it;
                draft.add(transaction, executor.take_logged());
            }
            Err(ExecutionError::State(error)) => return Err(error.into()),
            Err(error) => refused.push(Refused {
                id: transaction.id(),
                error,
            }),
        }
    }
    let writes = executor.finish()?;
    let block = draft.seal(state, position, writes, time_millis, proposer)?;
    Ok(Prepared { block, refused })
}

/// Checks everything about a block that somebody else built.
pub(crate) fn check<S>(
    state: &S,
    position: Position,
    block: &Block,
    known: Known<'_>,
) -> Result<CheckedBlock, StoreError>
where
    S: StateView + TreeReader,
{
    let header = &block.header;
    check_header(&position, block)?;
    let verified = verify_all(position.chain, block, known)?;
    let ids: Vec<_> = verified.iter().map(VerifiedTransaction::id).collect();
    if tx_root(&ids) != header.tx_root {
        return Err(Refusal::TxRoot.into());
    }
    let mut executor = Executor::new(state, position.height, header.time_millis);
    let mut draft = Draft::default();
    for (index, transaction) in verified.iter().enumerate() {
        executor.apply(transaction).map_err(|error| match error {
            ExecutionError::State(error) => StoreError::from(error),
            error => Refusal::Execution { index, error }.into(),
        })?;
        draft.add(transaction, executor.take_logged());
    }
    let writes = executor.finish()?;
    let sealed = draft.seal(state, position, writes, header.time_millis, header.proposer)?;
    let own = &sealed.block.header;
    if own.next_validators_hash != header.next_validators_hash {
        return Err(Refusal::NextValidators.into());
    }
    if own.state_root != header.state_root || sealed.block != *block {
        return Err(Refusal::StateRoot.into());
    }
    Ok(sealed)
}

/// What can be told without the state and without a signature.
pub(crate) fn check_header(position: &Position, block: &Block) -> Result<(), Refusal> {
    check_place(position, &block.header)?;
    if position.height == Height(0) && block.transactions.len() != 1 {
        return Err(Refusal::Genesis);
    }
    let actual = block
        .transactions
        .iter()
        .map(|bytes| bytes.len() as u64)
        .sum();
    if actual > position.max_bytes {
        return Err(Refusal::TooLarge {
            actual,
            limit: position.max_bytes,
        });
    }
    if u64::from(block.header.tx_count) != block.transactions.len() as u64 {
        return Err(Refusal::TxCount);
    }
    Ok(())
}

/// What can be told without the transactions.
pub(crate) fn check_place(position: &Position, header: &Header) -> Result<(), Refusal> {
    if header.version != BLOCK_VERSION {
        return Err(Refusal::Version(header.version));
    }
    if header.chain != position.chain {
        return Err(Refusal::OtherChain);
    }
    if header.height != position.height {
        return Err(Refusal::Height {
            expected: position.height,
            actual: header.height,
        });
    }
    if header.parent != position.parent {
        return Err(Refusal::Parent);
    }
    let in_time = match position.time {
        TimeRule::Exactly(time) => header.time_millis == time,
        TimeRule::After(parent) => header.time_millis > parent,
    };
    if !in_time {
        return Err(Refusal::Time);
    }
    let first = position.height == Height(0);
    if !first && position.validators.find(&header.proposer).is_none() {
        return Err(Refusal::Proposer);
    }
    if header.validators_hash != position.validators.hash() {
        return Err(Refusal::Validators);
    }
    Ok(())
}

/// Checks form, chain and signature of each of a block's transactions.
pub(crate) fn verify_all(
    chain: ChainId,
    block: &Block,
    known: Known<'_>,
) -> Result<Vec<VerifiedTransaction>, Refusal> {
    let chunks = block.transactions.par_chunks(TOGETHER).enumerate();
    let verified = chunks.map(|(chunk, encoded)| {
        let refused = |(place, error)| Refusal::Transaction {
            index: chunk * TOGETHER + place,
            error,
        };
        verify_some(chain, encoded, known).map_err(refused)
    });
    let verified: Vec<_> = verified.collect::<Result<_, _>>()?;
    Ok(verified.into_iter().flatten().collect())
}

/// As [`verify_all`]; of the refused, the first and its place.
fn verify_some(
    chain: ChainId,
    encoded: &[Vec<u8>],
    known: Known<'_>,
) -> Result<Vec<VerifiedTransaction>, (usize, TransactionError)> {
    let (mut before, mut fresh) = (Vec::with_capacity(encoded.len()), Vec::new());
    for (place, bytes) in encoded.iter().enumerate() {
        let transaction = SignedTransaction::decode(bytes).map_err(|error| (place, error))?;
        let found = known(&transaction.id());
        let found = found.filter(|one| one.body().chain == chain && one.bytes() == bytes);
        if found.is_none() {
            fresh.push(transaction);
        }
        before.push(found);
    }
    let mut fresh = SignedTransaction::verify_all(fresh, chain).into_iter();
    let mut verified = Vec::with_capacity(encoded.len());
    for (place, found) in before.into_iter().enumerate() {
        verified.extend(match found {
            Some(found) => Some(found),
            None => fresh.next().transpose().map_err(|error| (place, error))?,
        });
    }
    Ok(verified)
}

/// The executed transactions of a block in the making.
#[derive(Default)]
struct Draft {
    encoded: Vec<Vec<u8>>,
    executed: Vec<Executed>,
    readings: u64,
}

impl Draft {
    fn add(&mut self, transaction: &VerifiedTransaction, logged: Option<Logged>) {
        let payload = &transaction.body().payload;
        if let Payload::AnchorBatch(anchor) = payload {
            self.readings += u64::from(anchor.readings);
        }
        self.executed.push(Executed {
            id: transaction.id(),
            sender: transaction.sender(),
            nonce: transaction.body().nonce,
            kind: payload.kind(),
            logged,
        });
        self.encoded.push(transaction.bytes().to_vec());
    }

    fn seal<S: StateView + TreeReader>(
        self,
        state: &S,
        position: Position,
        writes: Writes,
        time_millis: u64,
        proposer: PublicKey,
    ) -> Result<CheckedBlock, StoreError> {
        let (state_root, update) = root_after(state, position.height, &writes)?;
        let next_validators = next_validators(state, &writes)?;
        let ids: Vec<_> = self.executed.iter().map(|executed| executed.id).collect();
        let header = Header {
            version: BLOCK_VERSION,
            chain: position.chain,
            height: position.height,
            time_millis,
            proposer,
            parent: position.parent,
            tx_count: ids.len() as u32,
            tx_root: tx_root(&ids),
            state_root,
            validators_hash: position.validators.hash(),
            next_validators_hash: next_validators.hash(),
        };
        Ok(CheckedBlock {
            hash: header.hash(),
            block: Block {
                header,
                transactions: self.encoded,
            },
            transactions: self.executed,
            readings: self.readings,
            validators: position.validators,
            next_validators,
            writes,
            update,
        })
    }
}
