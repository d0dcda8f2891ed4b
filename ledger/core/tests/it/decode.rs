//! Mini-fuzz of every decoder: whatever the bytes, no panic, and what is accepted encodes to just them.

use ledger_core::access::{LogEntry, TrailEnd};
use ledger_core::batch::StreamEntry;
use ledger_core::canonical::{decode, encode};
use ledger_core::governance::{Choice, Proposal, Propose, Vote};
use ledger_core::state::Device;
use ledger_core::{
    AnchorBatch, Block, Certificate, Genesis, Header, Payload, Proof, ProposalNumber, Reading,
    SignedTransaction, TransactionBody, ValidatorSet,
};
use proptest::prelude::*;

use crate::golden_governance::{changes, entries};
use crate::support::{genesis, proof, pulse, register, sign, stream, wave};

/// Decodes with everything a stranger's bytes can reach and gives back the encoding of what was read.
type Decoder = fn(&[u8]) -> Option<Vec<u8>>;

const DECODERS: [(&str, Decoder); 17] = [
    ("reading", |bytes| {
        Reading::decode(bytes).ok().map(|one| one.encode())
    }),
    ("stream entry", |bytes| {
        decode::<StreamEntry>(bytes, 4096)
            .ok()
            .map(|one| encode(&one))
    }),
    ("anchor", |bytes| {
        decode::<AnchorBatch>(bytes, 4096)
            .ok()
            .map(|one| encode(&one))
    }),
    ("body", |bytes| {
        decode::<TransactionBody>(bytes, 1 << 20)
            .ok()
            .map(|one| encode(&one))
    }),
    ("transaction", transaction),
    ("header", |bytes| {
        Header::decode(bytes).ok().map(|one| one.encode())
    }),
    ("block", |bytes| {
        Block::decode(bytes).ok().map(|one| one.encode())
    }),
    ("certificate", |bytes| {
        decode::<Certificate>(bytes, 1 << 20)
            .ok()
            .map(|one| encode(&one))
    }),
    ("validators", |bytes| {
        decode::<ValidatorSet>(bytes, 1 << 20)
            .ok()
            .map(|one| encode(&one))
    }),
    ("device", |bytes| {
        decode::<Device>(bytes, 4096).ok().map(|one| encode(&one))
    }),
    ("propose", |bytes| {
        decode::<Propose>(bytes, 1 << 16)
            .ok()
            .map(|one| encode(&one))
    }),
    ("vote", |bytes| {
        decode::<Vote>(bytes, 64).ok().map(|one| encode(&one))
    }),
    ("proposal", |bytes| {
        decode::<Proposal>(bytes, 1 << 20)
            .ok()
            .map(|one| encode(&one))
    }),
    ("genesis", |bytes| {
        Genesis::from_file(bytes).ok().map(|one| one.to_file())
    }),
    ("proof", proof_file),
    ("log entry", |bytes| {
        LogEntry::decode(bytes).ok().map(|one| one.encode())
    }),
    ("trail end", |bytes| {
        TrailEnd::decode(bytes).ok().map(|one| one.encode())
    }),
];

/// Whatever decodes is also taken through verification.
fn transaction(bytes: &[u8]) -> Option<Vec<u8>> {
    let signed = SignedTransaction::decode(bytes).ok()?;
    let encoded = signed.encode();
    if let Ok(verified) = signed.verify(genesis(&[1]).chain_id()) {
        assert_eq!(verified.bytes(), encoded);
    }
    Some(encoded)
}

fn proof_file(bytes: &[u8]) -> Option<Vec<u8>> {
    let proof = Proof::from_file(bytes).ok()?;
    let _ = proof.verify(&genesis(&[1, 2, 3, 4]));
    Some(proof.to_file())
}

/// Valid bytes for the decoders to go wrong from.
fn samples() -> Vec<Vec<u8>> {
    let (genesis, proof) = proof(&[1, 2, 3, 4], &[2, 3, 4, 5], &[2, 4, 5]);
    let signed = sign(&genesis, 1, 0, register(1));
    let block = Block {
        header: proof.header.clone(),
        transactions: vec![proof.transaction.clone(), signed.encode()],
    };
    vec![
        pulse(stream(1), 5, 70).encode(),
        wave(stream(1), 5).encode(),
        encode(&proof.batch_path.entry),
        encode(&signed.body().expect("a body")),
        signed.encode(),
        proof.header.encode(),
        block.encode(),
        encode(&proof.certificate),
        encode(&genesis.validators),
        genesis.to_file(),
        proof.to_file(),
    ]
    .into_iter()
    .chain(governing())
    .collect()
}

/// Every kind of proposal in its envelope, a vote, and a proposal's entry in the state.
fn governing() -> Vec<Vec<u8>> {
    let genesis = genesis(&[1]);
    let (number, reason) = (ProposalNumber(3), "They ask to join.".to_owned());
    let choice = Choice::Approve;
    let ballot = Vote {
        proposal: number,
        choice,
    };
    let mut found = vec![
        encode(&ballot),
        sign(&genesis, 1, 0, Payload::Vote(ballot)).encode(),
    ];
    for (_, change) in changes() {
        let propose = Propose {
            change,
            reason: reason.clone(),
            open_for_millis: 60_000,
        };
        found.push(encode(&propose));
        found.push(sign(&genesis, 1, 0, Payload::Propose(propose)).encode());
    }
    let entries = entries().into_iter();
    let entry = entries.filter(|(name, _)| *name == "state_proposal");
    found.extend(entry.map(|(_, bytes)| bytes));
    found
}

fn check(bytes: &[u8]) {
    for (name, decoder) in DECODERS {
        if let Some(encoded) = decoder(bytes) {
            assert_eq!(encoded, bytes, "{name}");
        }
    }
}

/// Goal: each sample is accepted by at least one decoder, else the mutations below would start nowhere.
#[test]
fn samples_decode() {
    for sample in samples() {
        let accepted = DECODERS
            .iter()
            .filter(|(_, decoder)| decoder(&sample).is_some())
            .count();
        assert!(accepted >= 1);
        check(&sample);
    }
}

/// One change of a byte string.
#[derive(Clone, Debug)]
enum Mutation {
    Flip(prop::sample::Index, u8),
    Remove(prop::sample::Index, usize),
    Insert(prop::sample::Index, Vec<u8>),
    /// A claim of a huge length.
    Huge(prop::sample::Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), 1u8..).prop_map(|(at, xor)| Mutation::Flip(at, xor)),
        (at(), 1usize..20).prop_map(|(at, count)| Mutation::Remove(at, count)),
        (at(), prop::collection::vec(any::<u8>(), 1..20))
            .prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        at().prop_map(Mutation::Huge),
    ]
}

fn mutate(bytes: &mut Vec<u8>, mutation: &Mutation) {
    if bytes.is_empty() {
        return;
    }
    match mutation {
        Mutation::Flip(at, xor) => *at.get_mut(bytes.as_mut_slice()) ^= xor,
        Mutation::Remove(at, count) => {
            let from = at.index(bytes.len());
            bytes.drain(from..(from + count).min(bytes.len()));
        }
        Mutation::Insert(at, new) => {
            let at = at.index(bytes.len());
            bytes.splice(at..at, new.iter().copied());
        }
        Mutation::Huge(at) => {
            let at = at.index(bytes.len());
            bytes.splice(at..=at, [0xff, 0xff, 0xff, 0xff, 0x0f]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Goal: random bytes are survived by every decoder, bare and behind the magic of the files.
    #[test]
    fn random_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        check(&bytes);
        check(&[b"FWGENES1".as_slice(), &bytes].concat());
        check(&[b"FWPROOF1".as_slice(), &bytes].concat());
    }

    /// Goal: nearly right bytes are survived too.
    #[test]
    fn mutated_bytes_are_survived(which: prop::sample::Index, mutations in prop::collection::vec(mutation(), 1..4)) {
        let samples = samples();
        let mut bytes = which.get(&samples).clone();
        for mutation in &mutations {
            mutate(&mut bytes, mutation);
        }
        check(&bytes);
    }
}
