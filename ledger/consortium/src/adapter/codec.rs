//! Malachite's codecs: postcard over the structs of [`super::wire`].
//!
//! Decoding is total and bounded: a limit on the length, no allocation beyond a small multiple of the
//! bytes at hand, no bytes left over.

use arc_malachitebft_app_channel::app::consensus::LivenessMsg;
use arc_malachitebft_app_channel::app::streaming::{StreamContent, StreamId, StreamMessage};
use arc_malachitebft_app_channel::app::types::core::{
    ExtendedCommitCertificate, ExtendedCommitSignature, PolkaCertificate, PolkaSignature, Round,
    RoundCertificate, RoundSignature, ValidatorProof,
};
use arc_malachitebft_app_channel::app::types::{PeerId, ProposedValue, SignedConsensusMsg};
use arc_malachitebft_codec::{Codec, HasEncodedLen};
use arc_malachitebft_sync::{
    RawDecidedValue, Request, Response, Status, ValueRequest, ValueResponse,
};
use bytes::Bytes;
use ledger_core::block::MAX_BLOCK_BYTES;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::context::{Address, BlockHeight, Chain, ProposalPart, ValueHash};
use super::wire;

/// Longest message in bytes: a block with its certificate, and room for the envelope.
const MAX_MESSAGE_BYTES: usize = MAX_BLOCK_BYTES + (1 << 20);

/// Postcard for everything nodes exchange and log.
#[derive(Clone, Copy, Debug, Default)]
pub struct PostcardCodec;

/// The bytes are not a message of the expected kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the bytes are not a message of the expected kind")]
pub struct CodecError;

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    if bytes.len() > MAX_MESSAGE_BYTES {
        return Err(CodecError);
    }
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        _ => Err(CodecError),
    }
}

fn write<T: Serialize>(value: &T) -> Result<Bytes, CodecError> {
    let bytes = postcard::to_allocvec(value).map_err(|_| CodecError)?;
    Ok(bytes.into())
}

impl Codec<SignedConsensusMsg<Chain>> for PostcardCodec {
    type Error = CodecError;

    fn decode(&self, bytes: Bytes) -> Result<SignedConsensusMsg<Chain>, CodecError> {
        read::<wire::Consensus>(&bytes).map(Into::into)
    }

    fn encode(&self, message: &SignedConsensusMsg<Chain>) -> Result<Bytes, CodecError> {
        write(&wire::Consensus::from(message))
    }
}

impl Codec<ProposedValue<Chain>> for PostcardCodec {
    type Error = CodecError;

    fn decode(&self, bytes: Bytes) -> Result<ProposedValue<Chain>, CodecError> {
        read::<wire::Proposed>(&bytes).map(Into::into)
    }

    fn encode(&self, value: &ProposedValue<Chain>) -> Result<Bytes, CodecError> {
        write(&wire::Proposed::from(value))
    }
}

impl Codec<ProposalPart> for PostcardCodec {
    type Error = CodecError;

    fn decode(&self, bytes: Bytes) -> Result<ProposalPart, CodecError> {
        read::<wire::Part>(&bytes).map(Into::into)
    }

    fn encode(&self, part: &ProposalPart) -> Result<Bytes, CodecError> {
        write(&wire::Part::from(part))
    }
}

impl Codec<StreamMessage<ProposalPart>> for PostcardCodec {
    type Error = CodecError;

    fn decode(&self, bytes: Bytes) -> Result<StreamMessage<ProposalPart>, CodecError> {
        let message: wire::Stream = read(&bytes)?;
        let content = message
            .part
            .map_or(StreamContent::Fin, |part| StreamContent::Data(part.into()));
        let id = StreamId::new(message.stream.into());
        Ok(StreamMessage::new(id, message.sequence, content))
    }

    fn encode(&self, message: &StreamMessage<ProposalPart>) -> Result<Bytes, CodecError> {
        write(&wire::Stream {
            stream: message.stream_id.to_bytes().to_vec(),
            sequence: message.sequence,
            part: message.content.as_data().map(Into::into),
        })
    }
}

fn polka_to_wire(polka: &PolkaCertificate<Chain>) -> wire::BlockSignatures {
    let signatures = polka.polka_signatures.iter().map(|signed| wire::Signed {
        signer: signed.address.0,
        signature: signed.signature,
    });
    wire::BlockSignatures {
        height: polka.height.0,
        round: polka.round.as_u32(),
        block: polka.value_id.0,
        signatures: signatures.collect(),
    }
}

fn polka_from_wire(polka: wire::BlockSignatures) -> PolkaCertificate<Chain> {
    let signatures = polka.signatures.into_iter().map(|signed| PolkaSignature {
        address: Address(signed.signer),
        signature: signed.signature,
    });
    PolkaCertificate {
        height: BlockHeight(polka.height),
        round: Round::from(polka.round),
        value_id: ValueHash(polka.block),
        polka_signatures: signatures.collect(),
    }
}

fn round_to_wire(certificate: &RoundCertificate<Chain>) -> wire::RoundVotes {
    let votes = certificate
        .round_signatures
        .iter()
        .map(|vote| wire::RoundVote {
            kind: wire::kind_of(vote.vote_type),
            block: wire::block_of(&vote.value_id),
            signed: wire::Signed {
                signer: vote.address.0,
                signature: vote.signature,
            },
        });
    wire::RoundVotes {
        height: certificate.height.0,
        round: certificate.round.as_u32(),
        skip: wire::RoundVotes::skip_of(certificate.cert_type.clone()),
        votes: votes.collect(),
    }
}

fn round_from_wire(certificate: wire::RoundVotes) -> RoundCertificate<Chain> {
    let votes = certificate.votes.into_iter().map(|vote| RoundSignature {
        vote_type: wire::type_of(vote.kind),
        value_id: wire::nil_or(vote.block),
        address: Address(vote.signed.signer),
        signature: vote.signed.signature,
    });
    RoundCertificate {
        height: BlockHeight(certificate.height),
        round: Round::from(certificate.round),
        cert_type: wire::RoundVotes::type_of(certificate.skip),
        round_signatures: votes.collect(),
    }
}

impl Codec<PolkaCertificate<Chain>> for PostcardCodec {
    type Error = CodecError;

    fn decode(&self, bytes: Bytes) -> Result<PolkaCertificate<Chain>, CodecError> {
        read(&bytes).map(polka_from_wire)
    }

    fn encode(&self, polka: &PolkaCertificate<Chain>) -> Result<Bytes, CodecError> {
        write(&polka_to_wire(polka))
    }
}

impl Codec<LivenessMsg<Chain>> for PostcardCodec {
    type Error = CodecError;

    fn decode(&self, bytes: Bytes) -> Result<LivenessMsg<Chain>, CodecError> {
        Ok(match read(&bytes)? {
            wire::Liveness::Vote(vote) => LivenessMsg::Vote(vote.into()),
            wire::Liveness::Polka(polka) => LivenessMsg::PolkaCertificate(polka_from_wire(polka)),
            wire::Liveness::SkipRound(votes) => {
                LivenessMsg::SkipRoundCertificate(round_from_wire(votes))
            }
        })
    }

    fn encode(&self, message: &LivenessMsg<Chain>) -> Result<Bytes, CodecError> {
        write(&match message {
            LivenessMsg::Vote(vote) => wire::Liveness::Vote(vote.into()),
            LivenessMsg::PolkaCertificate(polka) => wire::Liveness::Polka(polka_to_wire(polka)),
            LivenessMsg::SkipRoundCertificate(round) => {
                wire::Liveness::SkipRound(round_to_wire(round))
            }
        })
    }
}

impl Codec<ValidatorProof<Chain>> for PostcardCodec {
    type Error = CodecError;

    fn decode(&self, bytes: Bytes) -> Result<ValidatorProof<Chain>, CodecError> {
        let proof: wire::Proof = read(&bytes)?;
        Ok(ValidatorProof::new(proof.key, proof.peer, proof.signature))
    }

    fn encode(&self, proof: &ValidatorProof<Chain>) -> Result<Bytes, CodecError> {
        write(&wire::Proof {
            key: proof.public_key.clone(),
            peer: proof.peer_id.clone(),
            signature: proof.signature,
        })
    }
}

impl Codec<Status<Chain>> for PostcardCodec {
    type Error = CodecError;

    fn decode(&self, bytes: Bytes) -> Result<Status<Chain>, CodecError> {
        let status: wire::PeerStatus = read(&bytes)?;
        Ok(Status {
            peer_id: PeerId::from_bytes(&status.peer).map_err(|_| CodecError)?,
            tip_height: BlockHeight(status.tip),
            history_min_height: BlockHeight(status.oldest),
        })
    }

    fn encode(&self, status: &Status<Chain>) -> Result<Bytes, CodecError> {
        write(&wire::PeerStatus {
            peer: status.peer_id.to_bytes(),
            tip: status.tip_height.0,
            oldest: status.history_min_height.0,
        })
    }
}

impl Codec<Request<Chain>> for PostcardCodec {
    type Error = CodecError;

    fn decode(&self, bytes: Bytes) -> Result<Request<Chain>, CodecError> {
        let request: wire::BlocksRequest = read(&bytes)?;
        let range = BlockHeight(request.first)..=BlockHeight(request.last);
        Ok(Request::ValueRequest(ValueRequest::new(range)))
    }

    fn encode(&self, request: &Request<Chain>) -> Result<Bytes, CodecError> {
        let Request::ValueRequest(request) = request;
        write(&wire::BlocksRequest {
            first: request.range.start().0,
            last: request.range.end().0,
        })
    }
}

fn final_block_to_wire(value: &RawDecidedValue<Chain>) -> wire::FinalBlock {
    let certificate = &value.certificate;
    let signatures = certificate
        .commit_signatures
        .iter()
        .map(|signed| wire::Signed {
            signer: signed.address.0,
            signature: signed.signature,
        });
    wire::FinalBlock {
        block: value.value_bytes.to_vec(),
        certificate: wire::BlockSignatures {
            height: certificate.height.0,
            round: certificate.round.as_u32(),
            block: certificate.value_id.0,
            signatures: signatures.collect(),
        },
    }
}

fn final_block_from_wire(block: wire::FinalBlock) -> RawDecidedValue<Chain> {
    let certificate = block.certificate;
    let signatures = certificate
        .signatures
        .into_iter()
        .map(|signed| ExtendedCommitSignature::new(Address(signed.signer), signed.signature, None));
    let certificate = ExtendedCommitCertificate {
        height: BlockHeight(certificate.height),
        round: Round::from(certificate.round),
        value_id: ValueHash(certificate.block),
        commit_signatures: signatures.collect(),
    };
    RawDecidedValue::new(block.block.into(), certificate)
}

impl Codec<Response<Chain>> for PostcardCodec {
    type Error = CodecError;

    fn decode(&self, bytes: Bytes) -> Result<Response<Chain>, CodecError> {
        let response: wire::BlocksResponse = read(&bytes)?;
        let values = response.blocks.into_iter().map(final_block_from_wire);
        Ok(Response::ValueResponse(ValueResponse::new(
            BlockHeight(response.first),
            values.collect(),
        )))
    }

    fn encode(&self, response: &Response<Chain>) -> Result<Bytes, CodecError> {
        let Response::ValueResponse(response) = response;
        write(&wire::BlocksResponse {
            first: response.start_height.0,
            blocks: response.values.iter().map(final_block_to_wire).collect(),
        })
    }
}

impl HasEncodedLen<Response<Chain>> for PostcardCodec {
    fn encoded_len(&self, response: &Response<Chain>) -> Result<usize, CodecError> {
        Codec::<Response<Chain>>::encode(self, response).map(|bytes| bytes.len())
    }
}
