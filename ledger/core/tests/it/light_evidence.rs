//! Evidence: forks and equivocations are found, hold up before others, and cannot be made up.

use ledger_core::certificate::{VoteContent, VoteKind};
use ledger_core::light::{Equivocation, Evidence, EvidenceError, Fork, LightError, SignedVote};
use ledger_core::{Digest, Height, PublicKey};

use crate::light::{Chain, NOW};
use crate::support::{certify, genesis, key, validators};

const FOUR: &[u8] = &[1, 2, 3, 4];

fn public(numbers: &[u8]) -> Vec<PublicKey> {
    let mut keys: Vec<_> = numbers.iter().map(|number| key(*number).public()).collect();
    keys.sort();
    keys
}

/// Block 2 of a chain, and another with the same parent, signed by some validators in a round.
fn fork(signers: &[u8], round: u32) -> (Chain, Fork) {
    let chain = Chain::new(&[FOUR, FOUR]);
    let mut other = chain.at(2);
    other.header.state_root = Digest::of(b"another state");
    other.certificate = certify(&other.header, &other.validators, round, signers);
    let fork = Fork::new(chain.at(2), other);
    (chain, fork)
}

/// Goal: a client that is shown a second certified block at its height has evidence of both, which
/// holds for everybody, and names those who signed both.
#[test]
fn a_fork_is_found_and_proven() {
    let (chain, expected) = fork(&[1, 2, 4], 1);
    let forged = if expected.one == chain.at(2) {
        expected.two.clone()
    } else {
        expected.one.clone()
    };
    let mut client = chain.client_at(2);
    let error = client.advance(forged, NOW).expect_err("a fork");
    assert!(error.is_lie());
    assert_eq!(error, LightError::Fork(Box::new(expected.clone())));
    assert_eq!(client, chain.client_at(2));
    let evidence = Evidence::Fork(Box::new(expected.clone()));
    let evidence = Evidence::decode(&evidence.encode()).expect("decodes");
    assert_eq!(evidence.height(), Height(2));
    let culprits = evidence.verify(chain.genesis.chain_id(), &validators(FOUR));
    assert_eq!(culprits, Ok(public(&[1, 2, 4])));
    for votes in expected.equivocations() {
        let keys = Evidence::Equivocation(Box::new(votes))
            .verify(chain.genesis.chain_id(), &validators(FOUR));
        assert_eq!(keys, Ok(vec![votes.one.content.validator]));
    }
    assert_eq!(expected.equivocations().len(), 3);
}

/// Goal: across rounds there are suspects, but nobody is an equivocator.
#[test]
fn a_fork_across_rounds_has_suspects_only() {
    let (chain, fork) = fork(&[2, 3, 4], 5);
    assert_eq!(fork.equivocations(), []);
    let evidence = Evidence::Fork(Box::new(fork));
    let suspects = evidence.verify(chain.genesis.chain_id(), &validators(FOUR));
    assert_eq!(suspects, Ok(public(&[2, 3, 4])));
}

/// Goal: what is no fork is refused: the same block twice, swapped parts, other heights, unsigned
/// blocks, validators nobody knows, and validators of which too few are known.
#[test]
fn forks_cannot_be_made_up() {
    let (chain, good) = fork(&[1, 2, 3], 1);
    let verify = |fork: Fork| {
        Evidence::Fork(Box::new(fork)).verify(chain.genesis.chain_id(), &validators(FOUR))
    };
    let pair = |one, two| Fork { one, two };
    let cases = [
        (
            pair(good.one.clone(), good.one.clone()),
            EvidenceError::NoConflict,
        ),
        (
            pair(good.two.clone(), good.one.clone()),
            EvidenceError::NoConflict,
        ),
        (
            Fork::new(chain.at(1), chain.at(2)),
            EvidenceError::NoConflict,
        ),
    ];
    for (fork, expected) in cases {
        assert_eq!(verify(fork), Err(expected));
    }
    let mut unsigned = good.clone();
    unsigned.two.certificate.signatures.truncate(2);
    assert!(matches!(verify(unsigned), Err(EvidenceError::Block(_))));
    let made_up = |numbers: &[u8]| {
        let mut block = chain.at(2);
        block.validators = validators(numbers);
        block.header.validators_hash = block.validators.hash();
        block.header.next_validators_hash = block.validators.hash();
        block.certificate = certify(&block.header, &block.validators, 0, numbers);
        block
    };
    let strangers = Fork::new(made_up(&[7, 8]), made_up(&[7, 8, 9]));
    assert_eq!(verify(strangers), Err(EvidenceError::NotValidator));
    let few = Fork::new(chain.at(2), made_up(&[1, 8, 9]));
    assert_eq!(verify(few), Err(EvidenceError::NotValidator));
    let enough = Fork::new(chain.at(2), made_up(&[1, 2, 9]));
    assert_eq!(verify(enough), Ok(public(&[1, 2])));
}

fn vote(block: Option<Digest>) -> VoteContent {
    VoteContent {
        kind: VoteKind::Prevote,
        chain: genesis(FOUR).chain_id(),
        height: Height(7),
        round: 2,
        block,
        validator: key(3).public(),
    }
}

/// Goal: two votes for different blocks, or for a block and none, are evidence.
#[test]
fn equivocation_is_proven() {
    let (one, two) = (
        vote(Some(Digest::of(b"one"))),
        vote(Some(Digest::of(b"two"))),
    );
    for (one, two) in [(one, two), (two, one), (one, vote(None))] {
        let votes = Equivocation::new(
            SignedVote::sign(one, &key(3)),
            SignedVote::sign(two, &key(3)),
        );
        let evidence = Evidence::Equivocation(Box::new(votes));
        assert_eq!(Evidence::decode(&evidence.encode()), Ok(evidence.clone()));
        let keys = evidence.verify(genesis(FOUR).chain_id(), &validators(FOUR));
        assert_eq!(keys, Ok(vec![key(3).public()]));
    }
}

/// Goal: what is no equivocation is refused. Method: the second vote changed one way at a time.
#[test]
fn equivocation_cannot_be_made_up() {
    type Change = fn(&mut VoteContent);
    let one = vote(Some(Digest::of(b"one")));
    let cases: [(Change, EvidenceError); 7] = [
        (
            |vote| vote.block = Some(Digest::of(b"one")),
            EvidenceError::NoConflict,
        ),
        (
            |vote| vote.kind = VoteKind::Precommit,
            EvidenceError::NoConflict,
        ),
        (|vote| vote.height = Height(8), EvidenceError::NoConflict),
        (|vote| vote.round = 3, EvidenceError::NoConflict),
        (
            |vote| vote.validator = key(4).public(),
            EvidenceError::NoConflict,
        ),
        (
            |vote| vote.chain.0 = Digest::of(b"x"),
            EvidenceError::OtherChain,
        ),
        (|_| (), EvidenceError::Signature),
    ];
    for (change, expected) in cases {
        let mut two = vote(Some(Digest::of(b"two")));
        change(&mut two);
        // In the last case everything fits, but somebody else signed.
        let signer = if expected == EvidenceError::Signature {
            key(4)
        } else {
            key(3)
        };
        let votes = Equivocation::new(
            SignedVote::sign(one, &key(3)),
            SignedVote::sign(two, &signer),
        );
        let found = Evidence::Equivocation(Box::new(votes))
            .verify(genesis(FOUR).chain_id(), &validators(FOUR));
        assert_eq!(found, Err(expected));
    }
    let two = vote(Some(Digest::of(b"two")));
    let votes = Equivocation::new(
        SignedVote::sign(one, &key(3)),
        SignedVote::sign(two, &key(3)),
    );
    let evidence = Evidence::Equivocation(Box::new(votes));
    let strangers = evidence.verify(genesis(FOUR).chain_id(), &validators(&[1, 2]));
    assert_eq!(strangers, Err(EvidenceError::NotValidator));
}
