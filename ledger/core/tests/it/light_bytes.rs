//! The light client's bytes: golden ones, and that no others make its decoders panic.

use ledger_core::canonical::encode;
use ledger_core::certificate::{VoteContent, VoteKind};
use ledger_core::light::{Equivocation, Evidence, Fork, LightBlock, SignedVote};
use ledger_core::state::StateKey;
use ledger_core::state_proof::{End, StateProof};
use ledger_core::{ChainId, Digest, Height};
use proptest::prelude::*;

use crate::golden;
use crate::light::{Chain, NOW};
use crate::support::{certify, key, validators};

fn state_proofs() -> [StateProof; 3] {
    let siblings = vec![None, Some(Digest::of(b"one")), Some(Digest::of(b"two"))];
    let ends = [
        End::Value(vec![1, 2, 3]),
        End::Other {
            key_hash: Digest::of(b"key"),
            value_hash: Digest::of(b"value"),
        },
        End::Empty,
    ];
    ends.map(|end| StateProof {
        end,
        siblings: siblings.clone(),
    })
}

/// Bytes of valid values: two light blocks, two kinds of evidence, three state proofs. They are of a
/// chain of their own, so that they do not change with the genesis.
fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let chain = Chain::new(&[&[1, 2], &[1, 2, 3]]);
    let id = ChainId(Digest::of(b"chain"));
    let at = |height: u64, signers: &[u8]| {
        let mut block = chain.at(height);
        block.header.chain = id;
        block.header.parent = Digest::of(b"parent");
        chain.resign(&mut block, signers);
        block
    };
    let block = at(2, &[1, 2, 3]);
    let vote = |block: &[u8]| {
        let content = VoteContent {
            kind: VoteKind::Precommit,
            chain: id,
            height: Height(300),
            round: 2,
            block: Some(Digest::of(block)),
            validator: key(1).public(),
        };
        SignedVote::sign(content, &key(1))
    };
    let votes = Equivocation::new(vote(b"one"), vote(b"two"));
    let mut other = block.clone();
    other.header.state_root = Digest::of(b"other");
    other.certificate = certify(&other.header, &other.validators, 0, &[1, 2, 3]);
    let fork = Fork::new(block.clone(), other);
    let [value, neighbour, empty] = state_proofs();
    vec![
        ("light_block", block.encode()),
        ("light_block_changed", at(1, &[1, 2]).encode()),
        (
            "evidence_equivocation",
            Evidence::Equivocation(Box::new(votes)).encode(),
        ),
        ("evidence_fork", Evidence::Fork(Box::new(fork)).encode()),
        ("state_proof_value", value.encode()),
        ("state_proof_other", neighbour.encode()),
        ("state_proof_empty", empty.encode()),
    ]
}

/// Goal: light blocks, evidence and state proofs keep their bytes.
#[test]
fn bytes_are_as_on_record() {
    for (name, bytes) in samples() {
        golden::check(name, &bytes);
    }
}

/// Takes bytes through every decoder and what follows; what decodes encodes to just them.
fn survive(bytes: &[u8]) -> usize {
    let chain = Chain::new(&[&[1, 2]]);
    let mut accepted = 0;
    if let Ok(block) = LightBlock::decode(bytes) {
        assert_eq!(block.encode(), bytes);
        let _ = chain.client().advance(block, NOW);
        accepted += 1;
    }
    if let Ok(evidence) = Evidence::decode(bytes) {
        assert_eq!(evidence.encode(), bytes);
        let _ = evidence.verify(chain.genesis.chain_id(), &validators(&[1, 2]));
        accepted += 1;
    }
    if let Ok(proof) = StateProof::decode(bytes) {
        assert_eq!(encode(&proof), bytes);
        let _ = proof.verify(&Digest::ZERO, &StateKey::clock());
        accepted += 1;
    }
    accepted
}

/// Goal: each sample is accepted by a decoder, else the mutations below would start nowhere.
#[test]
fn samples_decode() {
    for (name, bytes) in samples() {
        assert!(survive(&bytes) >= 1, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    /// Goal: random bytes are survived.
    #[test]
    fn random_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        survive(&bytes);
    }

    /// Goal: nearly right bytes are survived: changed, cut off, and with a huge length claimed.
    #[test]
    fn mutated_bytes_are_survived(which: prop::sample::Index, at: prop::sample::Index, xor in 1u8.., cut: prop::sample::Index, huge: bool) {
        let samples = samples();
        let mut bytes = which.get(&samples).1.clone();
        *at.get_mut(bytes.as_mut_slice()) ^= xor;
        survive(&bytes);
        if huge {
            let at = at.index(bytes.len());
            bytes.splice(at..=at, [0xff, 0xff, 0xff, 0xff, 0x0f]);
            survive(&bytes);
        }
        bytes.truncate(cut.index(bytes.len()));
        survive(&bytes);
    }
}
