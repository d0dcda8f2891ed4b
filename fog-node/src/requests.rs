//! Requests for access, in the names of the people who are signed in: asked, decided, ended, reviewed.
//!
//! ```text
//! person's open session ─ her key ─▶ signed transaction ─▶ consensus ─▶ final ─▶ the row, in words
//! reason for a broken glass ─▶ vault, sealed, durable first ─▶ commitment in the request
//! ```
//!
//! What a person says is signed with her own key, which this node has only while her session is open; so the node
//! keeps no such transaction, and who gets no answer asks again. The rules are the ledger's
//! (`ledger_core::access`); here it is looked beforehand whether something would be void, and why.

mod afar;
mod asking;
mod attested;
mod broken;
mod following;
mod names;
mod reading;
mod said;
pub(crate) mod serving;
mod shown;
mod view;
mod witness;
mod words;

use self::following::Seats;
pub(crate) use self::names::{Names, name};
pub(crate) use self::words::listed;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use fog_api::{AccessRow, AskAccess as Ask, BreakGlass, GrantAccess as Give, PersonOnLedger};
use ledger_consortium::SubmitError;
use ledger_core::access::{
    self, AccessDecision, AccessError, DecideAccess, GrantAccess, Person as Known,
};
use ledger_core::state::ExecutionError;
use ledger_core::{
    Digest, Height, Payload, PublicKey, SecretKey, SignedTransaction, TransactionBody,
};
use ledger_store::Snapshot;
use tokio::sync::Notify;

use self::broken::Broken;
use crate::audit::Readers;
use crate::failure::Failure;
use crate::ingest::{Item, random_handle};
use crate::node::Node;
use crate::people::{Signed, locked};
use crate::vault::reasons::Reason;

/// How long an answer waits for finality.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longest pause before what had to wait for another transaction of the same person is signed again.
const AGAIN: Duration = Duration::from_millis(100);

/// What requests need of the node's keys.
pub(crate) struct Requests {
    /// The node's own: attests what somebody is to a subject, and signs what is exported.
    pub(crate) attesting: SecretKey,
    /// Who reads what of the access log.
    pub(crate) readers: Readers,
    /// Who follows what was granted.
    seats: Seats,
    /// Is notified when another node has promised a receipt.
    pub(crate) promised: Arc<Notify>,
    /// Nodes that have promised receipts and did not tell; rebuilt from the vault.
    untold: Mutex<Vec<String>>,
    /// Whoever changes what is known of a promised receipt.
    changing: tokio::sync::Mutex<()>,
    /// Broken glasses that nobody has reviewed; rebuilt from the replica.
    broken: Mutex<Broken>,
}

impl Requests {
    /// With the node's key.
    pub(crate) fn new(attesting: SecretKey) -> Self {
        Self {
            attesting,
            readers: Readers::default(),
            seats: Seats::default(),
            promised: Arc::default(),
            untold: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
            broken: Mutex::default(),
        }
    }

    /// Nodes that gave something and did not tell, by name, each once.
    pub(crate) fn untold(&self) -> Vec<String> {
        let untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        untold.clone()
    }

    fn broken(&self) -> MutexGuard<'_, Broken> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_untold(&self, nodes: Vec<String>) {
        *self.untold.lock().unwrap_or_else(PoisonError::into_inner) = nodes;
    }
}

/// Looks in every block for what concerns this node's people: receipts that were promised to them, and glasses that
/// were broken for data of their organisation. As long as the node is there.
pub(crate) async fn follow(node: Weak<Node>) {
    tokio::join!(witness::keep(node.clone()), broken::follow(node));
}

/// The caller, as the ledger knows her.
pub(crate) struct Participant {
    pub(crate) key: PublicKey,
    pub(crate) known: Known,
}

impl Participant {
    pub(crate) const fn handle(&self) -> Digest {
        self.known.registered.handle
    }
}

impl Node {
    /// Asks for access; answers once it is decided or waits for a person, and that is final.
    ///
    /// # Errors
    /// [`Failure`] `ACC-01` if it makes no sense, `ACC-02` if the ledger does not know the caller, `ACC-05` if no
    /// node of the holder's attests her relation.
    pub async fn ask_access(
        self: &Arc<Self>,
        asked: Ask,
        signed: &Signed,
    ) -> Result<AccessRow, Failure> {
        self.put_request(&asked, None, signed).await
    }

    /// The same in an emergency; its reason is durable here before anybody hears of it.
    ///
    /// # Errors
    /// As [`Node::ask_access`].
    pub async fn break_glass(
        self: &Arc<Self>,
        asked: BreakGlass,
        signed: &Signed,
    ) -> Result<AccessRow, Failure> {
        let reason = Reason::draw(asking::checked_reason(&asked.reason)?)?;
        self.put_request(&asked.asked, Some(reason), signed).await
    }

    async fn put_request(
        self: &Arc<Self>,
        asked: &Ask,
        reason: Option<Reason>,
        signed: &Signed,
    ) -> Result<AccessRow, Failure> {
        let handle = random_handle().map_err(Failure::internal)?;
        let (mut request, me) = {
            let snapshot = self.replica.read()?;
            let me = self.participant(&snapshot, signed)?;
            (self.request(&snapshot, asked, handle, signed)?, me)
        };
        let relations = asking::relations(&asked.relations)?;
        let attested = self.attestation(&request, relations, (signed, &me.known));
        request.attestation = attested.await?;
        request.emergency = reason.as_ref().map(Reason::commitment);
        let payload = Payload::AskAccess(request);
        self.refuse_void_of(&me.key, &payload)?;
        if let Some(reason) = reason {
            self.keep_reason(handle, &reason).await?;
        }
        self.say(signed, payload).await?;
        self.access(&handle.to_string(), signed).await
    }

    /// Gives somebody a part of the data of this node's organisation, which she has not asked for; answers once that is
    /// final.
    ///
    /// # Errors
    /// [`Failure`] `ACC-01` if it makes no sense, `ACC-03` if the caller may not give it, or no policy permits any of it.
    pub async fn grant_access(
        self: &Arc<Self>,
        given: Give,
        signed: &Signed,
    ) -> Result<AccessRow, Failure> {
        let handle = random_handle().map_err(Failure::internal)?;
        let payload = {
            let snapshot = self.replica.read()?;
            self.participant(&snapshot, signed)?;
            let person = self.receiver(&given.person)?;
            let asked = self.request(&snapshot, &asking::unasked(given), handle, signed)?;
            Payload::GrantAccess(GrantAccess { asked, person })
        };
        self.say(signed, payload).await?;
        self.access(&handle.to_string(), signed).await
    }

    /// Grants what waits, or refuses it; answers once that is final.
    ///
    /// # Errors
    /// [`Failure`] `ACC-03` if it does not wait, or not for the caller.
    pub async fn decide_access(
        self: &Arc<Self>,
        handle: &str,
        allow: bool,
        signed: &Signed,
    ) -> Result<AccessRow, Failure> {
        let row = self.access(handle, signed).await?;
        if !row.may_decide {
            return Err(refused(AccessError::NotOpen));
        }
        let decision = match allow {
            true => AccessDecision::Allow,
            false => AccessDecision::End,
        };
        self.decide(handle, decision, signed).await
    }

    /// Ends a request in the holder's name, or gives back what the caller was granted; answers once that is final.
    ///
    /// # Errors
    /// [`Failure`] `ACC-03` if there is nothing to end, or not for the caller.
    pub async fn end_access(
        self: &Arc<Self>,
        handle: &str,
        signed: &Signed,
    ) -> Result<AccessRow, Failure> {
        self.decide(handle, AccessDecision::End, signed).await
    }

    /// Says whether there was reason to break the glass; answers once that is final.
    ///
    /// # Errors
    /// [`Failure`] `ACC-03` if it was not broken, was reviewed before, or is not for the caller to review.
    pub async fn review_access(
        self: &Arc<Self>,
        handle: &str,
        is_justified: bool,
        signed: &Signed,
    ) -> Result<AccessRow, Failure> {
        self.decide(handle, AccessDecision::Review { is_justified }, signed)
            .await
    }

    async fn decide(
        self: &Arc<Self>,
        handle: &str,
        decision: AccessDecision,
        signed: &Signed,
    ) -> Result<AccessRow, Failure> {
        // Who may not see a request is not told either that there is one.
        let row = self.access(handle, signed).await?;
        let access = view::parse_handle(&row.handle)?;
        let decided = Payload::DecideAccess(DecideAccess { access, decision });
        let at = self.say(signed, decided).await?;
        let row = self.access(handle, signed).await?;
        // What another had decided in the same moment stands; this changed nothing then.
        match row.changed_height >= at.0 {
            true => Ok(row),
            false => Err(refused(AccessError::NotOpen)),
        }
    }

    /// The caller, as the ledger knows her.
    pub(crate) fn participant(
        &self,
        snapshot: &Snapshot<'_>,
        signed: &Signed,
    ) -> Result<Participant, Failure> {
        let Some((key, ledger)) = self.key_of(signed) else {
            return Err(locked());
        };
        let known = access::person_of(snapshot, &key).map_err(Failure::internal)?;
        let known = known.ok_or_else(|| unknown(&ledger))?;
        Ok(Participant { key, known })
    }

    /// Signs what a person says, and waits until it is final: at which height it is.
    pub(crate) async fn say(&self, signed: &Signed, payload: Payload) -> Result<Height, Failure> {
        let keys = self.people.keys(signed).ok_or_else(locked)?;
        let key = keys.signing();
        self.refuse_void_of(&key.public(), &payload)?;
        let said = self.until_said(&key, payload);
        let said = tokio::time::timeout(PATIENCE, said).await;
        said.unwrap_or_else(|_| {
            Err(Failure::new(
                503,
                "ACC-04",
                "It is not final yet.",
                format!(
                    "{} This node does not keep it.",
                    self.consortium.status().quorum
                ),
                "Look at the list of requests later; ask again if it is not there.",
            ))
        })
    }

    /// Submits until it is final. Upon another transaction of the same person on its way: it is signed again once
    /// that is final.
    async fn until_said(&self, key: &SecretKey, payload: Payload) -> Result<Height, Failure> {
        loop {
            let mut blocks = self.consortium.subscribe();
            let body = TransactionBody {
                chain: self.chain,
                nonce: self.replica.read()?.account(&key.public())?.next_nonce,
                payload: payload.clone(),
            };
            let submitted = self.consortium.submit(SignedTransaction::sign(&body, key));
            let outcome = match submitted.await {
                Ok(submission) => submission.await,
                Err(error) => Err(error),
            };
            match outcome {
                Ok(finality) => return Ok(finality.height),
                Err(
                    SubmitError::NonceTaken(_)
                    | SubmitError::NonceUsed { .. }
                    | SubmitError::SenderLimit
                    | SubmitError::Full
                    | SubmitError::Refused(ExecutionError::Nonce { .. }),
                ) => {
                    // A block or the pause: either is reason to try again.
                    let _ = tokio::time::timeout(AGAIN, blocks.recv()).await;
                }
                Err(SubmitError::Stopped) => return Err(Failure::stopping()),
                Err(SubmitError::Refused(ExecutionError::NotMember)) => {
                    return Err(refused(AccessError::NotAPerson));
                }
                Err(error) => return Err(Failure::internal(error)),
            }
        }
    }

    /// Refuses what the ledger would not take from this key.
    pub(crate) fn refuse_void_of(&self, key: &PublicKey, payload: &Payload) -> Result<(), Failure> {
        let void = self.void_of(*key, payload)?;
        void.map_or(Ok(()), |error| Err(refused(error)))
    }

    pub(crate) async fn keep_reason(&self, access: Digest, reason: &Reason) -> Result<(), Failure> {
        let sealed = reason.seal(&self.master, access)?;
        self.until_durable(|done| Item::Reason(sealed, done)).await
    }
}

/// The ledger does not know who asks.
fn unknown(ledger: &PersonOnLedger) -> Failure {
    let why = ledger.why_not.as_deref();
    Failure::new(
        409,
        "ACC-02",
        "The ledger does not know you yet.",
        why.unwrap_or("Your registration is not final, or your organisation takes no part."),
        "Wait a moment and try again. An admin sees with fogward user list what keeps it.",
    )
}

/// Why the ledger would not take something, for a person.
fn refused(error: AccessError) -> Failure {
    let (status, code, next) = match error {
        AccessError::Metrics
        | AccessError::Period
        | AccessError::Duration
        | AccessError::NoHolder => (400, "ACC-01", "Correct it, and ask again."),
        AccessError::NotPermitted => {
            let next = "Ask for less, or for another purpose; fogward policy simulate tells what is permitted.";
            (409, "ACC-03", next)
        }
        AccessError::MayNotRead => (403, "ACC-03", "Ask an auditor or an admin."),
        AccessError::NoAccess => (404, "ACC-03", "See the list of requests."),
        AccessError::NoPerson | AccessError::Revoked => {
            (409, "ACC-03", "Take the handle of somebody who takes part.")
        }
        _ => (
            409,
            "ACC-03",
            "Look at the request; somebody may have decided meanwhile.",
        ),
    };
    let why = format!("On the ledger, {error}.");
    Failure::new(status, code, "Nothing was changed.", why, next)
}
