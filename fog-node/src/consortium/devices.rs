//! Devices that go from one node to another, and what was granted to people elsewhere: who is asked, and what is
//! answered over the door's port.

use std::io;
use std::sync::Arc;

use ledger_core::genesis::Member;
use ledger_core::{Digest, PublicKey};

use super::settings::door_of;
use super::transfer::{Answer, Connected, Source};
use super::view::People;
use crate::failure::Failure;
use crate::node::Node;

impl Node {
    /// The active node with this name or key.
    ///
    /// # Errors
    /// [`Failure`] if there is none, or several have the name.
    pub(crate) fn member_named(&self, name: &str) -> Result<Member, Failure> {
        let people = People::read(&self.replica.read()?)?;
        let mut named = people
            .members()
            .iter()
            .filter(|member| member.name == name || member.key.to_string() == name);
        match (named.next(), named.next()) {
            (Some(member), None) => Ok(member.clone()),
            (found, _) => Err(Failure::new(
                400,
                "HAND-05",
                "The device was not handed over.",
                match found {
                    None => "No active node of the consortium has this name or key.",
                    Some(_) => "Several nodes have this name.",
                },
                "Give a node's name, or its key, as the consortium's page shows it.",
            )),
        }
    }

    /// Connects to a node's door and asks it something.
    pub(crate) async fn ask_node<T>(
        &self,
        node: &Member,
        ask: impl AsyncFnOnce(&mut Connected) -> io::Result<T>,
    ) -> io::Result<T> {
        let address = door_of(&node.address);
        let source = Source {
            key: node.vote_key,
            name: node.name.clone(),
            address: address.ok_or(io::ErrorKind::AddrNotAvailable)?,
        };
        let own = &self.membership.transfer.vote;
        let mut connected = source.connect(self.chain, own).await?;
        ask(&mut connected).await
    }

    /// The same once it is this node's turn, so that many who want something from it at once all get it.
    pub(crate) async fn ask_in_turn<T>(
        &self,
        node: &Member,
        ask: impl AsyncFnOnce(&mut Connected) -> io::Result<T>,
    ) -> io::Result<T> {
        let turns = self.membership.transfer.turns(&node.vote_key);
        let _turn = turns.acquire().await.map_err(io::Error::other)?;
        self.ask_node(node, ask).await
    }

    /// The answer to a node that asks for a device's pairing.
    pub(super) async fn give_pairing(&self, handle: Digest, asker: PublicKey) -> Answer {
        match self.pairing_for(&handle, &asker).await {
            Ok(Some(pairing)) => Answer::Pairing(pairing),
            Ok(None) => Answer::Unknown,
            Err(failure) => {
                tracing::warn!(%failure, "a pairing could not be given");
                Answer::Unknown
            }
        }
    }

    /// The answer to a node that has a device's pairing on disk.
    pub(super) async fn forget_pairing(&self, handle: Digest, asker: PublicKey) -> Answer {
        match self.handed_over(&handle, &asker).await {
            Ok(()) => Answer::Forgotten,
            Err(failure) => {
                tracing::warn!(%failure, "a device could not be let go of");
                Answer::Unknown
            }
        }
    }

    /// The answer to a node whose person orders what she was granted.
    pub(super) async fn answer_order(self: &Arc<Self>, order: Vec<u8>, asker: PublicKey) -> Answer {
        let name = Digest::of(&order);
        let packages = &self.membership.transfer.packages;
        let packed = async {
            // Whether she may still is looked at each time, also if it is packed already.
            let Some(ordered) = self.ordered(&order, &asker).await? else {
                return Ok(None);
            };
            if let Some(hashes) = packages.find(&asker, &name) {
                return Ok(Some(hashes));
            }
            let package = self.packed_order(ordered).await?;
            Ok::<_, Failure>(Some(packages.keep(asker, name, &package)))
        };
        match packed.await {
            Ok(None) => Answer::Unknown,
            Ok(Some(hashes)) => Answer::Packed(hashes),
            Err(failure) => Answer::Refused(serde_json::to_vec(&failure.error).unwrap_or_default()),
        }
    }

    /// The answer to a node whose person claims to be something to a subject.
    pub(super) fn answer_claim(&self, claim: &[u8], asker: &PublicKey) -> Answer {
        match self.attest_claim(claim, asker) {
            Ok(Some(attested)) => Answer::Attested(attested),
            Ok(None) => Answer::Unknown,
            Err(failure) => {
                tracing::warn!(%failure, "a claim could not be looked at");
                Answer::Unknown
            }
        }
    }

    /// The answer to a node that tells what it hears.
    pub(super) fn hear_colleague(&self, hearing: &[u8], asker: &PublicKey) -> Answer {
        match self.note_hearing(asker, hearing) {
            Ok(true) => Answer::Noted,
            Ok(false) => Answer::Unknown,
            Err(failure) => {
                tracing::warn!(%failure, "what a node hears could not be noted");
                Answer::Unknown
            }
        }
    }

    /// The active nodes of the consortium.
    pub(crate) fn active_members(&self) -> Result<Vec<Member>, Failure> {
        let people = People::read(&self.replica.read()?)?;
        Ok(people.members().to_vec())
    }
}
