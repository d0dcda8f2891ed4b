//! Joining with an invitation from a running node.
//!
//! ```text
//! read invitation ─▶ knock ─▶ answer checked and on disk ─▶ node starts again in the invited chain
//! ```
//!
//! Nothing of the node's own chain is touched before the answer is on disk; a knock that fails leaves all
//! as it was. The rest is `pending.rs`, at the next start.

use std::net::SocketAddr;
use std::sync::Arc;

use fog_api::{
    ApiError, CatchUp, InvitationView, InvitedPeer, JoinConsortium, JoinProgress, JoinStage,
    OwnChain, ReadInvitation,
};
use ledger_core::governance::{is_address, is_name};

use super::invitation::Invitation;
use super::join::knock;
use super::joining::{Joiner, Refusal};
use super::pending::{Invited, Place, try_first_block};
use super::settings::NetworkSettings;
use super::view::People;
use crate::clock::unix_millis;
use crate::failure::Failure;
use crate::keystore::Keystore;
use crate::node::Node;

/// What has come of joining since this node started.
#[derive(Clone, Debug, Default)]
pub(super) enum Joining {
    /// Nobody asked.
    #[default]
    Idle,
    /// The door is asked.
    Knocking { consortium: String },
    /// The answer is on disk.
    Restarting { consortium: String, proposal: u64 },
    /// It did not work.
    Failed { consortium: String, error: ApiError },
}

/// A knock that was found in order.
struct Knock {
    invitation: Invitation,
    joiner: Joiner,
    place: Place,
    keys: Keystore,
}

impl Node {
    /// What an invitation says, and what becomes of this node if it takes it. Nothing is done.
    ///
    /// # Errors
    /// [`Failure`] if the text is no invitation.
    pub async fn read_invitation(
        self: &Arc<Self>,
        asked: ReadInvitation,
    ) -> Result<InvitationView, Failure> {
        let invitation = parsed(&asked.invitation)?;
        self.blocking(move |node| node.invitation_view(&invitation))
            .await
    }

    fn invitation_view(&self, invitation: &Invitation) -> Result<InvitationView, Failure> {
        let terms = &invitation.terms;
        let settings = self.membership.settings().clone();
        let own_chain = (terms.chain != self.chain).then(|| self.own_chain());
        let peers = terms.peers.iter().map(|peer| InvitedPeer {
            key: peer.key.to_string(),
            address: peer.address.clone(),
        });
        Ok(InvitationView {
            consortium: terms.consortium.clone(),
            chain_id: terms.chain.to_string(),
            inviter: terms.inviter.clone(),
            signer: invitation.signer.to_string(),
            same_organisation: terms.same_organisation,
            expires: terms.expires,
            door: terms.door.clone(),
            peers: peers.collect(),
            listen: settings.listen.map(|listen| listen.to_string()),
            node: self.name.clone(),
            own_chain: own_chain.transpose()?,
            obstacle: self.obstacle(invitation)?,
        })
    }

    /// Why this node cannot take an invitation.
    fn obstacle(&self, invitation: &Invitation) -> Result<Option<String>, Failure> {
        if invitation.has_expired(unix_millis()) {
            return Ok(Some(
                "The invitation has expired; ask for a new one.".to_owned(),
            ));
        }
        let people = People::read(&self.replica.read()?)?;
        let mut members = people.members().iter();
        let is_member = members.any(|member| member.key == self.node_key);
        let is_here = invitation.terms.chain == self.chain && is_member;
        Ok(is_here.then(|| "This node is in that consortium already.".to_owned()))
    }

    /// The chain this node is in now.
    fn own_chain(&self) -> Result<OwnChain, Failure> {
        let snapshot = self.replica.read()?;
        let people = People::read(&snapshot)?;
        let counts = snapshot.counts();
        let others = people.members().iter();
        let others = others.filter(|member| member.key != self.node_key).count();
        let left = if others > 0 {
            " The other nodes of that consortium lose this one: have its seat voted away first, or theirs \
             may be too few."
        } else {
            ""
        };
        Ok(OwnChain {
            name: self.genesis.name.clone(),
            chain_id: self.chain.to_string(),
            height: counts.blocks.saturating_sub(1),
            readings: counts.readings,
            devices: self.devices().len() as u32,
            other_nodes: others as u32,
            becomes: format!(
                "This node leaves the chain it is in. That chain goes aside, whole, into the folder left/{} \
                 of its data: its records stay readable and provable there. No device is read into it any \
                 more, and devices are paired anew.{left}",
                self.chain.0.short()
            ),
        })
    }

    /// Takes an invitation. Answers at once; [`Node::join_progress`] says how it goes.
    ///
    /// # Errors
    /// [`Failure`] if what was asked cannot be done; nothing has happened then.
    pub async fn join_consortium(
        self: &Arc<Self>,
        asked: JoinConsortium,
    ) -> Result<JoinProgress, Failure> {
        let knock = self.blocking(move |node| node.knock_of(&asked)).await?;
        let consortium = knock.invitation.terms.consortium.clone();
        {
            let mut joining = self.membership.joining();
            if matches!(
                *joining,
                Joining::Knocking { .. } | Joining::Restarting { .. }
            ) {
                return Err(not_joined(
                    409,
                    "This node is joining already.",
                    "Wait until that is done.",
                ));
            }
            *joining = Joining::Knocking { consortium };
        }
        tokio::spawn(Box::pin(Arc::clone(self).join(knock)));
        self.join_progress().await
    }

    fn knock_of(&self, asked: &JoinConsortium) -> Result<Knock, Failure> {
        let invitation = parsed(&asked.invitation)?;
        if let Some(obstacle) = self.obstacle(&invitation)? {
            return Err(not_joined(409, &obstacle, "Nothing was changed."));
        }
        if invitation.terms.chain != self.chain && !asked.leave_own_chain {
            return Err(not_joined(
                409,
                "This node has a chain of its own, which would go aside.",
                "Agree to that, and join again.",
            ));
        }
        let place = self.place_of(asked)?;
        let keys = Keystore::open_existing(&self.data_dir).map_err(Failure::internal)?;
        let named = NetworkSettings {
            listen: Some(place.listen),
            address: place.address.clone(),
            ..NetworkSettings::default()
        };
        let joiner = Joiner {
            // A node that joins the inviter's organisation has no name of its own to give.
            organisation: if invitation.terms.same_organisation {
                invitation.terms.inviter.clone()
            } else {
                asked.organisation.trim().to_owned()
            },
            admin: keys.admin.public(),
            node: keys.node.public(),
            vote: keys.validator.public(),
            name: place.node.clone().unwrap_or_else(|| self.name.clone()),
            address: named.advertised().unwrap_or_default(),
        };
        if !is_name(&joiner.organisation) || !is_name(&joiner.name) {
            return Err(not_joined(
                400,
                "The organisation and the node each need a name of at most 64 characters.",
                "Give both.",
            ));
        }
        if !is_address(&joiner.address) {
            return Err(not_joined(
                400,
                "The address is none that others could try.",
                "Give HOST:PORT.",
            ));
        }
        Ok(Knock {
            invitation,
            joiner,
            place,
            keys,
        })
    }

    fn place_of(&self, asked: &JoinConsortium) -> Result<Place, Failure> {
        let settings = self.membership.settings().clone();
        let listen = match asked.listen.as_deref().map(str::trim) {
            None | Some("") => settings.listen,
            Some(listen) => Some(listen.parse::<SocketAddr>().map_err(|_| {
                not_joined(
                    400,
                    "The address to listen at is none.",
                    "Give IP:PORT, such as 0.0.0.0:7401.",
                )
            })?),
        };
        let listen = listen.filter(|listen| (1..u16::MAX).contains(&listen.port()));
        let listen = listen.ok_or_else(|| {
            not_joined(
                400,
                "The others must be able to reach this node, and it listens nowhere.",
                "Give an address to listen at, IP:PORT, with a port from 1 to 65,534.",
            )
        })?;
        let given = |text: &Option<String>| {
            let text = text.as_deref().map(str::trim);
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let is_same_place = settings.listen == Some(listen);
        Ok(Place {
            node: given(&asked.node).or_else(|| Some(self.name.clone())),
            listen,
            address: given(&asked.address).or(settings.address.filter(|_| is_same_place)),
        })
    }

    async fn join(self: Arc<Self>, asked: Knock) {
        let consortium = asked.invitation.terms.consortium.clone();
        let next = match self.ask_door(asked).await {
            Ok(proposal) => Joining::Restarting {
                consortium,
                proposal,
            },
            Err(error) => Joining::Failed {
                consortium,
                error: not_joined_because(&error),
            },
        };
        let is_answered = matches!(next, Joining::Restarting { .. });
        *self.membership.joining() = next;
        if is_answered && !self.ask_restart() {
            tracing::warn!("start the node again: it joins a consortium then");
        }
    }

    /// Knocks, and keeps the answer. Durable when this returns.
    async fn ask_door(self: &Arc<Self>, asked: Knock) -> anyhow::Result<u64> {
        let Knock {
            invitation,
            joiner,
            place,
            keys,
        } = asked;
        let chain = invitation.terms.chain;
        let welcome = knock(&invitation, joiner, &keys).await?;
        let folder = self.data_dir.clone();
        let kept = tokio::task::spawn_blocking(move || {
            let invited = Invited::check(welcome, chain)?;
            try_first_block(&invited)?;
            invited.keep(&folder, &place)?;
            anyhow::Ok(invited.welcome.proposal)
        });
        kept.await?
    }

    /// How far joining is.
    ///
    /// # Errors
    /// [`Failure`] if the replica cannot be read.
    pub async fn join_progress(self: &Arc<Self>) -> Result<JoinProgress, Failure> {
        let joining = self.membership.joining().clone();
        let progress = |stage, words: &str, consortium: Option<String>, proposal| JoinProgress {
            stage,
            words: words.to_owned(),
            consortium,
            proposal,
            error: None,
        };
        Ok(match joining {
            Joining::Idle => self.blocking(|node| node.joined_before()).await?,
            Joining::Knocking { consortium } => progress(
                JoinStage::Knocking,
                "Asks at the inviter's door; this takes up to a minute.",
                Some(consortium),
                None,
            ),
            Joining::Restarting {
                consortium,
                proposal,
            } => progress(
                JoinStage::Restarting,
                "The door has answered; the node starts again.",
                Some(consortium),
                Some(proposal),
            ),
            Joining::Failed { consortium, error } => JoinProgress {
                error: Some(error.clone()),
                ..progress(
                    JoinStage::Failed,
                    &format!("{} {} {}", error.what, error.why, error.next),
                    Some(consortium),
                    None,
                )
            },
        })
    }

    /// How far this node is in the consortium it joined in an earlier life.
    fn joined_before(&self) -> Result<JoinProgress, Failure> {
        let Some(note) = self.membership.settings().joined.clone() else {
            return Ok(JoinProgress {
                stage: JoinStage::Idle,
                words: "Nothing is being joined.".into(),
                consortium: None,
                proposal: None,
                error: None,
            });
        };
        let people = People::read(&self.replica.read()?)?;
        let mut members = people.members().iter();
        let is_member = members.any(|member| member.key == self.node_key);
        let (stage, words) = match (self.catch_up(), is_member) {
            (Some(CatchUp { words, .. }), _) => (JoinStage::CatchingUp, words),
            (None, true) => (
                JoinStage::Joined,
                "This node is a member and up to date.".to_owned(),
            ),
            (None, false) => (
                JoinStage::Waiting,
                format!(
                    "Proposal {} asks to admit this node. It goes on by itself once that has passed.",
                    note.proposal
                ),
            ),
        };
        Ok(JoinProgress {
            stage,
            words,
            consortium: Some(note.consortium),
            proposal: Some(note.proposal),
            error: None,
        })
    }
}

fn parsed(text: &str) -> Result<Invitation, Failure> {
    let read = text.parse::<Invitation>();
    read.map_err(|error| {
        Failure::new(
            400,
            "GOV-09",
            "The invitation cannot be read.",
            format!("{error}."),
            "Take the whole text, as it was sent.",
        )
    })
}

fn not_joined(status: u16, why: &str, next: &str) -> Failure {
    Failure::new(status, "GOV-09", "This node does not join.", why, next)
}

fn not_joined_because(error: &anyhow::Error) -> ApiError {
    if let Some(refusal) = error.downcast_ref::<Refusal>() {
        return refusal.into();
    }
    let why = format!("{error:#}.");
    not_joined(409, &why, "Nothing was changed; it may be asked again.").error
}

#[cfg(test)]
mod tests {
    //! Goal: an invitation that has expired is read, said to be so, and not taken. Method: a real node.
    use ledger_core::{ChainId, Digest, SecretKey};

    use super::super::invitation::{Terms, Token};
    use super::*;
    use crate::NodeConfig;

    #[tokio::test(flavor = "multi_thread")]
    async fn an_expired_invitation_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let node = Box::pin(Node::start(NodeConfig::new(folder.path())));
        let node = node.await.unwrap();
        let terms = Terms {
            id: [7; 16],
            chain: ChainId(Digest([3; 32])),
            consortium: "Harbour consortium".into(),
            inviter: "Harbour General".into(),
            same_organisation: false,
            peers: Vec::new(),
            door: "192.0.2.7:7402".into(),
            door_key: [9; 32],
            token: Token([5; 32]),
            expires: unix_millis() - 1,
        };
        let invitation = Invitation::sign(terms, &SecretKey::from_seed(&[2; 32])).to_string();
        let read = node.read_invitation(ReadInvitation {
            invitation: invitation.clone(),
        });
        let read = read.await.unwrap();
        assert!(read.obstacle.unwrap().contains("expired"));
        let own = read.own_chain.unwrap();
        assert_eq!((own.chain_id, own.other_nodes), (node.chain.to_string(), 0));
        let asked = JoinConsortium {
            invitation,
            organisation: "Clinic".into(),
            listen: Some("127.0.0.1:7401".into()),
            leave_own_chain: true,
            ..JoinConsortium::default()
        };
        let refused = node.join_consortium(asked).await.unwrap_err();
        assert_eq!(
            (refused.status, refused.error.code.as_str()),
            (409, "GOV-09")
        );
        let progress = node.join_progress().await.unwrap();
        assert_eq!(progress.stage, JoinStage::Idle);
        node.shutdown().await;
    }
}
