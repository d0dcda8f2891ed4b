//! The consortium as this node sees it: the ledger's state, and who is heard.

use std::collections::BTreeMap;
use std::sync::Arc;

use fog_api::consortium::Change as Asked;
use fog_api::{
    ConsortiumView, EvidenceRow, InvitationRow, Me, NodeRole, NodeRow, OrganisationRow,
    PreflightFinding, ProposalRow, SeatRow,
};
use ledger_consortium::{Offence, PeerStatus, Status};
use ledger_core::genesis::Member;
use ledger_core::governance::{
    self, Choice, Organisation, Outcome, Proposal, Seat, SeatChange, Standing,
};
use ledger_core::state::StateReadError;
use ledger_core::{OrganisationId, ProposalNumber, PublicKey, ValidatorSet};
use ledger_store::Snapshot;

use super::change::{self, Names};
use crate::clock::unix_millis;
use crate::failure::Failure;
use crate::node::Node;

/// Decided proposals in the answer.
const DECIDED: u32 = 20;
/// Pieces of evidence in the answer.
const EVIDENCE: usize = 20;

impl From<StateReadError> for Failure {
    fn from(error: StateReadError) -> Self {
        Self::internal(error)
    }
}

/// Who is in the consortium, read once.
pub(super) struct People {
    organisations: Vec<Organisation>,
    members: Vec<Member>,
    validators: ValidatorSet,
}

impl People {
    pub(super) fn read(snapshot: &Snapshot<'_>) -> Result<Self, Failure> {
        let organisations = governance::organisations(snapshot)?;
        let mut members = Vec::new();
        for organisation in &organisations {
            members.extend(governance::nodes(snapshot, &organisation.id)?);
        }
        members.retain(|member| member.standing == Standing::Active);
        let validators = snapshot.validators_at(snapshot.next_height())?;
        Ok(Self {
            organisations,
            members,
            validators: validators.ok_or_else(|| Failure::internal("no validators"))?,
        })
    }

    /// The active nodes.
    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    /// The organisation that `admin` speaks for.
    pub(super) fn voice_of(&self, admin: &PublicKey) -> Option<&Organisation> {
        self.organisations
            .iter()
            .find(|one| one.standing == Standing::Active && one.admins.contains(admin))
    }

    /// The name of the node with this voting key.
    pub(super) fn voter(&self, key: &PublicKey) -> String {
        let found = self.members.iter().find(|member| member.vote_key == *key);
        found.map_or_else(|| key.short(), |member| member.name.clone())
    }

    pub(super) fn is_validator(&self, member: &Member) -> bool {
        self.validators.find(&member.vote_key).is_some()
    }
}

impl Names for People {
    fn node(&self, key: &PublicKey) -> String {
        let found = self.members.iter().find(|member| member.key == *key);
        found.map_or_else(|| key.short(), |member| member.name.clone())
    }

    fn organisation(&self, id: &OrganisationId) -> String {
        let found = self.organisations.iter().find(|one| one.id == *id);
        found.map_or_else(|| id.to_string(), |one| one.name.clone())
    }
}

impl Node {
    /// The consortium's page.
    ///
    /// # Errors
    /// [`Failure`] if the replica cannot be read.
    pub async fn consortium_view(self: &Arc<Self>) -> Result<ConsortiumView, Failure> {
        self.blocking(|node| node.view()).await
    }

    fn view(&self) -> Result<ConsortiumView, Failure> {
        let snapshot = self.replica.read()?;
        let people = People::read(&snapshot)?;
        let status = self.consortium.status();
        self.count_attendance()?;
        let row = |proposal: &Proposal| self.row_of(&snapshot, &people, proposal);
        let open = governance::open_proposals(&snapshot)?;
        let decided =
            governance::proposals(&snapshot, None, governance::MAX_OPEN as u32 + DECIDED)?;
        let decided = decided.iter().filter(|one| one.outcome != Outcome::Open);
        let queue = governance::queue(&snapshot)?;
        Ok(ConsortiumView {
            name: self.genesis.name.clone(),
            chain_id: self.chain.to_string(),
            height: status.height.0,
            needed: status.quorum.needed as u32,
            present: status.quorum.present as u32,
            quorum: status.quorum.to_string(),
            me: self.me(&people),
            organisations: people.organisations.iter().map(organisation_row).collect(),
            nodes: self.node_rows(&people, &status),
            open: open.iter().map(row).collect::<Result<_, _>>()?,
            decided: decided
                .take(DECIDED as usize)
                .map(row)
                .collect::<Result<_, _>>()?,
            queue: queue.iter().map(|seat| seat_row(seat, &people)).collect(),
            invitations: self.invitation_rows(),
            evidence: self.evidence_rows(&people),
            catch_up: self.catch_up(),
            found: self.membership.nearby.rows(self.chain),
            parameters: change::parameters_view(&governance::parameters(&snapshot)?),
            thresholds: change::thresholds_view(&governance::thresholds(&snapshot)?),
        })
    }

    /// Counts the newest blocks' signatures.
    pub(super) fn count_attendance(&self) -> Result<(), Failure> {
        let tip = self.consortium.status().height;
        let mut attendance = self.membership.attendance();
        Ok(attendance.advance(&self.consortium, tip)?)
    }

    fn me(&self, people: &People) -> Me {
        let here = people.members.iter().find(|one| one.key == self.node_key);
        Me {
            node: self.node_key.to_string(),
            role: match here {
                Some(member) if people.is_validator(member) => NodeRole::Validator,
                Some(_) => NodeRole::Observer,
                None => NodeRole::Waiting,
            },
            organisation: here.map(|member| member.organisation.to_string()),
            can_vote: people.voice_of(&self.membership.admin()).is_some(),
            address: self.membership.settings().advertised(),
        }
    }

    fn node_rows(&self, people: &People, status: &Status) -> Vec<NodeRow> {
        let heard: BTreeMap<_, _> = status.peers.iter().map(|peer| (peer.key, peer)).collect();
        let mut rows: Vec<_> = people
            .members
            .iter()
            .map(|member| self.node_row(people, member, status, heard.get(&member.vote_key)))
            .collect();
        rows.sort_by_key(|row| (!row.validator, row.organisation.clone(), row.name.clone()));
        rows
    }

    fn node_row(
        &self,
        people: &People,
        member: &Member,
        status: &Status,
        peer: Option<&&PeerStatus>,
    ) -> NodeRow {
        let here = member.key == self.node_key;
        let millis = |micros: i64| micros as f64 / 1000.0;
        let (attendance, now) = (self.membership.attendance(), unix_millis());
        let missing = &status.quorum.missing;
        let heard_ms_ago = peer.and_then(|peer| peer.heard_millis_ago);
        NodeRow {
            key: member.key.to_string(),
            vote_key: member.vote_key.to_string(),
            name: member.name.clone(),
            organisation: member.organisation.to_string(),
            validator: people.is_validator(member),
            here,
            address: Some(member.address.clone()).filter(|address| !address.is_empty()),
            heard: here
                || (peer.is_some_and(|peer| peer.connected_millis.is_some())
                    && !missing.iter().any(|one| one.key == member.vote_key)),
            heard_ms_ago,
            height: if here {
                Some(status.height.0)
            } else {
                peer.and_then(|peer| peer.height).map(|height| height.0)
            },
            delay_ms: peer
                .and_then(|peer| peer.delay_micros)
                .map(|delay| millis(delay as i64)),
            clock_ms: peer
                .and_then(|peer| peer.clock)
                .map(|clock| millis(clock.ahead_micros)),
            signed: attendance.share_of(&member.vote_key, now),
            participation: attendance.cells_of(&member.vote_key, now),
        }
    }

    fn evidence_rows(&self, people: &People) -> Vec<EvidenceRow> {
        let pieces = self.consortium.evidence().into_iter().rev();
        let rows = pieces.map(|piece| {
            let key = piece.offence.validator();
            EvidenceRow {
                vote_key: key.to_string(),
                name: people.voter(&key),
                what: match piece.offence {
                    Offence::Votes(_) => "voted for two blocks in one round",
                    Offence::Proposals(_) => "proposed two blocks in one round",
                }
                .to_owned(),
                height: piece.offence.height().0,
                round: piece.offence.round(),
                noticed: piece.noticed_millis,
            }
        });
        rows.take(EVIDENCE).collect()
    }

    fn invitation_rows(&self) -> Vec<InvitationRow> {
        let now = unix_millis();
        let issued = self.membership.issued();
        let valid = issued.valid(now).map(|issued| InvitationRow {
            id: hex::encode(issued.id),
            expires: issued.expires,
            same_organisation: issued.same_organisation,
        });
        valid.collect()
    }

    /// One proposal as it stands.
    pub(super) fn proposal_row(&self, number: ProposalNumber) -> Result<ProposalRow, Failure> {
        let snapshot = self.replica.read()?;
        let proposal = governance::proposal(&snapshot, number)?;
        let proposal = proposal.ok_or_else(|| {
            Failure::not_found(
                "There is no such proposal.",
                "See the consortium's page for those that are open.",
            )
        })?;
        self.row_of(&snapshot, &People::read(&snapshot)?, &proposal)
    }

    fn row_of(
        &self,
        snapshot: &Snapshot<'_>,
        people: &People,
        proposal: &Proposal,
    ) -> Result<ProposalRow, Failure> {
        let tally = governance::tally(snapshot, proposal)?;
        let mine = people.voice_of(&self.membership.admin());
        let mine = mine.and_then(|own| {
            let mut ballots = proposal.ballots.iter();
            ballots.find(|ballot| ballot.organisation == own.id)
        });
        let (outcome, decided, in_force, why) = match proposal.outcome {
            Outcome::Open => ("open", None, None, None),
            Outcome::Approved { height, in_force } => ("approved", Some(height), in_force, None),
            Outcome::Rejected { height } => ("rejected", Some(height), None, None),
            Outcome::Expired { height } => ("expired", Some(height), None, None),
            Outcome::Void { height, why } => ("void", Some(height), None, Some(why.to_string())),
        };
        Ok(ProposalRow {
            number: proposal.number.0,
            title: change::title(&proposal.change, people),
            change: change::write(&proposal.change),
            by: people.organisation(&proposal.organisation),
            reason: proposal.reason.clone(),
            opened: proposal.opened_millis,
            expires: proposal.expires_millis,
            approvals: tally.approvals,
            rejections: tally.rejections,
            voices: tally.voices,
            needed: tally.needed,
            mine: mine.map(|ballot| {
                let words = match ballot.choice {
                    Choice::Approve => "approve",
                    Choice::Reject => "reject",
                };
                words.to_owned()
            }),
            outcome: outcome.to_owned(),
            decided: decided.map(|height| height.0),
            in_force: in_force.map(|height| height.0),
            why,
        })
    }

    /// What a change would do, before anybody votes.
    ///
    /// # Errors
    /// [`Failure`] if the change cannot be read or the replica cannot.
    pub async fn preflight(
        self: &Arc<Self>,
        asked: Asked,
    ) -> Result<Vec<PreflightFinding>, Failure> {
        let change = change::read(&asked)?;
        self.blocking(move |node| node.findings(&change)).await
    }
}

fn organisation_row(organisation: &Organisation) -> OrganisationRow {
    OrganisationRow {
        id: organisation.id.to_string(),
        name: organisation.name.clone(),
        admins: organisation
            .admins
            .iter()
            .map(PublicKey::to_string)
            .collect(),
        removed: match organisation.standing {
            Standing::Active => None,
            Standing::Removed { height } => Some(height.0),
        },
    }
}

fn seat_row(change: &SeatChange, people: &People) -> SeatRow {
    SeatRow {
        title: match &change.seat {
            Seat::Admit { name, .. } => format!("{name} becomes a validator"),
            Seat::Remove { key } => format!("{} leaves the validators", people.voter(key)),
            Seat::Replace { old, .. } => format!("{} gets a new voting key", people.voter(old)),
        },
        proposal: Some(change.proposal.0),
    }
}
