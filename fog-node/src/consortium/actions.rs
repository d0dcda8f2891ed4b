//! What this node's organisation says with its admin key, proposals, votes, policies and people: signed, on disk,
//! submitted, final.

use std::sync::Arc;
use std::time::Duration;

use fog_api::consortium::Change as Asked;
use fog_api::{CastVote, ProposalRow, ProposeChange};
use ledger_consortium::{Finality, Submission, SubmitError};
use ledger_core::governance::{self, Change, Choice, Propose, Vote};
use ledger_core::state::ExecutionError;
use ledger_core::transaction::TransactionBody;
use ledger_core::{Nonce, Payload, ProposalNumber, SignedTransaction};
use tokio::sync::oneshot;

use super::change;
use crate::failure::Failure;
use crate::node::Node;

/// How long an answer waits for finality.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long what is to be sent waits for what was sent before.
const CLEARANCE: Duration = Duration::from_secs(3);
/// Hours a proposal is open unless said otherwise, and at most.
const DEFAULT_OPEN_HOURS: u32 = 72;
const MAX_OPEN_HOURS: u32 = 720;

impl Node {
    /// Proposes a change; answers once the proposal is final. It counts as this organisation's vote for it.
    ///
    /// # Errors
    /// [`Failure`] if the change makes no sense, would halt the ledger, or is not taken.
    pub async fn propose(self: &Arc<Self>, asked: ProposeChange) -> Result<ProposalRow, Failure> {
        let change = change::read(&asked.change)?;
        if !asked.force {
            self.refuse_halt(&asked.change).await?;
        }
        let hours = asked.open_hours.unwrap_or(DEFAULT_OPEN_HOURS);
        if !(1..=MAX_OPEN_HOURS).contains(&hours) {
            return Err(not_taken("A proposal is open for 1 to 720 hours."));
        }
        let number = self.propose_change(change, asked.reason, hours).await?;
        self.proposal_row(number)
    }

    /// Puts a change on the agenda and returns its number.
    pub(super) async fn propose_change(
        self: &Arc<Self>,
        change: Change,
        reason: String,
        hours: u32,
    ) -> Result<ProposalNumber, Failure> {
        let propose = Propose {
            change: change.clone(),
            reason,
            open_for_millis: u64::from(hours) * 3_600_000,
        };
        let finality = self.send(Payload::Propose(propose)).await?;
        let snapshot = self.replica.read()?;
        let admin = self.membership.admin();
        let newest = governance::proposals(&snapshot, None, 256).map_err(Failure::internal)?;
        let mine = newest.into_iter().find(|proposal| {
            proposal.height == finality.height
                && proposal.admin == admin
                && proposal.change == change
        });
        mine.map(|proposal| proposal.number)
            .ok_or_else(|| Failure::internal("a final proposal is not in the state"))
    }

    /// Votes for this node's organisation; answers once the vote is final.
    ///
    /// # Errors
    /// [`Failure`] if there is no such proposal, it is decided, or the vote is not taken.
    pub async fn vote(
        self: &Arc<Self>,
        number: u64,
        cast: CastVote,
    ) -> Result<ProposalRow, Failure> {
        let number = ProposalNumber(number);
        self.proposal_row(number)?;
        let choice = if cast.approve {
            Choice::Approve
        } else {
            Choice::Reject
        };
        self.send(Payload::Vote(Vote {
            proposal: number,
            choice,
        }))
        .await?;
        self.proposal_row(number)
    }

    /// Refuses a change that would halt the ledger.
    async fn refuse_halt(self: &Arc<Self>, asked: &Asked) -> Result<(), Failure> {
        let findings = self.preflight(asked.clone()).await?;
        match findings.into_iter().find(|finding| finding.halts) {
            Some(finding) => Err(Failure::new(
                409,
                "GOV-02",
                "The change was not proposed: the ledger would halt.",
                finding.what,
                &finding.next,
            )),
            None => Ok(()),
        }
    }

    /// Signs, keeps and submits; returns once it is final.
    pub(crate) async fn send(self: &Arc<Self>, payload: Payload) -> Result<Finality, Failure> {
        let turn = self.membership.turn.lock().await;
        self.until_clear().await?;
        let admin = &self.membership.admin;
        let nonce = self.replica.read()?.account(&admin.public())?.next_nonce;
        let body = TransactionBody {
            chain: self.chain,
            nonce,
            payload,
        };
        let transaction = SignedTransaction::sign(&body, admin);
        let outbox = &self.membership.outbox;
        outbox
            .keep(nonce, &transaction)
            .map_err(Failure::internal)?;
        let outcome = self.submit_governance(nonce, transaction).await;
        drop(turn);
        match tokio::time::timeout(PATIENCE, outcome).await {
            Ok(Ok(Ok(finality))) => Ok(finality),
            Ok(Ok(Err(error))) => Err(refused(&error)),
            Ok(Err(_)) => Err(Failure::stopping()),
            Err(_) => Err(Failure::new(
                503,
                "GOV-03",
                "It is not final yet.",
                format!("{} It is kept on disk.", self.consortium.status().quorum),
                "It goes on by itself; look at the consortium's page later.",
            )),
        }
    }

    /// Waits a little until nothing that the organisation said is on its way.
    ///
    /// # Errors
    /// [`Failure`] `GOV-04` if something stays.
    pub(crate) async fn until_clear(&self) -> Result<(), Failure> {
        let mut settled = self.membership.settled.subscribe();
        let until = tokio::time::Instant::now() + CLEARANCE;
        while !self
            .membership
            .outbox
            .list()
            .map_err(Failure::internal)?
            .is_empty()
        {
            // The sender lives as long as this node.
            if tokio::time::timeout_at(until, settled.changed())
                .await
                .is_err()
            {
                return Err(Failure::new(
                    409,
                    "GOV-04",
                    "It was not sent.",
                    "Something that this organisation said earlier is still waiting to become final.",
                    "Wait until enough validators are back; it goes on by itself then.",
                ));
            }
        }
        Ok(())
    }

    /// Submits a kept transaction; whatever becomes of it, the outbox is told.
    async fn submit_governance(
        self: &Arc<Self>,
        nonce: Nonce,
        transaction: SignedTransaction,
    ) -> oneshot::Receiver<Result<Finality, SubmitError>> {
        let (tell, told) = oneshot::channel();
        let submitted = self.consortium.submit(transaction).await;
        let node = Arc::downgrade(self);
        tokio::spawn(async move {
            let outcome = settled(submitted).await;
            // What stops with the node is submitted again at its next start.
            if !matches!(outcome, Err(SubmitError::Stopped))
                && let Some(node) = node.upgrade()
            {
                if let Err(error) = node.membership.outbox.forget(nonce) {
                    tracing::error!(%error, "a finished transaction could not be taken off the outbox");
                }
                node.membership.settled.send_modify(|count| *count += 1);
            }
            // Who asked may have stopped waiting.
            drop(tell.send(outcome));
        });
        told
    }

    /// Submits what an earlier run left.
    pub(crate) async fn resubmit_governance(self: &Arc<Self>) -> anyhow::Result<()> {
        let next = self
            .replica
            .read()?
            .account(&self.membership.admin())?
            .next_nonce;
        for (nonce, transaction) in self.membership.outbox.list()? {
            if nonce < next {
                self.membership.outbox.forget(nonce)?;
            } else {
                drop(self.submit_governance(nonce, transaction).await);
            }
        }
        Ok(())
    }
}

async fn settled(submitted: Result<Submission, SubmitError>) -> Result<Finality, SubmitError> {
    submitted?.await
}

/// Why the ledger did not take a proposal or vote, for a person.
fn refused(error: &SubmitError) -> Failure {
    match error {
        SubmitError::Refused(ExecutionError::Governance(error)) => {
            not_taken(&format!("{}.", sentence(&error.to_string())))
        }
        SubmitError::Refused(ExecutionError::NotMember) => {
            not_taken("This node's organisation has no voice in the consortium.")
        }
        SubmitError::Stopped => Failure::stopping(),
        other => not_taken(&format!("{}.", sentence(&other.to_string()))),
    }
}

fn not_taken(why: &str) -> Failure {
    Failure::new(
        409,
        "GOV-05",
        "The ledger did not take it.",
        why,
        "Look at the consortium's page, which shows what is in force and what is open.",
    )
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
