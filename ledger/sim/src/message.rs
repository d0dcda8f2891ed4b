//! What nodes say to each other, as the bytes that the real network carries.

use arc_malachitebft_app_channel::app::consensus::LivenessMsg;
use arc_malachitebft_app_channel::app::streaming::StreamMessage;
use arc_malachitebft_app_channel::app::types::SignedConsensusMsg;
use arc_malachitebft_codec::Codec;
use arc_malachitebft_sync::{Request, Response, Status};
use bytes::Bytes;
use ledger_consortium::pure::{Chain, PostcardCodec, ProposalPart};

/// One message.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    /// A vote or a proposal.
    Consensus(SignedConsensusMsg<Chain>),
    /// A vote or certificate that is repeated until a round gets on.
    Liveness(LivenessMsg<Chain>),
    /// A part of a block, or transactions that wait.
    Part(StreamMessage<ProposalPart>),
    /// How far the sender is.
    Status(Status<Chain>),
    /// Asks for blocks.
    Request(Request<Chain>),
    /// Blocks that were asked for.
    Response(Response<Chain>),
}

/// A message on its way.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    /// Which of [`Message`]'s kinds it is, from 0 on.
    pub kind: u8,
    /// Its bytes.
    pub bytes: Bytes,
}

fn bytes_of<T>(message: &T) -> Option<Bytes>
where
    PostcardCodec: Codec<T>,
{
    PostcardCodec.encode(message).ok()
}

fn read<T>(bytes: &Bytes) -> Option<T>
where
    PostcardCodec: Codec<T>,
{
    PostcardCodec.decode(bytes.clone()).ok()
}

impl Message {
    /// The message as it travels; none if it has no form on the wire.
    pub(crate) fn pack(&self) -> Option<Packet> {
        let (kind, bytes) = match self {
            Self::Consensus(message) => (0, bytes_of(message)),
            Self::Liveness(message) => (1, bytes_of(message)),
            Self::Part(message) => (2, bytes_of(message)),
            Self::Status(message) => (3, bytes_of(message)),
            Self::Request(message) => (4, bytes_of(message)),
            Self::Response(message) => (5, bytes_of(message)),
        };
        bytes.map(|bytes| Packet { kind, bytes })
    }

    /// Reads what arrived.
    pub(crate) fn unpack(packet: &Packet) -> Option<Self> {
        let bytes = &packet.bytes;
        match packet.kind {
            0 => read(bytes).map(Self::Consensus),
            1 => read(bytes).map(Self::Liveness),
            2 => read(bytes).map(Self::Part),
            3 => read(bytes).map(Self::Status),
            4 => read(bytes).map(Self::Request),
            5 => read(bytes).map(Self::Response),
            _ => None,
        }
    }
}
