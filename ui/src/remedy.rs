//! What an admin can do about a validator that signed two different things: propose that its seat be taken
//! away, with the reason written, or see the proposal that somebody made already.

use fog_api::consortium::{Change, ConsortiumView, EvidenceRow};

use crate::draft::{Choice, Kind};

/// What can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Propose it.
    Propose,
    /// It is proposed already, under this number.
    Proposed(u64),
    /// It has no seat any more.
    NoSeat,
    /// This node has no voice; whoever has one can.
    NoVoice,
}

impl Remedy {
    /// What can be done about the validator that votes with this key.
    #[must_use]
    pub fn of(view: &ConsortiumView, vote_key: &str) -> Self {
        let mut nodes = view.nodes.iter();
        let Some(node) = nodes.find(|node| node.vote_key == vote_key && node.validator) else {
            return Self::NoSeat;
        };
        let takes_seat = |change: &Change| match change {
            Change::RemoveValidator { node: key } | Change::RemoveNode { key } => *key == node.key,
            Change::RemoveOrganisation { id } => *id == node.organisation,
            _ => false,
        };
        let proposed = view.open.iter().find(|row| takes_seat(&row.change));
        match proposed {
            Some(row) => Self::Proposed(row.number),
            None if view.me.can_vote => Self::Propose,
            None => Self::NoVoice,
        }
    }

    /// What is said of it, after whom to ask.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Propose => "The proof is kept here; it is a reason to propose that its seat be taken away.".to_owned(),
            Self::Proposed(number) => format!("The proof is kept here. Proposal {number} would take its seat away; vote on it."),
            Self::NoSeat => "The proof is kept here. It has no seat any more.".to_owned(),
            Self::NoVoice => "The proof is kept here; whoever votes for an organisation can propose that its seat be taken away.".to_owned(),
        }
    }
}

/// The proposal to take the seat of the validator that votes with this key, and its reason; `None` where
/// there is no proof against it, or it cannot be proposed.
#[must_use]
pub fn prepared(view: &ConsortiumView, vote_key: &str) -> Option<(Choice, String)> {
    let proof = view.evidence.iter().find(|row| row.vote_key == vote_key)?;
    let node = view.nodes.iter().find(|node| node.vote_key == vote_key)?;
    let choices = Kind::RemoveValidator.choices(view);
    let choice = choices.into_iter().find(|choice| choice.key == node.key)?;
    Some((choice, reason(proof)))
}

fn reason(proof: &EvidenceRow) -> String {
    format!(
        "Its voting key signed two different things: it {}, for block {}, round {}. The proposing node keeps the signed proof.",
        proof.what, proof.height, proof.round
    )
}

#[cfg(test)]
mod tests {
    //! Goal: what the button offers is what can be sent. Method: a view with a proof, changed step by step.

    use super::*;
    use crate::words::consortium::tests::view;

    fn caught() -> ConsortiumView {
        let mut view = view(4, 4);
        view.me.can_vote = true;
        let liar = view.nodes[1].clone();
        view.evidence = vec![EvidenceRow {
            vote_key: liar.vote_key,
            name: liar.name,
            what: "voted for two blocks in one round".to_owned(),
            height: 214,
            round: 1,
            noticed: 0,
        }];
        view
    }

    #[test]
    fn a_proof_becomes_a_proposal() {
        let view = caught();
        let (liar, other) = (&view.nodes[1], &view.nodes[2]);
        assert_eq!(Remedy::of(&view, &liar.vote_key), Remedy::Propose);
        let (choice, reason) = prepared(&view, &liar.vote_key).unwrap();
        assert_eq!((&choice.key, &choice.label), (&liar.key, &liar.name));
        assert!(reason.contains("voted for two blocks in one round, for block 214, round 1"));
        assert!(reason.len() <= 500, "as long as the ledger takes");
        assert_eq!(
            prepared(&view, &other.vote_key),
            None,
            "nothing is held against it"
        );
    }

    #[test]
    fn what_is_proposed_or_done_is_not_offered_again() {
        let mut view = caught();
        let liar = view.nodes[1].clone();
        view.me.can_vote = false;
        assert_eq!(Remedy::of(&view, &liar.vote_key), Remedy::NoVoice);
        view.nodes[1].validator = false;
        assert_eq!(Remedy::of(&view, &liar.vote_key), Remedy::NoSeat);
        assert_eq!(prepared(&view, &liar.vote_key), None);
    }
}
