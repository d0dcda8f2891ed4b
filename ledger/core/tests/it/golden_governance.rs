//! Golden bytes of proposals, votes and what the state keeps of them.

use ledger_core::canonical::encode;
use ledger_core::governance::{
    Agenda, AgendaItem, Ballot, Change, Choice, GovernanceError, KeyUse, NewOrganisation,
    OrganisationIds, Outcome, Proposal, Propose, Rule, Seat, SeatChange, Standing, Thresholds,
};
use ledger_core::parameters::Parameters;
use ledger_core::{Digest, Height, Nonce, Payload, ProposalNumber, TransactionBody};

use crate::golden::check;
use crate::governance::newcomer;
use crate::support::{genesis, organisation};
use crate::town::{id, node, public};

/// One change of each kind, under the name its golden bytes have.
pub fn changes() -> Vec<(&'static str, Change)> {
    let (organisation, key) = (id(1), public(1));
    let mut node = node(11);
    node.vote_key = public(12);
    node.address = "fog.example:7000".into();
    let nodes = vec![node.clone()];
    let new = NewOrganisation {
        nodes,
        ..newcomer(10)
    };
    let rotate = Change::RotateAdmin {
        organisation,
        old: None,
        new: Some(public(2)),
    };
    let rekey = Change::RotateNode {
        old: key,
        new: public(2),
        new_vote_key: public(3),
    };
    let address = "fog.example:7000".into();
    vec![
        ("admit_organisation", Change::AdmitOrganisation(new)),
        (
            "remove_organisation",
            Change::RemoveOrganisation { id: organisation },
        ),
        ("rotate_admin", rotate),
        ("admit_node", Change::AdmitNode { organisation, node }),
        ("remove_node", Change::RemoveNode { key }),
        ("rotate_node", rekey),
        ("admit_validator", Change::AdmitValidator { node: key }),
        ("remove_validator", Change::RemoveValidator { node: key }),
        (
            "set_parameters",
            Change::SetParameters(Parameters::default()),
        ),
        (
            "set_thresholds",
            Change::SetThresholds(Thresholds::default()),
        ),
        ("move_node", Change::MoveNode { key, address }),
    ]
}

/// A proposal with a vote, and an entry of each other kind that governance keeps.
pub fn entries() -> Vec<(&'static str, Vec<u8>)> {
    let number = ProposalNumber(300);
    let change = Change::RemoveValidator { node: public(1) };
    let ballot = Ballot {
        organisation: id(1),
        admin: public(1),
        choice: Choice::Reject,
    };
    let (height, why) = (Height(300), GovernanceError::LastValidator);
    let proposal = Proposal {
        number,
        organisation: id(1),
        admin: public(1),
        change,
        reason: "Slow for three days.".into(),
        rule: Rule::Validators,
        height: Height(299),
        opened_millis: 1_700_000_000_000,
        expires_millis: 1_700_000_060_000,
        ballots: vec![ballot],
        outcome: Outcome::Void { height, why },
    };
    let item = AgendaItem {
        number,
        organisation: id(1),
        expires_millis: 1_700_000_060_000,
        change: Digest::of(b"change"),
    };
    let agenda = Agenda {
        next: ProposalNumber(301),
        open: vec![item],
    };
    let key_use = KeyUse {
        organisation: Some(id(1)),
        is_admin: true,
        proposal: Some(number),
        ..KeyUse::default()
    };
    let seats = [
        Seat::Admit {
            key: public(1),
            name: "node 1".into(),
        },
        Seat::Remove { key: public(2) },
        Seat::Replace {
            old: public(3),
            new: public(4),
        },
    ];
    let queue = seats.map(|seat| SeatChange {
        proposal: number,
        seat,
    });
    let ids = OrganisationIds {
        active: vec![id(1), id(2)],
        removed: vec![id(3)],
    };
    let mut removed = organisation(1);
    removed.standing = Standing::Removed { height };
    vec![
        ("state_proposal", encode(&proposal)),
        ("state_agenda", encode(&agenda)),
        ("state_key", encode(&key_use)),
        ("state_queue", encode(&queue.to_vec())),
        ("state_organisations", encode(&ids)),
        ("state_organisation", encode(&removed)),
        ("state_member", encode(&genesis(&[1]).members[0])),
        ("state_parameters", encode(&Parameters::default())),
        ("state_thresholds", encode(&Thresholds::default())),
    ]
}

/// Goal: proposals, votes and the entries they lead to keep their bytes.
#[test]
fn votes_and_their_entries() {
    for (name, change) in changes() {
        check(&format!("change_{name}"), &encode(&change));
    }
    let body = |payload| {
        encode(&TransactionBody {
            chain: genesis(&[1]).chain_id(),
            nonce: Nonce(200),
            payload,
        })
    };
    let change = Change::AdmitValidator { node: public(1) };
    let reason = "It is ready.".into();
    let open_for_millis = 86_400_000;
    let propose = Propose {
        change,
        reason,
        open_for_millis,
    };
    check("body_propose", &body(Payload::Propose(propose)));
    check("body_vote", &body(crate::town::vote(300, Choice::Reject)));
    for (name, bytes) in entries() {
        check(name, &bytes);
    }
}
