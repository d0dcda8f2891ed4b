//! A consortium that grows block by block in memory: sends what a test says, checks what must always
//! hold, and remembers what became of it.

use ledger_core::canonical::encode;
use ledger_core::governance::{
    self, Change, Choice, Node, Outcome, Proposal, Propose, SeatChange, Vote,
};
use ledger_core::state::{ExecutionError, Executor, StateKey, Writes, next_validators, read};
use ledger_core::{
    Genesis, Height, OrganisationId, Payload, ProposalNumber, PublicKey, ValidatorSet,
};

use crate::support::{State, genesis, key, sign};

/// How long proposals are open if a test does not care, in milliseconds.
pub const OPEN_MILLIS: u64 = 3_600_000;
/// Time between blocks, in milliseconds.
pub const BLOCK_MILLIS: u64 = 1000;

pub struct Town {
    pub genesis: Genesis,
    pub state: State,
    pub height: u64,
    pub time_millis: u64,
}

/// A node of the organisation with the same number, or of another.
pub fn node(number: u8) -> Node {
    Node::with_one_key(public(number), format!("node {number}"))
}

pub fn public(number: u8) -> PublicKey {
    key(number).public()
}

/// The organisation of a founding node.
pub fn id(number: u8) -> OrganisationId {
    OrganisationId([number; 16])
}

impl Town {
    /// Founding organisations of one validator each.
    pub fn of(numbers: &[u8]) -> Self {
        Self::founded(genesis(numbers))
    }

    pub fn founded(genesis: Genesis) -> Self {
        let mut town = Self {
            time_millis: genesis.time_millis,
            genesis,
            state: State::default(),
            height: 0,
        };
        let found = Payload::Genesis(town.genesis.clone());
        let transaction = sign(&town.genesis, 1, 0, found);
        let verified = transaction
            .verify(town.genesis.chain_id())
            .expect("a genesis");
        let mut executor = Executor::new(&town.state, Height(0), town.time_millis);
        executor.apply(&verified).expect("a valid genesis");
        let writes = executor.finish().expect("read");
        town.state.0.extend(writes);
        town
    }

    /// Executes one block of what these keys send; refused ones are left out, as a proposer does.
    pub fn block(&mut self, sent: &[(u8, Payload)]) -> Vec<Result<(), ExecutionError>> {
        self.height += 1;
        self.time_millis += BLOCK_MILLIS;
        let (writes, outcomes) = self.execute(sent);
        assert_eq!(
            (writes.clone(), outcomes.clone()),
            self.execute(sent),
            "twice the same"
        );
        self.state.0.extend(writes);
        outcomes
    }

    fn execute(&self, sent: &[(u8, Payload)]) -> (Writes, Vec<Result<(), ExecutionError>>) {
        let mut executor = Executor::new(&self.state, Height(self.height), self.time_millis);
        let mut nonces = std::collections::BTreeMap::new();
        let mut outcomes = Vec::new();
        for (number, payload) in sent {
            let nonce = nonces
                .entry(*number)
                .or_insert_with(|| self.next_nonce(*number));
            let transaction = sign(&self.genesis, *number, *nonce, payload.clone());
            let verified = transaction.verify(self.genesis.chain_id());
            let outcome = executor.apply(&verified.expect("a valid transaction"));
            *nonce += u64::from(outcome.is_ok());
            outcomes.push(outcome);
        }
        (executor.finish().expect("read"), outcomes)
    }

    fn next_nonce(&self, number: u8) -> u64 {
        let account: Option<ledger_core::state::Account> =
            read(&self.state, &StateKey::account(&public(number))).expect("read");
        account.unwrap_or_default().next_nonce.0
    }

    /// One block with one transaction.
    pub fn send(&mut self, number: u8, payload: Payload) -> Result<(), ExecutionError> {
        self.block(&[(number, payload)]).pop().expect("one outcome")
    }

    /// Proposes in a block of its own; gives the number.
    pub fn propose(&mut self, number: u8, change: Change) -> Result<u64, ExecutionError> {
        let next = self.next_proposal();
        self.send(number, propose(change)).map(|()| next)
    }

    /// The number of the next proposal.
    pub fn next_proposal(&self) -> u64 {
        governance::agenda(&self.state).expect("read").next.0
    }

    pub fn vote(
        &mut self,
        number: u8,
        proposal: u64,
        choice: Choice,
    ) -> Result<(), ExecutionError> {
        self.send(number, vote(proposal, choice))
    }

    /// Proposes and lets all of `voters` approve, in one block.
    pub fn agree(&mut self, proposer: u8, voters: &[u8], change: Change) -> Outcome {
        let next = self.next_proposal();
        let mut sent = vec![(proposer, propose(change))];
        let approve = |voter: &u8| (*voter, vote(next, Choice::Approve));
        sent.extend(voters.iter().map(approve));
        let outcomes = self.block(&sent);
        assert_eq!(outcomes.first(), Some(&Ok(())));
        self.proposal(next).outcome
    }

    pub fn proposal(&self, number: u64) -> Proposal {
        governance::proposal(&self.state, ProposalNumber(number))
            .expect("read")
            .expect("a proposal")
    }

    pub fn queue(&self) -> Vec<SeatChange> {
        governance::queue(&self.state).expect("read")
    }

    /// The validators of the next height.
    pub fn validators(&self) -> ValidatorSet {
        next_validators(&self.state, &Writes::new()).expect("validators")
    }

    /// The numbers of the keys that validate.
    pub fn validating(&self) -> Vec<u8> {
        let set = self.validators();
        (1..=250)
            .filter(|number| set.find(&public(*number)).is_some())
            .collect()
    }
}

pub fn propose(change: Change) -> Payload {
    Payload::Propose(Propose {
        change,
        reason: String::new(),
        open_for_millis: OPEN_MILLIS,
    })
}

pub fn vote(proposal: u64, choice: Choice) -> Payload {
    Payload::Vote(Vote {
        proposal: ProposalNumber(proposal),
        choice,
    })
}

/// Whether the encoding of a payload fits into a transaction.
pub fn encoded_bytes(payload: &Payload) -> usize {
    encode(payload).len()
}
