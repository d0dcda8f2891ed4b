//! One answer per message of the engine; the table stands in the module above.

use arc_malachitebft_app_channel::app::engine::host::{Next, SyncedValueOutcome};
use arc_malachitebft_app_channel::app::streaming::{StreamContent, StreamId, StreamMessage};
use arc_malachitebft_app_channel::app::types::core::{HeightParams, Round, Validity};
use arc_malachitebft_app_channel::app::types::{
    LocallyProposedValue, MisbehaviorEvidence, PeerId, ProposedValue,
};
use arc_malachitebft_app_channel::{AppMsg, NetworkMsg, Reply};
use ledger_core::{Height, PublicKey};
use ledger_store::StoreError;

use super::{Application, End, Held, now_millis};
use crate::adapter::context::ProposalStart;
use crate::adapter::{BlockHeight, Chain, ProposalPart, ValueHash};
use crate::parts::{self, Assembled};
use crate::proposals::{Checked, proposed};
use crate::{evidence, network};

/// The engine may stop waiting for an answer at any time, most of all while it stops.
fn answer<T>(reply: Reply<T>, value: T) {
    drop(reply.send(value));
}

impl Application {
    /// Answers one message.
    pub(super) async fn answer(&mut self, message: AppMsg<Chain>) -> Result<(), End> {
        match message {
            AppMsg::ConsensusReady { reply } => self.ready(reply)?,
            AppMsg::StartedRound {
                height,
                round,
                reply_value,
                ..
            } => answer(reply_value, self.started(height.0, round)?),
            AppMsg::GetValue {
                height,
                round,
                reply,
                ..
            } => self.propose(height.0, round, reply).await?,
            AppMsg::ReceivedProposalPart {
                from,
                published_by,
                part,
                reply,
            } => {
                let publisher = published_by.unwrap_or(from);
                answer(reply, self.part(publisher, part)?);
            }
            AppMsg::Decided {
                certificate, reply, ..
            } => {
                self.commit(&certificate)?;
                answer(reply, ());
            }
            AppMsg::Finalized {
                evidence, reply, ..
            } => {
                self.keep_evidence(&evidence)?;
                self.finalized(reply)?;
            }
            AppMsg::RestreamProposal {
                height,
                round,
                valid_round,
                value_id,
                ..
            } => {
                self.restream(height.0, round, valid_round, value_id)
                    .await?
            }
            AppMsg::ProcessSyncedValue {
                height,
                round,
                proposer,
                value_bytes,
                reply,
            } => {
                let outcome = self.synced(height.0, round, proposer.0, &value_bytes)?;
                answer(reply, outcome);
            }
            AppMsg::GetDecidedValues { range, reply } => {
                answer(reply, self.final_blocks(range.start().0, range.end().0)?);
            }
            // Block 0 is the genesis: each node makes it itself, none is ever sent. Pruned blocks are not
            // to be had here.
            AppMsg::GetHistoryMinHeight { reply } => {
                let whole = self.replica.read()?.whole_from()?;
                answer(reply, BlockHeight(whole.max(Height(1))));
            }
            AppMsg::ExtendVote { reply, .. } => answer(reply, None),
            AppMsg::VerifyVoteExtensions {
                extensions, reply, ..
            } => {
                let none = extensions
                    .into_iter()
                    .map(|(address, ())| (address, Ok(())));
                answer(reply, none.collect());
            }
        }
        Ok(())
    }

    /// The only validator goes on with what it left unfinished; several finish it together.
    fn ready(&mut self, reply: Reply<(BlockHeight, HeightParams<Chain>)>) -> Result<(), End> {
        let unfinished = self.proposals.any_at(self.next_height().0)?;
        self.held = Some(Held::First(reply));
        if unfinished && self.is_only_validator() {
            self.release()?;
        }
        Ok(())
    }

    /// Keeps what the engine noticed while the block at the tip was decided.
    fn keep_evidence(&self, noticed: &MisbehaviorEvidence<Chain>) -> Result<(), End> {
        if noticed.is_empty() {
            return Ok(());
        }
        let validators = self.replica.read()?.validators_at(self.tip)?;
        let offences = evidence::offences(self.chain, noticed);
        let validators = validators.ok_or(StoreError::Unfounded)?;
        self.evidence
            .keep(self.chain, &validators, offences, now_millis())
            .map_err(End::Evidence)
    }

    fn finalized(&mut self, reply: Reply<Next<Chain>>) -> Result<(), End> {
        self.held = Some(Held::Next(reply));
        Ok(())
    }

    fn started(&mut self, height: Height, round: Round) -> Result<Vec<ProposedValue<Chain>>, End> {
        let mut values = Vec::new();
        for aside in self.proposals.take_aside(height) {
            values.extend(self.check(&aside)?);
        }
        let kept = self.proposals.of_round(height, round)?;
        values.retain(|value| !kept.contains(value));
        values.extend(kept);
        Ok(values)
    }

    async fn propose(
        &mut self,
        height: Height,
        round: Round,
        reply: Reply<LocallyProposedValue<Chain>>,
    ) -> Result<(), End> {
        if height != self.next_height().0 {
            tracing::warn!(%height, tip = %self.tip, "the engine asks for a block of another height");
            return Ok(());
        }
        let built_before = self.proposals.own(height, round, &self.me)?;
        let (start, block) = match built_before {
            Some(built) => built,
            None => self.build(round)?,
        };
        let value = ValueHash(start.block);
        answer(
            reply,
            LocallyProposedValue::new(BlockHeight(height), round, value),
        );
        self.publish_parts(start, &block).await;
        Ok(())
    }

    /// Publishes a block's parts; alone, there is nobody to publish to.
    async fn publish_parts(&self, start: ProposalStart, block: &[u8]) {
        if self.peers.is_none() {
            return;
        }
        let id = parts::stream_id(start.height, start.round, &start.block);
        let id = StreamId::new(id.into());
        for (sequence, part) in (0..).zip(parts::split(start, block)) {
            let message = StreamMessage::new(id.clone(), sequence, StreamContent::Data(part));
            let message = NetworkMsg::PublishProposalPart(message);
            if self.publish.send(message).await.is_err() {
                return;
            }
        }
    }

    async fn restream(
        &self,
        height: Height,
        round: Round,
        valid_round: Round,
        value: ValueHash,
    ) -> Result<(), End> {
        let Some((start, block)) = self.proposals.of_block(height, &value.0)? else {
            tracing::warn!(%height, "asked to repeat a proposal that was never kept");
            return Ok(());
        };
        let start = ProposalStart {
            round,
            valid_round,
            ..start
        };
        self.publish_parts(start, &block).await;
        Ok(())
    }

    fn part(
        &mut self,
        publisher: PeerId,
        message: StreamMessage<ProposalPart>,
    ) -> Result<Option<ProposedValue<Chain>>, End> {
        let part = match message.content {
            StreamContent::Data(ProposalPart::Transactions(encoded)) => {
                self.verify_heard(&encoded);
                return Ok(None);
            }
            // Looked at where the network is watched.
            StreamContent::Data(ProposalPart::Hello(_)) => return Ok(None),
            StreamContent::Data(part) => part,
            StreamContent::Fin => return Ok(None),
        };
        let Some(author) = self.validator_behind(&publisher) else {
            return Ok(None);
        };
        if let ProposalPart::Start(start) = &part {
            if start.height <= self.tip || !self.proposals.allow(author) {
                return Ok(None);
            }
            self.release()?;
        }
        let stream = message.stream_id.to_bytes();
        let publisher = publisher.to_bytes();
        let whole = self
            .assembler
            .take(&publisher, &stream, message.sequence, part);
        let Some(assembled) = whole else {
            return Ok(None);
        };
        if assembled.start.height > self.next_height().0 {
            self.proposals.put_aside(assembled);
            return Ok(None);
        }
        self.check(&assembled)
    }

    /// The validator that is known to the network under this name. Only validators propose; who
    /// published a part is signed, whichever neighbour passed it on.
    fn validator_behind(&self, publisher: &PeerId) -> Option<PublicKey> {
        let keys = self.validators.as_slice().iter().map(|one| one.key);
        let named = |key: &_| network::peer_id(key).is_ok_and(|id| id == *publisher);
        keys.into_iter().find(named)
    }

    /// Checks a proposal for the next height. Bytes that are not the announced block are as if they
    /// had never come.
    fn check(&mut self, assembled: &Assembled) -> Result<Option<ProposedValue<Chain>>, End> {
        let Assembled { start, block } = assembled;
        if start.height != self.next_height().0 || self.validators.find(&start.proposer).is_none() {
            return Ok(None);
        }
        let mempool = &self.mempool;
        let known = |id: &_| mempool.get(id).cloned();
        let checked = self.proposals.check(start, block, now_millis(), known)?;
        Ok(match checked {
            Checked::Valid => Some(proposed(start, Validity::Valid)),
            Checked::Invalid => Some(proposed(start, Validity::Invalid)),
            Checked::Garbage => None,
        })
    }

    /// A block that a peer says was decided; its certificate has been verified by the engine.
    fn synced(
        &mut self,
        height: Height,
        round: Round,
        proposer: PublicKey,
        bytes: &[u8],
    ) -> Result<SyncedValueOutcome<Chain>, End> {
        let Ok(block) = ledger_core::Block::decode(bytes) else {
            return Ok(SyncedValueOutcome::PeerFault);
        };
        let start = ProposalStart {
            height,
            round,
            valid_round: Round::Nil,
            proposer,
            block: block.header.hash(),
            bytes: 0,
        };
        if start.height != self.next_height().0 {
            return Ok(SyncedValueOutcome::LocalTransientError);
        }
        // Two thirds have found the block valid, so its time is not ours to judge any more.
        let mempool = &self.mempool;
        let known = |id: &_| mempool.get(id).cloned();
        let checked = self.proposals.check(&start, bytes, u64::MAX, known)?;
        Ok(match checked {
            Checked::Valid => {
                self.synced = Some(start.height);
                SyncedValueOutcome::Verdict(proposed(&start, Validity::Valid))
            }
            Checked::Invalid | Checked::Garbage => SyncedValueOutcome::PeerFault,
        })
    }
}
