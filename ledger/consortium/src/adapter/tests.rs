//! Goal: the bytes nodes exchange and log stay as they are, and no bytes of a stranger do harm.
//! Method: golden bytes of one message of each kind, in `golden.txt`; then random and damaged bytes.
//! A changed golden is a decision: nodes of two versions would not understand each other.

use std::fmt::Debug;

use arc_malachitebft_app_channel::app::consensus::LivenessMsg;
use arc_malachitebft_app_channel::app::streaming::{StreamContent, StreamId, StreamMessage};
use arc_malachitebft_app_channel::app::types::core::{
    Context as _, ExtendedCommitCertificate, ExtendedCommitSignature, NilOrVal, PolkaCertificate,
    PolkaSignature, Round, RoundCertificate, RoundCertificateType, RoundSignature, SignedMessage,
    ValidatorProof, Validity, VoteType,
};
use arc_malachitebft_app_channel::app::types::{ProposedValue, SignedConsensusMsg};
use arc_malachitebft_codec::Codec;
use arc_malachitebft_signing::{Signer as _, Verifier as _};
use arc_malachitebft_sync::{
    RawDecidedValue, Request, Response, Status, ValueRequest, ValueResponse,
};
use bytes::Bytes;
use ledger_core::certificate::CommitSignature;
use ledger_core::{
    Certificate, ChainId, Digest, Height, PublicKey, SecretKey, Signature, Validator, ValidatorSet,
};
use proptest::prelude::*;

use crate::hello::{Echo, Hello};

use super::context::{Proposal, ProposalStart, proposer_index};
use super::signing::{ChainSigner, ChainVerifier};
use super::{Address, BlockHeight, Chain, PostcardCodec, ProposalPart, ValueHash};

const HEIGHT: BlockHeight = BlockHeight(Height(300));

fn digest() -> Digest {
    Digest([0xab; 32])
}

fn voter() -> Address {
    Address(PublicKey([0xcd; 32]))
}

fn signature() -> Signature {
    Signature([0xef; 64])
}

fn vote(value: NilOrVal<ValueHash>) -> SignedMessage<Chain, super::context::Vote> {
    let vote = Chain.new_precommit(HEIGHT, Round::new(2), value, voter());
    SignedMessage::new(vote, signature())
}

fn proposal() -> Proposal {
    Chain.new_proposal(
        HEIGHT,
        Round::new(2),
        ValueHash(digest()),
        Round::Nil,
        voter(),
    )
}

fn polka() -> PolkaCertificate<Chain> {
    PolkaCertificate {
        height: HEIGHT,
        round: Round::new(2),
        value_id: ValueHash(digest()),
        polka_signatures: vec![PolkaSignature::new(voter(), signature())],
    }
}

fn start() -> ProposalPart {
    ProposalPart::Start(ProposalStart {
        height: HEIGHT.0,
        round: Round::new(2),
        valid_round: Round::new(1),
        proposer: voter().0,
        block: digest(),
        bytes: 1000,
    })
}

fn stream(content: StreamContent<ProposalPart>) -> StreamMessage<ProposalPart> {
    StreamMessage::new(StreamId::new(Bytes::from_static(b"stream")), 7, content)
}

fn decided() -> RawDecidedValue<Chain> {
    let signed = ExtendedCommitSignature::new(voter(), signature(), None);
    let certificate = ExtendedCommitCertificate {
        height: HEIGHT,
        round: Round::new(2),
        value_id: ValueHash(digest()),
        commit_signatures: vec![signed],
    };
    RawDecidedValue::new(Bytes::from_static(b"block"), certificate)
}

/// Encodes, decodes again, and gives a line of the golden file.
fn line<T: Debug + PartialEq>(name: &str, value: &T) -> String
where
    PostcardCodec: Codec<T>,
{
    let bytes = PostcardCodec
        .encode(value)
        .unwrap_or_else(|_| panic!("{name}"));
    let back = PostcardCodec
        .decode(bytes.clone())
        .unwrap_or_else(|_| panic!("{name}"));
    assert_eq!(&back, value, "{name}");
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{name} {hex}\n")
}

#[test]
fn golden_bytes() {
    let nil = NilOrVal::Nil;
    let value = NilOrVal::Val(ValueHash(digest()));
    let round_vote = RoundSignature::new(VoteType::Prevote, nil, voter(), signature());
    let round_certificate = RoundCertificate {
        height: HEIGHT,
        round: Round::new(2),
        cert_type: RoundCertificateType::Skip,
        round_signatures: vec![round_vote],
    };
    let proposed = ProposedValue::<Chain> {
        height: HEIGHT,
        round: Round::new(2),
        valid_round: Round::Nil,
        proposer: voter(),
        value: ValueHash(digest()),
        validity: Validity::Valid,
    };
    let status = Status::<Chain> {
        peer_id: crate::network::peer_id(&voter().0).unwrap(),
        tip_height: HEIGHT,
        history_min_height: BlockHeight(Height(1)),
    };
    let range = ValueRequest::new(BlockHeight(Height(1))..=HEIGHT);
    let signed_proposal = SignedMessage::new(proposal(), signature());
    let lines = [
        line("vote-nil", &SignedConsensusMsg::Vote(vote(nil))),
        line("vote", &SignedConsensusMsg::Vote(vote(value))),
        line("proposal", &SignedConsensusMsg::Proposal(signed_proposal)),
        line("liveness-vote", &LivenessMsg::Vote(vote(value))),
        line("liveness-polka", &LivenessMsg::PolkaCertificate(polka())),
        line(
            "liveness-skip",
            &LivenessMsg::SkipRoundCertificate(round_certificate),
        ),
        line("polka", &polka()),
        line("proposed-value", &proposed),
        line("part-start", &start()),
        line("part-piece", &ProposalPart::Piece(b"piece".to_vec())),
        line(
            "part-transactions",
            &ProposalPart::Transactions(vec![b"one".to_vec()]),
        ),
        line(
            "part-hello",
            &ProposalPart::Hello(Hello {
                sent_micros: 1_700_000_000_000_000,
                height: HEIGHT.0,
                echoes: vec![Echo {
                    peer: voter().0,
                    sent_micros: 1_700_000_000_000_001,
                    held_micros: 5,
                }],
            }),
        ),
        line("stream-data", &stream(StreamContent::Data(start()))),
        line("stream-end", &stream(StreamContent::Fin)),
        line(
            "validator-proof",
            &ValidatorProof::<Chain>::new(vec![1], vec![2], signature()),
        ),
        line("status", &status),
        line("blocks-request", &Request::<Chain>::ValueRequest(range)),
        line(
            "blocks-response",
            &Response::ValueResponse(ValueResponse::new(HEIGHT, vec![decided()])),
        ),
    ];
    let found = lines.concat();
    assert_eq!(found, include_str!("golden.txt"), "found:\n{found}");
}

/// Goal: Malachite's precommits are the ledger's certificate.
#[tokio::test]
async fn precommits_make_a_certificate() {
    let chain = ChainId(digest());
    let key = SecretKey::from_seed(&[3; 32]);
    let validator = Validator {
        key: key.public(),
        power: 1,
        name: "one".into(),
    };
    let validators = ValidatorSet::new(vec![validator]).unwrap();
    let signer = ChainSigner { chain, key };
    let address = Address(validators.as_slice()[0].key);
    let value = NilOrVal::Val(ValueHash(digest()));
    let vote = Chain.new_precommit(HEIGHT, Round::new(2), value, address);
    let signed = signer.sign_vote(vote).await.unwrap();
    let certificate = Certificate {
        height: HEIGHT.0,
        round: 2,
        block: digest(),
        signatures: vec![CommitSignature {
            validator: 0,
            signature: signed.signature,
        }],
    };
    certificate.verify(chain, &validators).unwrap();

    for (on, expected) in [(chain, true), (ChainId(Digest::ZERO), false)] {
        let verifier = ChainVerifier { chain: on };
        let verified = verifier.verify_signed_vote(&signed.message, &signed.signature, &address.0);
        assert_eq!(verified.await.unwrap().is_valid(), expected);
    }
    let signed = signer.sign_proposal(proposal()).await.unwrap();
    let verifier = ChainVerifier { chain };
    let check = |proposal| async move {
        let verified = verifier.verify_signed_proposal(&proposal, &signed.signature, &address.0);
        verified.await.unwrap().is_valid()
    };
    assert!(check(proposal()).await);
    let other = Proposal {
        pol_round: Round::ZERO,
        ..proposal()
    };
    assert!(!check(other).await);
}

/// Goal: every validator has its turn, whichever rounds fail.
#[test]
fn proposers_take_turns() {
    let turn = |height, round| proposer_index(Height(height), Round::new(round), 3);
    assert_eq!(
        [turn(1, 0), turn(2, 0), turn(3, 0), turn(4, 0)],
        [1, 2, 0, 1]
    );
    assert_eq!(
        [turn(1, 0), turn(1, 1), turn(1, 2), turn(1, 3)],
        [1, 2, 0, 1]
    );
    assert_eq!(turn(u64::MAX, u32::MAX), turn(0, 0));
    assert_eq!(proposer_index(Height(9), Round::Nil, 1), 0);
}

/// Decodes `bytes` as everything there is. Whatever is accepted encodes to as many bytes at most, so
/// nothing was made up.
fn decode_as_everything(bytes: &[u8]) {
    fn one<T>(bytes: &[u8])
    where
        PostcardCodec: Codec<T>,
    {
        let codec = PostcardCodec;
        if let Ok(value) = Codec::<T>::decode(&codec, Bytes::copy_from_slice(bytes)) {
            let encoded = codec
                .encode(&value)
                .unwrap_or_else(|_| panic!("decoded, not encoded"));
            assert!(encoded.len() <= bytes.len());
        }
    }
    one::<SignedConsensusMsg<Chain>>(bytes);
    one::<LivenessMsg<Chain>>(bytes);
    one::<PolkaCertificate<Chain>>(bytes);
    one::<ProposedValue<Chain>>(bytes);
    one::<ProposalPart>(bytes);
    one::<StreamMessage<ProposalPart>>(bytes);
    one::<ValidatorProof<Chain>>(bytes);
    one::<Status<Chain>>(bytes);
    one::<Request<Chain>>(bytes);
    one::<Response<Chain>>(bytes);
}

fn golden() -> Vec<Vec<u8>> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    include_str!("golden.txt")
        .lines()
        .map(|line| line.split(' ').nth(1).unwrap())
        .map(|hex| hex.as_bytes().chunks(2).map(byte).collect())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        decode_as_everything(&bytes);
    }

    #[test]
    fn damaged_messages_do_no_harm(
        message in proptest::sample::select(golden()),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut damaged = message.clone();
        let place = place.index(damaged.len());
        damaged[place] = byte;
        decode_as_everything(&damaged);
        damaged.truncate(cut.index(message.len()));
        decode_as_everything(&damaged);
    }
}

/// Goal: a length that lies allocates nothing; method: lengths of up to 2^63 in front of nothing.
#[test]
fn lying_lengths_allocate_nothing() {
    for first in 0..8u8 {
        for lie in [
            &[0xff, 0xff, 0xff, 0xff, 0x0f][..],
            &[0xff; 9],
            &[0x80, 0x80, 0x80, 0x40],
        ] {
            let bytes = [&[first][..], lie, &[0x7f]].concat();
            decode_as_everything(&bytes);
            decode_as_everything(&bytes[1..]);
        }
    }
}

/// Goal: the network's name of a key is what libp2p makes of it.
#[test]
fn peers_are_named_by_their_keys() {
    for seed in 0..20 {
        let key = SecretKey::from_seed(&[seed; 32]);
        let identity = crate::network::identity(&key).unwrap();
        let expected = identity.public().to_peer_id().to_bytes();
        let named = crate::network::peer_id(&key.public()).unwrap();
        assert_eq!(named.to_bytes(), expected);
    }
}
