//! The peers a snapshot is got from.

use std::io;
use std::time::Duration;

use fogward_level0::Relayed;
use ledger_core::{ChainId, Digest, PublicKey, SecretKey, canonical};
use ledger_store::SnapshotChunk;
use tokio::net::TcpStream;
use zeroize::Zeroizing;

use super::super::peers::resolve;
use super::channel::Channel;
use super::messages::{Answer, MAX_OFFER_BYTES, Request};
use super::packages::PART_BYTES;
use super::serve::SIGN_OF_LIFE;

/// How long a connection and its handshake may take.
const CONNECTING: Duration = Duration::from_secs(5);
/// How long an answer may take: a chunk has 64 MiB at most.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is asked whether a snapshot is made.
const ASK_AGAIN: Duration = Duration::from_millis(100);
/// How long a peer may take to make one.
const MAKING: Duration = Duration::from_secs(120);

/// Longest answer to an order in bytes: 128 hashes, or some sentences.
const MAX_ORDER_ANSWER_BYTES: usize = 1 + 128 * 32;
/// Longest answer with an attestation in bytes.
const MAX_ATTESTED_BYTES: usize = 1 << 10;
/// Longest relayed reading in bytes.
const MAX_RELAYED_BYTES: usize = 64;
/// Longest pairing in bytes.
const MAX_PAIRING_BYTES: usize = 16 << 10;

/// A peer that may have a snapshot, or the pairing of a device.
#[derive(Clone, Debug)]
pub(in crate::consortium) struct Source {
    /// The key it is reached under.
    pub(in crate::consortium) key: PublicKey,
    /// Its name, for people.
    pub(in crate::consortium) name: String,
    /// Where it serves snapshots, `host:port`.
    pub(in crate::consortium) address: String,
}

/// One that answers.
pub(crate) struct Connected {
    pub(super) source: Source,
    channel: Channel<TcpStream>,
}

fn late(_: tokio::time::error::Elapsed) -> io::Error {
    io::ErrorKind::TimedOut.into()
}

impl Source {
    /// Connects to it.
    pub(in crate::consortium) async fn connect(
        self,
        chain: ChainId,
        own: &SecretKey,
    ) -> io::Result<Connected> {
        let connecting = async {
            let address = resolve(&self.address).await;
            let address = address.ok_or(io::ErrorKind::NotFound)?;
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Channel::open(stream, chain, own, self.key).await
        };
        let channel = tokio::time::timeout(CONNECTING, connecting)
            .await
            .map_err(late)??;
        Ok(Connected {
            source: self,
            channel,
        })
    }
}

impl Connected {
    async fn ask(&mut self, request: Request, limit: usize) -> io::Result<Answer> {
        let asked = async {
            self.channel.send(&request.encode()).await?;
            let answer = self.channel.receive(limit).await?;
            Answer::decode(answer).ok_or_else(|| io::ErrorKind::InvalidData.into())
        };
        tokio::time::timeout(PATIENCE, asked).await.map_err(late)?
    }

    /// Its snapshot, made if it has none; manifest and trust file. `None` if it can make none.
    pub(super) async fn offer(&mut self, at: u64) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
        let until = tokio::time::Instant::now() + MAKING;
        while tokio::time::Instant::now() < until {
            match self.ask(Request::Offer { at }, MAX_OFFER_BYTES).await? {
                Answer::Preparing => tokio::time::sleep(ASK_AGAIN).await,
                Answer::Offer { manifest, trust } => return Ok(Some((manifest, trust))),
                Answer::Unknown => return Ok(None),
                _ => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
        Err(io::ErrorKind::TimedOut.into())
    }

    /// The pairing of a device that was handed to this node; `None` if it has none to give.
    pub(crate) async fn pairing(
        &mut self,
        handle: Digest,
    ) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        match self
            .ask(Request::Pairing(handle), MAX_PAIRING_BYTES)
            .await?
        {
            Answer::Pairing(bytes) => Ok(Some(bytes)),
            Answer::Unknown => Ok(None),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// Says that the pairing of a device is on this node's disk.
    pub(crate) async fn taken(&mut self, handle: Digest) -> io::Result<()> {
        match self.ask(Request::Taken(handle), 1).await? {
            Answer::Forgotten => Ok(()),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// Tells it what this node hears.
    pub(crate) async fn hears(&mut self, hearing: Vec<u8>) -> io::Result<()> {
        match self.ask(Request::Hears(hearing), 1).await? {
            Answer::Noted => Ok(()),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// Asks for what a device of this node may hear of those of the other; false if there is nothing.
    pub(crate) async fn hear(&mut self, asker: Digest) -> io::Result<bool> {
        match self.ask(Request::Relay(asker), 1).await? {
            Answer::Relaying => Ok(true),
            Answer::Unknown => Ok(false),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// Asks for what somebody was granted: the hashes of the chunks it is packed in, or why it is not given. `None` if
    /// it does not have it.
    pub(crate) async fn order(
        &mut self,
        order: &[u8],
    ) -> io::Result<Option<Result<Vec<Digest>, Vec<u8>>>> {
        match self
            .ask(Request::Order(order.to_vec()), MAX_ORDER_ANSWER_BYTES)
            .await?
        {
            Answer::Packed(hashes) => Ok(Some(Ok(hashes))),
            Answer::Refused(why) => Ok(Some(Err(why))),
            Answer::Unknown => Ok(None),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// Asks what a person is to a subject, as she claims; `None` if it does not attest it.
    pub(crate) async fn attest(&mut self, claim: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let asked = Request::Attest(claim.to_vec());
        match self.ask(asked, MAX_ATTESTED_BYTES).await? {
            Answer::Attested(bytes) => Ok(Some(bytes)),
            Answer::Unknown => Ok(None),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// A chunk of what was ordered; it has this hash. `None` if it has none of it any more.
    pub(crate) async fn part(&mut self, hash: Digest) -> io::Result<Option<Vec<u8>>> {
        match self.ask(Request::Part(hash), PART_BYTES + 1).await? {
            Answer::Chunk(bytes) if Digest::of(&bytes) == hash => Ok(Some(bytes)),
            Answer::Unknown => Ok(None),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// What is heard next.
    pub(crate) async fn heard(&mut self) -> io::Result<Relayed> {
        loop {
            let next = self.channel.receive(MAX_RELAYED_BYTES);
            let next = tokio::time::timeout(SIGN_OF_LIFE * 3, next).await;
            let message = next.map_err(late)??;
            if !message.is_empty() {
                let relayed = canonical::decode(&message, MAX_RELAYED_BYTES);
                return relayed.map_err(|_| io::ErrorKind::InvalidData.into());
            }
        }
    }

    /// A chunk as it sends it, unchecked; `None` if it has none of this hash.
    pub(super) async fn chunk(&mut self, chunk: &SnapshotChunk) -> io::Result<Option<Vec<u8>>> {
        let hash: Digest = chunk
            .sha256
            .parse()
            .map_err(|_| io::ErrorKind::InvalidInput)?;
        let limit = usize::try_from(chunk.bytes).unwrap_or(usize::MAX);
        match self
            .ask(Request::Chunk(hash), limit.saturating_add(1))
            .await?
        {
            Answer::Chunk(bytes) => Ok(Some(bytes)),
            Answer::Unknown => Ok(None),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}
