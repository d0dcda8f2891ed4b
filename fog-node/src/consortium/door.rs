//! The door: where invited nodes knock, and where nodes of the consortium get snapshots. Closed while no
//! invitation is out and this node is alone.
//!
//! Upon a knock: find the invitation by its number, open the request with its token, check that the
//! joiner holds the keys it names, propose to admit it, end the invitation, answer with the genesis and
//! the peers. Who knocks without a valid invitation is answered with nothing.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use fog_api::ApiError;
use ledger_core::governance::{self, Change, NewOrganisation, Node as NewNode, Outcome};
use ledger_core::{Height, OrganisationId, ProposalNumber, canonical};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinHandle};

use super::joining::{JoinAnswer, JoinRequest, Joiner, Welcome};
use super::noise;
use super::transfer::{self, serve};
use super::view::People;
use crate::clock::unix_millis;
use crate::failure::Failure;
use crate::keystore::random;
use crate::node::Node;

/// Connections of whom nothing is known; of more than these, who has come first goes.
const STRANGERS: usize = 64;
/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(45);
/// How long a request may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(5);
/// How often it is looked whether the last invitation has expired, or the first peer has come.
const LOOK: Duration = Duration::from_secs(2);
/// Pause after a knock that could not be taken.
const PAUSE: Duration = Duration::from_millis(100);
/// Hours the proposal to admit a joiner is open.
const OPEN_HOURS: u32 = 168;

/// Opens and closes the door until the node is gone.
pub(crate) async fn keep_door(node: Weak<Node>) {
    let mut strangers = Strangers::default();
    let Some(mut changes) = node
        .upgrade()
        .map(|node| node.membership.changes.subscribe())
    else {
        return;
    };
    let mut listener: Option<TcpListener> = None;
    loop {
        let Some(running) = node.upgrade() else {
            return;
        };
        changes.mark_unchanged();
        let wanted = running.door_wanted();
        listener = match (listener, wanted) {
            (open @ Some(_), Some(_)) => open,
            (None, Some(address)) => opened(address).await,
            (_, None) => None,
        };
        running.membership.is_open.send_replace(listener.is_some());
        drop(running);
        tokio::select! {
            stream = knock(listener.as_ref()) => {
                strangers.come(|is_known| tokio::spawn(heard(node.clone(), stream, is_known)));
            }
            changed = changes.changed() => if changed.is_err() { return },
            // Invitations expire, and nodes are admitted.
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

async fn opened(address: SocketAddr) -> Option<TcpListener> {
    match TcpListener::bind(address).await {
        Ok(open) => Some(open),
        Err(error) => {
            tracing::error!(%error, %address, "nobody can knock: the door's port cannot be used");
            None
        }
    }
}

async fn knock(listener: Option<&TcpListener>) -> TcpStream {
    match listener {
        None => std::future::pending().await,
        Some(listener) => loop {
            match listener.accept().await {
                Ok((stream, _)) => return stream,
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        },
    }
}

/// Who has come and shown no key and no token yet, the first one first. They are many only if somebody wants to keep
/// others out, and then a new one is more likely to be meant.
#[derive(Default)]
struct Strangers(VecDeque<(Arc<AtomicBool>, AbortHandle)>);

impl Strangers {
    /// Somebody comes, and says so when it is known who.
    fn come(&mut self, hear: impl FnOnce(Arc<AtomicBool>) -> JoinHandle<()>) {
        self.0
            .retain(|(is_known, heard)| !is_known.load(Ordering::Relaxed) && !heard.is_finished());
        if self.0.len() >= STRANGERS
            && let Some((_, first)) = self.0.pop_front()
        {
            first.abort();
        }
        let is_known = Arc::<AtomicBool>::default();
        let heard = hear(Arc::clone(&is_known));
        self.0.push_back((is_known, heard.abort_handle()));
    }
}

/// Somebody is at the door.
async fn heard(node: Weak<Node>, mut stream: TcpStream, is_known: Arc<AtomicBool>) {
    let come = tokio::time::timeout(ARRIVAL, noise::come(&mut stream)).await;
    let answered = match come {
        Ok(Ok((magic, id))) if magic == *noise::MAGIC => {
            let answered = answer(node, stream, id, &is_known);
            let answered = tokio::time::timeout(PATIENCE, answered).await;
            answered.unwrap_or(Ok(()))
        }
        Ok(Ok((magic, _))) if magic == *transfer::MAGIC => serve(node, stream, &is_known).await,
        _ => Err(io::ErrorKind::InvalidData.into()),
    };
    match answered {
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
            tracing::info!(%error, "a knock at the door was not answered");
        }
        _ => {}
    }
}

async fn answer(
    node: Weak<Node>,
    stream: TcpStream,
    id: [u8; 16],
    is_known: &AtomicBool,
) -> io::Result<()> {
    let gone = || io::Error::from(io::ErrorKind::ConnectionAborted);
    let node = node.upgrade().ok_or_else(gone)?;
    let late = |_| io::Error::from(io::ErrorKind::TimedOut);
    let found = node.membership.issued().find(&id, unix_millis()).cloned();
    let issued = found.ok_or_else(|| io::Error::from(io::ErrorKind::PermissionDenied))?;
    let (key, token) = (issued.door_key(), issued.token());
    let request = noise::receive_request(stream, &key, &token);
    let asked = tokio::time::timeout(ARRIVAL, request)
        .await
        .map_err(late)??;
    is_known.store(true, Ordering::Relaxed);
    let answer = match JoinRequest::open(&asked.request, node.chain, &id) {
        None => JoinAnswer::Refused(unreadable().into()),
        Some(joiner) => match node.admit(&id, issued.same_organisation, joiner).await {
            Ok(welcome) => JoinAnswer::Asked(welcome),
            Err(failure) => JoinAnswer::Refused(failure.error.into()),
        },
    };
    asked.answer(&canonical::encode(&answer)).await
}

fn unreadable() -> ApiError {
    ApiError {
        code: "GOV-07".into(),
        what: "The node was not proposed.".into(),
        why: "Its request has another form, or it does not hold the keys it names.".into(),
        next: "Join with the same version of the program, and with names of at most 64 characters."
            .into(),
    }
}

impl Node {
    /// Where the door should be open, if anybody is invited or there are other nodes.
    fn door_wanted(&self) -> Option<SocketAddr> {
        let is_invited = self
            .membership
            .issued()
            .valid(unix_millis())
            .next()
            .is_some();
        self.membership.transfer.offers.tidy();
        if !is_invited && self.consortium.status().peers.is_empty() {
            return None;
        }
        self.membership.settings().door_listen()
    }

    /// Asks the consortium to admit a joiner. Asking again for the same one changes nothing, so that a
    /// joiner whose answer was lost may knock again.
    async fn admit(
        self: &Arc<Self>,
        invitation: &[u8; 16],
        same_organisation: bool,
        joiner: Joiner,
    ) -> Result<Welcome, Failure> {
        let _turn = self.membership.door.lock().await;
        let number = match self.proposed_before(&joiner)? {
            Some(number) => number,
            None => {
                if self
                    .membership
                    .issued()
                    .find(invitation, unix_millis())
                    .is_none()
                {
                    return Err(used());
                }
                let change = self.admission(&joiner, same_organisation)?;
                self.propose_change(change, String::new(), OPEN_HOURS)
                    .await?
            }
        };
        let ended = self.membership.issued().remove(invitation);
        ended.map_err(Failure::internal)?;
        self.membership.changed();
        self.welcome(number)
    }

    /// The proposal that admits this joiner, or did.
    fn proposed_before(&self, joiner: &Joiner) -> Result<Option<ProposalNumber>, Failure> {
        let snapshot = self.replica.read()?;
        let recent = governance::proposals(&snapshot, None, governance::MAX_OPEN as u32)?;
        let found = recent.into_iter().find(|proposal| {
            matches!(proposal.outcome, Outcome::Open | Outcome::Approved { .. })
                && proposal.change.new_keys().contains(&joiner.node)
                && proposal.change.new_keys().contains(&joiner.vote)
        });
        Ok(found.map(|proposal| proposal.number))
    }

    fn admission(&self, joiner: &Joiner, same_organisation: bool) -> Result<Change, Failure> {
        let node = NewNode {
            key: joiner.node,
            vote_key: joiner.vote,
            name: joiner.name.clone(),
            address: joiner.address.clone(),
        };
        if same_organisation {
            let people = People::read(&self.replica.read()?)?;
            let own = people.voice_of(&self.membership.admin()).ok_or_else(used)?;
            return Ok(Change::AdmitNode {
                organisation: own.id,
                node,
            });
        }
        Ok(Change::AdmitOrganisation(NewOrganisation {
            id: OrganisationId(random().map_err(Failure::internal)?),
            name: joiner.organisation.clone(),
            admins: vec![joiner.admin],
            nodes: vec![node],
        }))
    }

    fn welcome(&self, number: ProposalNumber) -> Result<Welcome, Failure> {
        let row = self.proposal_row(number)?;
        let first_block = self.replica.read()?.block(Height(0))?;
        let first_block = first_block.ok_or_else(|| Failure::internal("no block 0"))?;
        let snapshot = self.replica.read()?;
        let people = People::read(&snapshot)?;
        Ok(Welcome {
            proposal: number.0,
            is_admitted: row.outcome == "approved",
            genesis: self.genesis.to_file(),
            first_block: first_block.encode(),
            peers: self.addresses(&people),
        })
    }
}

fn used() -> Failure {
    Failure::new(
        409,
        "GOV-08",
        "The node was not proposed.",
        "The invitation was used, revoked, or has expired.",
        "Ask for a new one.",
    )
}
