//! The application behind consensus, as `ledger-consortium` has it (its module `application` holds the
//! table of what is done upon what), over the simulated disk.
//!
//! Blocks are made on demand: after a block the next height is held until a transaction could go into
//! a block, a block is due (heartbeat, validator changes that wait, a proposal that runs out), somebody
//! is heard at a later height or says that he has later blocks, or the block came through catching up.

use std::time::Duration;

use arc_malachitebft_app_channel::app::consensus::LocallyProposedValue;
use arc_malachitebft_app_channel::app::streaming::{StreamContent, StreamId, StreamMessage};
use arc_malachitebft_app_channel::app::types::ProposedValue;
use arc_malachitebft_app_channel::app::types::core::{
    CommitCertificate, Round, Validity, ValueOrigin, ValueResponse,
};
use ledger_consortium::mempool::Mempool;
use ledger_consortium::pure::{
    Address, Assembled, BlockHeight, Chain, MAX_CLOCK_AHEAD_MILLIS, PIECE_BYTES, ProposalPart,
    ProposalStart, ValueHash, announce, certificate_of, split, stream_id,
};
use ledger_core::genesis::Member;
use ledger_core::governance::{self, Wakeup};
use ledger_core::state::{Account, ExecutionError, StateKey, read};
use ledger_core::{Block, Height, Nonce, SignedTransaction, VerifiedTransaction};
use ledger_store::{CheckedBlock, StoreError, VerifiedCertificate};

use crate::disk::{Disk, Kept, Stop};
use crate::host::{Host, Output, Shell, Tick};
use crate::message::Message;
use crate::network::NodeIndex;
use crate::node::Next;

/// How long a proposal may be over before a block says so.
const EXPIRY_PATIENCE: Duration = Duration::from_millis(250);
/// Proposals of later heights kept until their turn.
const MAX_AHEAD: usize = 8;
/// Blocks of one height that are checked for one publisher.
const MAX_BLOCKS_PER_PUBLISHER: u32 = 64;

/// What checking a block came to.
enum Checked {
    /// Valid, and kept.
    Valid,
    /// The announced block, and not a valid one.
    Invalid,
    /// Not the announced block.
    Garbage,
}

impl Shell {
    /// Brings what the outbox holds into the mempool again.
    pub(crate) fn resubmit(&mut self, disk: &Disk) {
        for transaction in &disk.outbox().waiting {
            if let Some(next) = next_nonce(&self.mempool, disk, transaction) {
                // A transaction under a used nonce cannot be brought in again; the checkers see it.
                let _ = self.mempool.insert(transaction.clone(), next);
            }
        }
    }
}

/// The next nonce of a transaction's sender; none if it may not send at all.
fn next_nonce(mempool: &Mempool, disk: &Disk, transaction: &VerifiedTransaction) -> Option<Nonce> {
    let sender = transaction.sender();
    if let Some(next) = mempool.next_nonce(&sender) {
        return Some(next);
    }
    let replica = disk.replica();
    let member = read::<Member, _>(replica, &StateKey::member(&sender)).ok()?;
    if member.is_none() {
        governance::admin_of(replica, &sender).ok()??;
    }
    let account = read::<Account, _>(replica, &StateKey::account(&sender)).ok()?;
    Some(account.unwrap_or_default().next_nonce)
}

impl Host<'_> {
    fn now_millis(&self) -> u64 {
        self.me.clock.millis(self.now)
    }

    /// Lets the next height begin, if it is held.
    pub(crate) fn release(&mut self) {
        if std::mem::take(&mut self.shell.held) {
            let next = self.next_height();
            self.shell.inbox.push_back(Next::Start(next));
        }
    }

    /// Lets the next height begin, if there is something for a block.
    pub(crate) fn release_if_due(&mut self) {
        if self.shell.held && self.shell.mempool.is_ready() {
            self.release();
        }
    }

    /// Upon `StartedRound`: what was put aside for this height, and what is kept for the round.
    pub(crate) fn started_round(&mut self, height: Height, round: Round) -> Result<(), Stop> {
        let (due, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.shell.ahead)
            .into_iter()
            .filter(|assembled| assembled.start.height >= height)
            .partition(|assembled| assembled.start.height == height);
        self.shell.ahead = later;
        let mut values = Vec::new();
        for aside in &due {
            values.extend(self.check(aside)?);
        }
        let round = round.as_u32().unwrap_or(0);
        let kept: Vec<_> = self.disk.kept_of_round(height, round).collect();
        let kept: Vec<_> = kept
            .iter()
            .map(|kept| proposed(&kept.start, Validity::Valid))
            .collect();
        values.retain(|value| !kept.contains(value));
        values.extend(kept);
        for value in values {
            let next = Next::Value(value, ValueOrigin::Consensus);
            self.shell.inbox.push_back(next);
        }
        Ok(())
    }

    /// Upon `GetValue`: the block built for this round before, or a new one, kept before it is told.
    pub(crate) fn propose(&mut self, height: Height, round: Round) -> Result<(), Stop> {
        if height != self.next_height() {
            return Ok(());
        }
        let me = self.me.key.public();
        let built_before = {
            let mut kept = self.disk.kept_of_round(height, round.as_u32().unwrap_or(0));
            kept.find(|kept| kept.start.proposer == me).cloned()
        };
        let built = match built_before {
            Some(built) => built,
            None => self.build(round)?,
        };
        let value = ValueHash(built.start.block);
        let value = LocallyProposedValue::new(BlockHeight(height), round, value);
        self.shell.inbox.push_back(Next::Propose(value));
        self.publish_parts(built.start, &built.block);
        Ok(())
    }

    fn build(&mut self, round: Round) -> Result<Kept, Stop> {
        let parameters = governance::parameters(self.disk.replica()).map_err(StoreError::from)?;
        let max_bytes = parameters.max_block_bytes as usize;
        let candidates = self.shell.mempool.reap(max_bytes);
        let me = self.me.key.public();
        let now = self.now_millis();
        let prepared = self.disk.replica().prepare(candidates, now, me)?;
        for refused in prepared.refused {
            self.refuse(&refused.id, &refused.error);
        }
        let block = prepared.block;
        let (height, hash) = (block.header().height, block.hash());
        let encoded = block.block().encode();
        let kept = Kept {
            start: announce(height, round, Round::Nil, me, hash, encoded.len()),
            block: encoded,
        };
        self.disk.keep(kept.clone())?;
        self.shell.checked.insert(hash, block);
        Ok(kept)
    }

    fn refuse(&mut self, id: &ledger_core::Digest, error: &ExecutionError) {
        let Some(transaction) = self.shell.mempool.get(id) else {
            return;
        };
        if let ExecutionError::Nonce { expected, .. } = error {
            let sender = transaction.sender();
            self.shell.mempool.advance(sender, *expected);
        } else {
            self.shell.mempool.remove(id);
        }
    }

    fn publish_parts(&mut self, start: ProposalStart, block: &[u8]) {
        let id = stream_id(start.height, start.round, &start.block);
        let id = StreamId::new(id.into());
        for (sequence, part) in (0..).zip(split(start, block)) {
            let part = StreamMessage::new(id.clone(), sequence, StreamContent::Data(part));
            self.send(None, Message::Part(part));
        }
    }

    /// Upon `RestreamProposal`: the kept parts again.
    pub(crate) fn restream(
        &mut self,
        height: Height,
        round: Round,
        valid_round: Round,
        value: ValueHash,
    ) {
        let Some(kept) = self.disk.kept_block(height, &value.0).cloned() else {
            return;
        };
        let start = ProposalStart {
            round,
            valid_round,
            ..kept.start
        };
        self.publish_parts(start, &kept.block);
    }

    /// Upon a part of a proposal, or transactions.
    pub(crate) fn part(
        &mut self,
        from: NodeIndex,
        message: StreamMessage<ProposalPart>,
    ) -> Result<(), Stop> {
        let part = match message.content {
            StreamContent::Data(ProposalPart::Transactions(encoded)) => {
                self.hear(&encoded);
                return Ok(());
            }
            StreamContent::Data(part) => part,
            StreamContent::Fin => return Ok(()),
        };
        let Some(publisher) = self.me.peers.get(from) else {
            return Ok(());
        };
        let author = self.me.keys.get(from).copied();
        let Some(author) = author.filter(|key| self.shell.validators.find(key).is_some()) else {
            return Ok(());
        };
        let publisher = publisher.to_bytes();
        if let ProposalPart::Start(start) = &part {
            let looked_at = self.shell.allowance.entry(author).or_default();
            *looked_at += 1;
            if *looked_at > MAX_BLOCKS_PER_PUBLISHER || start.height <= self.tip() {
                return Ok(());
            }
            self.release();
        }
        let stream = message.stream_id.to_bytes();
        let assembler = &mut self.shell.assembler;
        let Some(assembled) = assembler.take(&publisher, &stream, message.sequence, part) else {
            return Ok(());
        };
        if assembled.start.height > self.next_height() {
            if self.shell.ahead.len() >= MAX_AHEAD {
                self.shell.ahead.remove(0);
            }
            self.shell.ahead.push(assembled);
            return Ok(());
        }
        if let Some(value) = self.check(&assembled)? {
            let next = Next::Value(value, ValueOrigin::Consensus);
            self.shell.inbox.push_back(next);
        }
        Ok(())
    }

    /// Checks a proposal for the next height.
    fn check(&mut self, assembled: &Assembled) -> Result<Option<ProposedValue<Chain>>, Stop> {
        let start = &assembled.start;
        let known = self.shell.validators.find(&start.proposer).is_some();
        if start.height != self.next_height() || !known {
            return Ok(None);
        }
        let now = self.now_millis();
        Ok(match self.check_block(start, &assembled.block, now)? {
            Checked::Valid => Some(proposed(start, Validity::Valid)),
            Checked::Invalid => {
                self.shell.outputs.push(Output::Refused);
                Some(proposed(start, Validity::Invalid))
            }
            Checked::Garbage => None,
        })
    }

    fn check_block(
        &mut self,
        start: &ProposalStart,
        bytes: &[u8],
        now_millis: u64,
    ) -> Result<Checked, Stop> {
        let Ok(block) = Block::decode(bytes) else {
            return Ok(Checked::Garbage);
        };
        if block.header.hash() != start.block || block.header.height != start.height {
            return Ok(Checked::Garbage);
        }
        let checked = match self.shell.checked.get(&start.block) {
            Some(checked) => checked.clone(),
            None => match self.check_anew(&block, now_millis)? {
                Some(checked) => checked,
                None => return Ok(Checked::Invalid),
            },
        };
        self.disk.keep(Kept {
            start: *start,
            block: bytes.to_vec(),
        })?;
        self.shell.checked.insert(start.block, checked);
        Ok(Checked::Valid)
    }

    fn check_anew(&self, block: &Block, now_millis: u64) -> Result<Option<CheckedBlock>, Stop> {
        let replica = self.disk.replica();
        let (_, parent) = replica.tip()?;
        let latest = now_millis.saturating_add(MAX_CLOCK_AHEAD_MILLIS);
        if block.header.time_millis > latest.max(parent.time_millis.saturating_add(1)) {
            return Ok(None);
        }
        let mempool = &self.shell.mempool;
        match replica.check_knowing(block, |id| mempool.get(id).cloned()) {
            Ok(checked) => Ok(Some(checked)),
            Err(StoreError::Refused(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Upon `ProcessSyncedValue`: a block that a peer says was decided; its certificate holds.
    pub(crate) fn synced(
        &mut self,
        value: ValueResponse<Chain>,
        proposer: Address,
    ) -> Result<(), Stop> {
        let certificate = &value.certificate;
        let start = |block| ProposalStart {
            height: certificate.height.0,
            round: certificate.round,
            valid_round: Round::Nil,
            proposer: proposer.0,
            block,
            bytes: 0,
        };
        let Ok(block) = Block::decode(&value.value_bytes) else {
            self.blocks_refused(value.peer);
            return Ok(());
        };
        let start = start(block.header.hash());
        if start.height != self.next_height() {
            return Ok(());
        }
        // Two thirds have found the block valid, so its time is not ours to judge any more.
        let checked = self.check_block(&start, &value.value_bytes, u64::MAX)?;
        if !matches!(checked, Checked::Valid) || start.block != certificate.value_id.0 {
            self.blocks_refused(value.peer);
            return Ok(());
        }
        self.shell.synced = Some(start.height);
        let value = proposed(&start, Validity::Valid);
        let next = Next::Value(value, ValueOrigin::Sync);
        self.shell.inbox.push_back(next);
        Ok(())
    }

    /// Upon `Decided`: append the block. Durable when this returns.
    pub(crate) fn commit(&mut self, decided: &CommitCertificate<Chain>) -> Result<(), Stop> {
        let height = decided.height.0;
        if height <= self.tip() {
            return Ok(());
        }
        let hash = decided.value_id.0;
        let block = match self.shell.checked.remove(&hash) {
            Some(checked) => checked,
            None => self.decided_before_a_crash(height, &hash)?,
        };
        let certificate = certificate_of(decided, block.validators());
        self.disk
            .append(&block, &VerifiedCertificate::by_engine(certificate))?;
        self.shell.validators = block.next_validators().clone();
        self.shell.checked.clear();
        self.shell.allowance.clear();
        self.shell.assembler.forget(height);
        for bytes in &block.block().transactions {
            self.leave_mempool(bytes);
        }
        self.shell.outputs.push(Output::Committed(height, hash));
        Ok(())
    }

    fn decided_before_a_crash(
        &self,
        height: Height,
        hash: &ledger_core::Digest,
    ) -> Result<CheckedBlock, Stop> {
        let unknown = || Stop::Failed(format!("block {height} was decided, but never kept"));
        let kept = self.disk.kept_block(height, hash).ok_or_else(unknown)?;
        let block = Block::decode(&kept.block).map_err(|_| unknown())?;
        Ok(self.disk.replica().check_knowing(&block, |_| None)?)
    }

    fn leave_mempool(&mut self, bytes: &[u8]) {
        let Ok(transaction) = SignedTransaction::decode(bytes) else {
            return;
        };
        let sender = *transaction.sender();
        let nonce = transaction.body().ok().and_then(|body| body.nonce.next());
        if let (Some(next), Some(_)) = (nonce, self.shell.mempool.next_nonce(&sender)) {
            self.shell.mempool.advance(sender, next);
        }
    }

    /// Upon `Finalized`: hold the next height until there is a reason for it.
    pub(crate) fn finalized(&mut self, caught: bool) {
        if caught {
            self.shell.outputs.push(Output::Caught);
        }
        self.shell.held = true;
        let tip = self.tip();
        if self.shell.synced.is_some_and(|height| height >= tip) {
            self.release();
            return;
        }
        let Ok((wait, is_now)) = self.next_block_due() else {
            return;
        };
        if is_now {
            self.release();
            return;
        }
        let tick = Output::Tick(Tick::Heartbeat(tip), wait);
        self.shell.outputs.push(tick);
    }

    /// When a block is due although nothing is submitted: at the heartbeat, when a proposal's time runs
    /// out, or now, when validator changes wait for their turn.
    fn next_block_due(&self) -> Result<(Duration, bool), Stop> {
        let replica = self.disk.replica();
        let parameters = governance::parameters(replica).map_err(StoreError::from)?;
        let heartbeat = u64::from(parameters.heartbeat_seconds.max(1));
        let heartbeat = Duration::from_secs(heartbeat);
        let wakeup = governance::next_wakeup(replica).map_err(StoreError::from)?;
        Ok(match wakeup {
            Some(Wakeup::Now) => (Duration::ZERO, true),
            Some(Wakeup::At(millis)) => {
                let wait = Duration::from_millis(millis.saturating_sub(self.now_millis()));
                (heartbeat.min(wait.max(EXPIRY_PATIENCE)), false)
            }
            None => (heartbeat, false),
        })
    }

    /// Takes a transaction of this node's users. Accepted once it is in the outbox.
    pub(crate) fn submit(&mut self, transaction: VerifiedTransaction) -> Result<(), Stop> {
        self.disk.accept(transaction.clone())?;
        self.bring(transaction);
        Ok(())
    }

    /// Takes a transaction and tells the peers.
    pub(crate) fn bring(&mut self, transaction: VerifiedTransaction) {
        let bytes = transaction.bytes().to_vec();
        self.take_in(transaction);
        self.publish_transactions(vec![bytes]);
    }

    fn take_in(&mut self, transaction: VerifiedTransaction) {
        if let Some(next) = next_nonce(&self.shell.mempool, self.disk, &transaction) {
            // What is not taken now is told again within a second.
            let _ = self.shell.mempool.insert(transaction, next);
        }
    }

    fn hear(&mut self, encoded: &[Vec<u8>]) {
        for bytes in encoded {
            let Ok(transaction) = SignedTransaction::decode(bytes) else {
                continue;
            };
            if self.shell.mempool.contains(&transaction.id()) {
                continue;
            }
            if let Some(verified) = self.me.verifier.verify(transaction) {
                self.take_in(verified);
            }
        }
    }

    /// Tells the peers what waits here: all of it, for what is lost here stays lost. The real node, whose
    /// connections lose nothing, repeats ever more rarely.
    pub(crate) fn gossip_waiting(&mut self) {
        let waiting = self.shell.mempool.reap(PIECE_BYTES);
        if !waiting.is_empty() {
            let bytes = waiting.iter().map(|one| one.bytes().to_vec());
            self.publish_transactions(bytes.collect());
        }
    }

    fn publish_transactions(&mut self, transactions: Vec<Vec<u8>>) {
        self.shell.gossiped += 1;
        let stream = StreamId::new(self.shell.gossiped.to_be_bytes().to_vec().into());
        let content = StreamContent::Data(ProposalPart::Transactions(transactions));
        self.send(None, Message::Part(StreamMessage::new(stream, 0, content)));
    }
}

/// A proposal as consensus wants it.
const fn proposed(start: &ProposalStart, validity: Validity) -> ProposedValue<Chain> {
    ProposedValue {
        height: BlockHeight(start.height),
        round: start.round,
        valid_round: start.valid_round,
        proposer: Address(start.proposer),
        value: ValueHash(start.block),
        validity,
    }
}
