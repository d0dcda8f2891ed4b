//! An ear on the network beside consensus: who connects, who is heard, how far the others are.
//!
//! Consensus itself hears nothing of the network's own signs, and while it rests between two heights
//! the application would not learn that the others have gone on. So an actor listens to the same
//! events: it keeps the table of [`Peers`] and tells the application, in [`Heard`], what may be a
//! reason to start the next height. What the application has no time for is dropped; all of it is
//! repeated within seconds.

use arc_malachitebft_app_channel::app::engine::network::{NetworkEvent, NetworkRef};
use arc_malachitebft_app_channel::app::streaming::StreamContent;
use arc_malachitebft_app_channel::app::types::{PeerId, SignedConsensusMsg};
use async_trait::async_trait;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::mpsc;

use crate::adapter::{Chain, ProposalPart};
use crate::error::StartError;
use crate::peers::{Now, Peers};

/// What may be heard and not yet looked at.
pub(crate) const HEARD: usize = 256;

/// Something the network brought that may be a reason to start a height.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A vote or proposal; its signature is not checked yet.
    Signed(SignedConsensusMsg<Chain>),
    /// Peers came, went, or said how far they are.
    Peers,
}

/// Listens; see the module.
pub(crate) struct Watch {
    peers: Peers,
    heard: mpsc::Sender<Heard>,
}

/// Starts to listen to `network`.
pub(crate) async fn start(
    network: &NetworkRef<Chain>,
    peers: Peers,
    heard: mpsc::Sender<Heard>,
) -> Result<ActorRef<NetworkEvent<Chain>>, StartError> {
    use arc_malachitebft_app_channel::app::engine::network::Msg;
    let failed = |error: String| StartError::Engine(error);
    let (watch, _) = Actor::spawn(None, Watch { peers, heard }, ())
        .await
        .map_err(|error| failed(error.to_string()))?;
    network
        .cast(Msg::Subscribe(Box::new(watch.clone())))
        .map_err(|error| failed(error.to_string()))?;
    Ok(watch)
}

impl Watch {
    fn tell(&self, heard: Heard) {
        // Full: it will be said again.
        let _ = self.heard.try_send(heard);
    }

    fn hear_directly(&self, peer: &PeerId) {
        self.peers.heard_directly(peer, Now::read());
    }
}

#[async_trait]
impl Actor for Watch {
    type Msg = NetworkEvent<Chain>;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Self::Msg>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<Self::Msg>,
        event: Self::Msg,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        match event {
            NetworkEvent::PeerConnected(peer) => {
                self.peers.connected(&peer, Now::read());
                self.tell(Heard::Peers);
            }
            NetworkEvent::PeerDisconnected(peer) => {
                self.peers.disconnected(&peer);
                self.tell(Heard::Peers);
            }
            NetworkEvent::Vote(from, vote) => {
                self.hear_directly(&from);
                self.tell(Heard::Signed(SignedConsensusMsg::Vote(vote)));
            }
            NetworkEvent::Proposal(from, proposal) => {
                self.hear_directly(&from);
                self.tell(Heard::Signed(SignedConsensusMsg::Proposal(proposal)));
            }
            NetworkEvent::ProposalPart(from, publisher, part) => {
                self.hear_directly(&from);
                if let StreamContent::Data(ProposalPart::Hello(hello)) = part.content {
                    let publisher = publisher.unwrap_or(from);
                    self.peers.hello(&publisher, &from, &hello, Now::read());
                    self.tell(Heard::Peers);
                }
            }
            NetworkEvent::Status(peer, status) => {
                self.hear_directly(&peer);
                self.peers.says_height(&peer, status.tip_height.0);
                self.tell(Heard::Peers);
            }
            NetworkEvent::SyncRequest(_, peer, _) | NetworkEvent::SyncResponse(_, peer, _) => {
                self.hear_directly(&peer);
            }
            _ => {}
        }
        Ok(())
    }
}
