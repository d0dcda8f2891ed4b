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
    /// Asks for blocks, under a number of the asker's.
    Request(u64, Request<Chain>),
    /// Blocks that were asked for under this number.
    Response(u64, Response<Chain>),
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

/// The real network gives every question a stream of its own; here its number stands before it.
fn numbered(number: u64, bytes: Option<Bytes>) -> Option<Bytes> {
    let bytes = bytes?;
    Some([&number.to_be_bytes()[..], &bytes].concat().into())
}

fn read_numbered<T>(bytes: &Bytes) -> Option<(u64, T)>
where
    PostcardCodec: Codec<T>,
{
    let (number, _) = bytes.split_first_chunk()?;
    let rest = bytes.slice(number.len()..);
    Some((u64::from_be_bytes(*number), read(&rest)?))
}

impl Message {
    /// The message as it travels; none if it has no form on the wire.
    pub(crate) fn pack(&self) -> Option<Packet> {
        let (kind, bytes) = match self {
            Self::Consensus(message) => (0, bytes_of(message)),
            Self::Liveness(message) => (1, bytes_of(message)),
            Self::Part(message) => (2, bytes_of(message)),
            Self::Status(message) => (3, bytes_of(message)),
            Self::Request(number, message) => (4, numbered(*number, bytes_of(message))),
            Self::Response(number, message) => (5, numbered(*number, bytes_of(message))),
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
            4 => read_numbered(bytes).map(|(number, message)| Self::Request(number, message)),
            5 => read_numbered(bytes).map(|(number, message)| Self::Response(number, message)),
            _ => None,
        }
    }
}
