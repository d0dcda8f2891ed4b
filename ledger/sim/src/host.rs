//! What Malachite's engine does upon each effect of consensus, over a simulated disk and network.
//!
//! Upon `WalAppend` write; upon anything that leaves the node or decides, sync the log first; upon the
//! application's part, see the module `application`. The first write that fails stops the node: from
//! then on effects are answered, for the state machine must end, but nothing is done.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::time::Duration;

use arc_malachitebft_app_channel::app::consensus::{
    ConsensusMsg, Effect, Input, LivenessMsg, Resumable, Resume, VoteExtensionError,
};
use arc_malachitebft_app_channel::app::types::SignedConsensusMsg;
use arc_malachitebft_app_channel::app::types::core::{CertificateError, Timeout};
use arc_malachitebft_signing::{Signer as _, Verifier as _, VerifierExt as _};
use futures_util::FutureExt as _;
use ledger_consortium::mempool::{Limits, Mempool};
use ledger_consortium::pure::{Assembled, Assembler, Chain, TIMEOUTS};
use ledger_core::{Digest, Height, PublicKey, ValidatorSet};
use ledger_store::CheckedBlock;

use crate::catchup::Catchup;
use crate::disk::{Disk, Stop};
use crate::message::Message;
use crate::network::NodeIndex;
use crate::node::{Identity, Next, height_of};
use crate::random::Random;
use crate::time::Moment;

/// Pending transactions are told to the peers again after this time.
const GOSSIP_INTERVAL: Duration = Duration::from_secs(1);
/// A node tells how far it is after this time.
const STATUS_INTERVAL: Duration = Duration::from_secs(2);

/// A timer of the application.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tick {
    /// Time to repeat what waits.
    Gossip,
    /// Time to say how far this node is.
    Status,
    /// The heartbeat after the block of this height.
    Heartbeat(Height),
    /// The answer to this request for blocks is overdue.
    Request(u64),
}

/// What a node wants of the world.
#[derive(Debug)]
pub(crate) enum Output {
    /// Carry a message, to one node or to all others.
    Send(Option<NodeIndex>, Box<Message>),
    /// Run a timer of consensus, by this node's clock.
    Timer(Timeout, u64, Duration),
    /// Run a timer of the application, by this node's clock.
    Tick(Tick, Duration),
    /// A block is on disk.
    Committed(Height, Digest),
    /// A validator was caught signing two different things.
    Caught,
    /// A block of a peer was found invalid.
    Refused,
}

/// Everything of a node that is lost in a crash, consensus apart.
pub(crate) struct Shell {
    /// The validators of the next height.
    pub validators: ValidatorSet,
    /// Whether this node is one of them.
    pub votes: bool,
    /// Whether the log is being replayed.
    pub recovering: bool,
    /// Whether the next height waits for a reason to begin.
    pub held: bool,
    /// Why the node stops.
    pub stop: Option<Stop>,
    pub inbox: VecDeque<Next>,
    pub outputs: Vec<Output>,
    timers: Vec<(Timeout, u64)>,
    timers_started: u64,
    pub mempool: Mempool,
    pub assembler: Assembler,
    pub checked: BTreeMap<Digest, CheckedBlock>,
    pub ahead: Vec<Assembled>,
    /// Proposals looked at, by publisher, at this height.
    pub allowance: BTreeMap<PublicKey, u32>,
    /// The last height learned through catching up.
    pub synced: Option<Height>,
    pub gossiped: u64,
    pub catchup: Catchup,
    pub random: Random,
}

impl Shell {
    /// The shell of a node that starts on `disk`.
    pub(crate) fn new(disk: &Disk, validators: ValidatorSet, random: Random) -> Self {
        let (_, genesis) = disk.replica().chain();
        let block_bytes = genesis.parameters.max_block_bytes as usize;
        let limits = Limits {
            transaction_bytes: block_bytes,
            ..Limits::default()
        };
        let ticks = [
            Output::Tick(Tick::Gossip, GOSSIP_INTERVAL),
            Output::Tick(Tick::Status, STATUS_INTERVAL),
        ];
        Self {
            validators,
            votes: false,
            recovering: false,
            held: false,
            stop: None,
            inbox: VecDeque::new(),
            outputs: ticks.into(),
            timers: Vec::new(),
            timers_started: 0,
            mempool: Mempool::new(limits),
            assembler: Assembler::new(block_bytes * 2 + 4096),
            checked: BTreeMap::new(),
            ahead: Vec::new(),
            allowance: BTreeMap::new(),
            synced: None,
            gossiped: 0,
            catchup: Catchup::default(),
            random,
        }
    }
}

/// A node while it handles one thing.
pub(crate) struct Host<'a> {
    pub shell: &'a mut Shell,
    pub disk: &'a mut Disk,
    pub me: &'a Identity,
    pub now: Moment,
}

/// The outcome of a future that never waits: signing and checking here take no time but this one's.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    future.now_or_never()
}

impl Host<'_> {
    /// Height of the last block.
    pub(crate) fn tip(&self) -> Height {
        let tip = self.disk.replica().tip();
        tip.map_or(Height(0), |(_, header)| header.height)
    }

    /// The height that is decided next.
    pub(crate) fn next_height(&self) -> Height {
        Height(self.tip().0 + 1)
    }

    pub(crate) fn send(&mut self, to: Option<NodeIndex>, message: Message) {
        self.shell.outputs.push(Output::Send(to, Box::new(message)));
    }

    /// A message of a peer; what consensus is to be told of it.
    pub(crate) fn receive(
        &mut self,
        from: NodeIndex,
        message: Message,
    ) -> Result<Option<Input<Chain>>, Stop> {
        match message {
            Message::Consensus(message) => {
                if height_of(&message) > self.tip() {
                    self.release();
                }
                Ok(Some(match message {
                    SignedConsensusMsg::Vote(vote) => Input::Vote(vote),
                    SignedConsensusMsg::Proposal(proposal) => Input::Proposal(proposal),
                }))
            }
            Message::Liveness(LivenessMsg::Vote(vote)) => {
                if vote.message.height.0 > self.tip() {
                    self.release();
                }
                Ok(Some(Input::Vote(vote)))
            }
            Message::Liveness(LivenessMsg::PolkaCertificate(polka)) => {
                Ok(Some(Input::PolkaCertificate(polka)))
            }
            Message::Liveness(LivenessMsg::SkipRoundCertificate(votes)) => {
                Ok(Some(Input::RoundCertificate(votes)))
            }
            Message::Part(part) => self.part(from, part).map(|()| None),
            Message::Status(status) => {
                self.heard_status(from, status.tip_height.0);
                Ok(None)
            }
            Message::Request(number, request) => {
                self.answer_request(from, number, &request);
                Ok(None)
            }
            Message::Response(number, response) => {
                self.heard_blocks(from, number, response);
                Ok(None)
            }
        }
    }

    /// A timer of consensus has run out; void if it was cancelled or started anew.
    pub(crate) fn time_out(&mut self, timeout: Timeout, timer: u64) -> Option<Input<Chain>> {
        let running = self.shell.timers.len();
        self.shell
            .timers
            .retain(|started| *started != (timeout, timer));
        (self.shell.timers.len() < running).then_some(Input::TimeoutElapsed(timeout))
    }

    pub(crate) fn tick(&mut self, tick: Tick) {
        match tick {
            Tick::Gossip => {
                self.gossip_waiting();
                let again = Output::Tick(Tick::Gossip, GOSSIP_INTERVAL);
                self.shell.outputs.push(again);
            }
            Tick::Status => {
                self.tell_status();
                let again = Output::Tick(Tick::Status, STATUS_INTERVAL);
                self.shell.outputs.push(again);
            }
            Tick::Heartbeat(height) if height == self.tip() => self.release(),
            Tick::Heartbeat(_) => {}
            Tick::Request(request) => self.request_overdue(request),
        }
    }

    /// Performs one effect and says how consensus goes on.
    pub(crate) fn perform(&mut self, effect: Effect<Chain>) -> Resume<Chain> {
        match effect {
            Effect::CancelAllTimeouts(resume) => {
                self.shell.timers.clear();
                resume.resume_with(())
            }
            Effect::CancelTimeout(timeout, resume) => {
                self.shell.timers.retain(|(running, _)| *running != timeout);
                resume.resume_with(())
            }
            Effect::ScheduleTimeout(timeout, resume) => {
                self.attempt(|host| {
                    host.schedule(timeout);
                    Ok(())
                });
                resume.resume_with(())
            }
            Effect::StartRound(height, round, _, _, resume) => {
                self.attempt(|host| {
                    host.sync_log()?;
                    host.started_round(height.0, round)
                });
                resume.resume_with(())
            }
            Effect::GetValue(height, round, _, resume) => {
                self.attempt(|host| host.propose(height.0, round));
                resume.resume_with(())
            }
            Effect::RestreamProposal(height, round, valid_round, _, value, resume) => {
                self.attempt(|host| {
                    host.restream(height.0, round, valid_round, value);
                    Ok(())
                });
                resume.resume_with(())
            }
            Effect::Decide(certificate, _, resume) => {
                self.attempt(|host| {
                    host.sync_log()?;
                    host.commit(&certificate)
                });
                resume.resume_with(())
            }
            Effect::Finalize(_, _, evidence, resume) => {
                self.attempt(|host| {
                    host.finalized(!evidence.is_empty());
                    Ok(())
                });
                resume.resume_with(())
            }
            Effect::WalAppend(height, entry, resume) => {
                self.attempt(|host| match host.shell.recovering || !host.shell.votes {
                    true => Ok(()),
                    false => host.disk.append_log(height.0, entry),
                });
                resume.resume_with(())
            }
            Effect::CertVerifiedSyncValue(value, proposer, resume) => {
                self.attempt(|host| host.synced(value, proposer));
                resume.resume_with(())
            }
            Effect::CertRejectedSyncValue(peer, _, _, resume) => {
                self.attempt(|host| {
                    host.blocks_refused(peer);
                    Ok(())
                });
                resume.resume_with(())
            }
            other => self.perform_publishing(other),
        }
    }

    fn perform_publishing(&mut self, effect: Effect<Chain>) -> Resume<Chain> {
        match effect {
            Effect::PublishConsensusMsg(message, resume) => {
                self.attempt(|host| {
                    host.sync_log()?;
                    host.send(None, Message::Consensus(message));
                    Ok(())
                });
                resume.resume_with(())
            }
            Effect::PublishLivenessMsg(message, resume) => {
                self.publish_liveness(message);
                resume.resume_with(())
            }
            Effect::RepublishVote(vote, resume) => {
                self.publish_liveness(LivenessMsg::Vote(vote));
                resume.resume_with(())
            }
            Effect::RepublishRoundCertificate(votes, resume) => {
                self.publish_liveness(LivenessMsg::SkipRoundCertificate(votes));
                resume.resume_with(())
            }
            other => self.perform_signing(other),
        }
    }

    fn perform_signing(&mut self, effect: Effect<Chain>) -> Resume<Chain> {
        let (signer, verifier) = (&self.me.signer, &self.me.verifier);
        match effect {
            Effect::SignVote(vote, resume) => match at_once(signer.sign_vote(vote)) {
                Some(Ok(signed)) => resume.resume_with(signed),
                _ => self.cannot_sign(),
            },
            Effect::SignProposal(proposal, resume) => {
                match at_once(signer.sign_proposal(proposal)) {
                    Some(Ok(signed)) => resume.resume_with(signed),
                    _ => self.cannot_sign(),
                }
            }
            Effect::VerifySignature(signed, key, resume) => {
                let signature = &signed.signature;
                let found = match &signed.message {
                    ConsensusMsg::Vote(vote) => {
                        at_once(verifier.verify_signed_vote(vote, signature, &key))
                    }
                    ConsensusMsg::Proposal(proposal) => {
                        at_once(verifier.verify_signed_proposal(proposal, signature, &key))
                    }
                };
                resume.resume_with(matches!(found, Some(Ok(found)) if found.is_valid()))
            }
            Effect::VerifyCommitCertificate(certificate, set, thresholds, resume) => {
                let check =
                    verifier.verify_commit_certificate(&Chain, &certificate, &set, thresholds);
                resume.resume_with(checked(at_once(check)))
            }
            Effect::VerifyExtendedCommitCertificate(
                certificate,
                set,
                thresholds,
                policy,
                resume,
            ) => {
                let check = verifier.verify_extended_commit_certificate(
                    &Chain,
                    &certificate,
                    &set,
                    thresholds,
                    policy,
                );
                resume.resume_with(checked(at_once(check)))
            }
            Effect::VerifyPolkaCertificate(certificate, set, thresholds, resume) => {
                let check =
                    verifier.verify_polka_certificate(&Chain, &certificate, &set, thresholds);
                resume.resume_with(checked(at_once(check)))
            }
            Effect::VerifyRoundCertificate(certificate, set, thresholds, resume) => {
                let check =
                    verifier.verify_round_certificate(&Chain, &certificate, &set, thresholds);
                resume.resume_with(checked(at_once(check)))
            }
            Effect::ExtendVote(.., resume) => resume.resume_with(None),
            Effect::VerifyVoteExtension(.., resume) => {
                resume.resume_with(Err(VoteExtensionError::InvalidVoteExtension))
            }
            // All others are performed before this one is asked.
            _ => Resume::Continue,
        }
    }

    /// Does something that may stop the node, unless it has stopped.
    fn attempt(&mut self, act: impl FnOnce(&mut Self) -> Result<(), Stop>) {
        if self.shell.stop.is_none()
            && let Err(stop) = act(self)
        {
            self.shell.stop = Some(stop);
        }
    }

    fn publish_liveness(&mut self, message: LivenessMsg<Chain>) {
        self.attempt(|host| {
            host.send(None, Message::Liveness(message));
            Ok(())
        });
    }

    fn cannot_sign(&mut self) -> Resume<Chain> {
        self.attempt(|_| Err(Stop::Failed("it could not sign".into())));
        Resume::Continue
    }

    fn sync_log(&mut self) -> Result<(), Stop> {
        match self.shell.recovering || !self.shell.votes {
            true => Ok(()),
            false => self.disk.sync_log(),
        }
    }

    fn schedule(&mut self, timeout: Timeout) {
        self.shell.timers.retain(|(running, _)| *running != timeout);
        self.shell.timers_started += 1;
        let timer = self.shell.timers_started;
        self.shell.timers.push((timeout, timer));
        let after = TIMEOUTS.duration_for(timeout);
        self.shell
            .outputs
            .push(Output::Timer(timeout, timer, after));
    }
}

/// A check that did not come to an end has found nothing valid.
#[expect(clippy::result_large_err, reason = "the error is Malachite's")]
fn checked(
    found: Option<Result<(), CertificateError<Chain>>>,
) -> Result<(), CertificateError<Chain>> {
    found.unwrap_or(Err(CertificateError::NotEnoughVotingPower {
        signed: 0,
        total: 0,
        expected: 0,
    }))
}
