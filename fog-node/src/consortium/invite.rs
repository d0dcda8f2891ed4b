//! Making and revoking invitations.

use std::sync::Arc;
use std::time::Duration;

use fast_qr::convert::svg::SvgBuilder;
use fast_qr::qr::QRBuilder;
use fog_api::{InvitationMade, MakeInvitation};
use ledger_core::SecretKey;

use super::invitation::{Invitation, KnownPeer, MAX_PEERS, Terms, Token};
use super::issued::{Issued, MAX_ISSUED};
use super::noise::DoorKey;
use super::view::People;
use crate::clock::unix_millis;
use crate::failure::Failure;
use crate::keystore::random;
use crate::node::Node;

/// Hours an invitation is valid unless said otherwise, and at most.
const DEFAULT_HOURS: u32 = 72;
const MAX_HOURS: u32 = 720;
/// How long the door may take to open.
const DOOR_PATIENCE: Duration = Duration::from_secs(3);

impl Node {
    /// Makes an invitation. Durable when this returns.
    ///
    /// # Errors
    /// [`Failure`] if this node listens nowhere, has no voice, or has too many invitations out.
    pub async fn invite(
        self: &Arc<Self>,
        asked: MakeInvitation,
    ) -> Result<InvitationMade, Failure> {
        let hours = asked.valid_hours.unwrap_or(DEFAULT_HOURS);
        if !(1..=MAX_HOURS).contains(&hours) {
            return Err(not_made(
                "An invitation is valid for 1 to 720 hours.",
                "Ask for another time.",
            ));
        }
        let made = self
            .blocking(move |node| node.make_invitation(hours, asked.same_organisation))
            .await?;
        let mut is_open = self.membership.is_open.subscribe();
        let opened = tokio::time::timeout(DOOR_PATIENCE, is_open.wait_for(|is_open| *is_open));
        if !matches!(opened.await, Ok(Ok(_))) {
            self.revoke_invitation(made.id).await?;
            return Err(not_made(
                "The port for those who are invited, one above the port for peers, cannot be used.",
                "Start the node with another --listen IP:PORT.",
            ));
        }
        Ok(made)
    }

    fn make_invitation(&self, hours: u32, same: bool) -> Result<InvitationMade, Failure> {
        let door = self.membership.settings().door().ok_or_else(|| {
            not_made(
                "This node listens nowhere, so nobody could join it.",
                "Start it with --listen HOST:PORT, where the others can reach it.",
            )
        })?;
        let people = People::read(&self.replica.read()?)?;
        let peers = self.addresses(&people).into_iter().take(MAX_PEERS);
        let peers = peers.map(|(key, address)| KnownPeer { key, address });
        let peers = peers.collect();
        let own = people.voice_of(&self.membership.admin()).ok_or_else(|| {
            not_made(
                "This node holds no admin key of an organisation of the consortium.",
                "Invite from a node that does.",
            )
        })?;
        let now = unix_millis();
        let mut issued = self.membership.issued();
        if issued.valid(now).count() >= MAX_ISSUED {
            return Err(not_made(
                "64 invitations are out already.",
                "Revoke one, or wait until one expires.",
            ));
        }
        let door_key = DoorKey::generate().map_err(Failure::internal)?;
        let id = random::<16>().map_err(Failure::internal)?;
        let token = Token(random::<32>().map_err(Failure::internal)?);
        let expires = now + u64::from(hours) * 3_600_000;
        let terms = Terms {
            id,
            chain: self.chain,
            consortium: self.genesis.name.clone(),
            inviter: own.name.clone(),
            same_organisation: same,
            peers,
            door,
            door_key: door_key.public,
            token: token.clone(),
            expires,
        };
        issued
            .add(Issued::new(id, token, &door_key, expires, same), now)
            .map_err(Failure::internal)?;
        drop(issued);
        self.membership.changed();
        made(terms, &self.membership.admin)
    }

    /// Ends an invitation. Durable when this returns.
    ///
    /// # Errors
    /// [`Failure`] if none of this id is out.
    pub async fn revoke_invitation(self: &Arc<Self>, id: String) -> Result<(), Failure> {
        self.blocking(move |node| {
            let mut number = [0; 16];
            let is_known = hex::decode_to_slice(&id, &mut number).is_ok()
                && node
                    .membership
                    .issued()
                    .remove(&number)
                    .map_err(Failure::internal)?;
            if !is_known {
                return Err(Failure::not_found(
                    "There is no such invitation.",
                    "It was used, revoked, or has expired.",
                ));
            }
            node.membership.changed();
            Ok(())
        })
        .await
    }
}

fn made(terms: Terms, key: &SecretKey) -> Result<InvitationMade, Failure> {
    let (id, expires) = (hex::encode(terms.id), terms.expires);
    let text = Invitation::sign(terms, key).to_string();
    // Upper case is what the denser, alphanumeric form of a QR code holds.
    let code = QRBuilder::new(text.to_uppercase())
        .build()
        .map_err(|error| Failure::internal(format!("{error:?}")))?;
    Ok(InvitationMade {
        id,
        text,
        qr: SvgBuilder::default().to_str(&code),
        expires,
    })
}

fn not_made(why: &str, next: &str) -> Failure {
    Failure::new(409, "GOV-06", "The invitation was not made.", why, next)
}
