//! An encrypted channel between two nodes of a consortium, each of which proves the key it votes with.
//!
//! Noise (revision 34) in the form `Noise_NN_25519_ChaChaPoly_BLAKE2s` makes the channel; then each side
//! signs the handshake's hash, which no two channels share, so that nobody can stand between:
//!
//! ```text
//! asker ──▶ "FWSNAP1" ‖ first 16 bytes of the chain id ‖ Noise message 1
//!       ◀── Noise message 2
//!       ◀── key (32) ‖ signature (64) over "fogward/transfer/1" 0x00 "serves" chain hash
//!       ──▶ key (32) ‖ signature (64) over "fogward/transfer/1" 0x00 "asks__" chain hash
//! then messages: length u32, big-endian, in a Noise message; the bytes, 60,000 in each further one
//! ```
//!
//! Left out: who may ask; the caller looks the key up on the ledger.

use std::io;

use ledger_core::{ChainId, PublicKey, SecretKey, Signature};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

const PATTERN: &str = "Noise_NN_25519_ChaChaPoly_BLAKE2s";
/// How a connection begins that is no knock.
pub(in crate::consortium) const MAGIC: &[u8; 7] = b"FWSNAP1";
const SIGNING_TAG: &[u8] = b"fogward/transfer/1\0";
const SERVES: &[u8; 6] = b"serves";
const ASKS: &[u8; 6] = b"asks__";
const PROOF_BYTES: usize = 96;
const MAX_MESSAGE_BYTES: usize = 65_535;
const MAX_PART_BYTES: usize = 60_000;

/// A channel whose other end has proven its key.
pub(super) struct Channel<S> {
    stream: S,
    noise: snow::TransportState,
    buffer: Vec<u8>,
    /// The key the other end holds.
    pub(super) peer: PublicKey,
}

fn broken(_: snow::Error) -> io::Error {
    refused("the other side speaks another protocol")
}

fn refused(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

fn builder<'a>() -> io::Result<snow::Builder<'a>> {
    let pattern = PATTERN.parse().map_err(broken)?;
    Ok(snow::Builder::new(pattern))
}

/// The first bytes of a connection of `chain`.
fn head(chain: ChainId) -> [u8; 23] {
    let mut head = [0; 23];
    head[..7].copy_from_slice(MAGIC);
    head[7..].copy_from_slice(&chain.0.0[..16]);
    head
}

impl<S: AsyncRead + AsyncWrite + Unpin> Channel<S> {
    /// Opens a channel to the node that holds `expected`.
    pub(super) async fn open(
        mut stream: S,
        chain: ChainId,
        own: &SecretKey,
        expected: PublicKey,
    ) -> io::Result<Self> {
        let mut noise = builder()?.build_initiator().map_err(broken)?;
        let mut buffer = vec![0; MAX_MESSAGE_BYTES];
        stream.write_all(&head(chain)).await?;
        let length = noise.write_message(&[], &mut buffer).map_err(broken)?;
        write_frame(&mut stream, &buffer[..length]).await?;
        let answer = read_frame(&mut stream).await?;
        noise.read_message(&answer, &mut buffer).map_err(broken)?;
        let (hash, mut channel) = Self::transport(stream, noise, buffer, expected)?;
        let theirs = channel.receive_proof(SERVES, chain, &hash).await?;
        if theirs != expected {
            return Err(refused("another node answers under this address"));
        }
        channel.send_proof(ASKS, chain, &hash, own).await?;
        Ok(channel)
    }

    /// Accepts a channel whose head was read already; `may_ask` says whose key is good.
    pub(super) async fn accept(
        mut stream: S,
        chain: ChainId,
        own: &SecretKey,
        may_ask: impl FnOnce(&PublicKey) -> bool,
    ) -> io::Result<Self> {
        let mut noise = builder()?.build_responder().map_err(broken)?;
        let mut buffer = vec![0; MAX_MESSAGE_BYTES];
        let message = read_frame(&mut stream).await?;
        noise.read_message(&message, &mut buffer).map_err(broken)?;
        let length = noise.write_message(&[], &mut buffer).map_err(broken)?;
        write_frame(&mut stream, &buffer[..length]).await?;
        let (hash, mut channel) = Self::transport(stream, noise, buffer, own.public())?;
        channel.send_proof(SERVES, chain, &hash, own).await?;
        channel.peer = channel.receive_proof(ASKS, chain, &hash).await?;
        if !may_ask(&channel.peer) {
            return Err(refused("the asker is no node of the consortium"));
        }
        Ok(channel)
    }

    fn transport(
        stream: S,
        noise: snow::HandshakeState,
        buffer: Vec<u8>,
        peer: PublicKey,
    ) -> io::Result<(Vec<u8>, Self)> {
        let hash = noise.get_handshake_hash().to_vec();
        let noise = noise.into_transport_mode().map_err(broken)?;
        let channel = Self {
            stream,
            noise,
            buffer,
            peer,
        };
        Ok((hash, channel))
    }

    async fn send_proof(
        &mut self,
        role: &[u8; 6],
        chain: ChainId,
        hash: &[u8],
        own: &SecretKey,
    ) -> io::Result<()> {
        let signature = own.sign(&signed_bytes(role, chain, hash));
        self.send(&[&own.public().0[..], &signature.0].concat())
            .await
    }

    async fn receive_proof(
        &mut self,
        role: &[u8; 6],
        chain: ChainId,
        hash: &[u8],
    ) -> io::Result<PublicKey> {
        let proof = self.receive(PROOF_BYTES).await?;
        let parts = proof.split_first_chunk::<32>();
        let parts = parts.and_then(|(key, rest)| Some((*key, rest.try_into().ok()?)));
        let (key, signature): ([u8; 32], [u8; 64]) =
            parts.ok_or_else(|| refused("the other side proves no key"))?;
        let (key, signature) = (PublicKey(key), Signature(signature));
        key.verify(&signed_bytes(role, chain, hash), &signature)
            .map_err(|_| refused("the other side does not hold the key it names"))?;
        Ok(key)
    }

    /// Sends one message.
    pub(super) async fn send(&mut self, message: &[u8]) -> io::Result<()> {
        self.begin(message.len()).await?;
        for part in message.chunks(MAX_PART_BYTES) {
            self.send_part(part).await?;
        }
        self.stream.flush().await
    }

    /// Announces a message of this length; its parts follow.
    pub(super) async fn begin(&mut self, length: usize) -> io::Result<()> {
        let length = u32::try_from(length).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.send_part(&length.to_be_bytes()).await
    }

    /// Sends a part of the message that was begun, at most 60,000 bytes.
    pub(super) async fn send_part(&mut self, part: &[u8]) -> io::Result<()> {
        let length = self
            .noise
            .write_message(part, &mut self.buffer)
            .map_err(broken)?;
        write_frame(&mut self.stream, &self.buffer[..length]).await
    }

    /// Receives one message of at most `limit` bytes.
    pub(super) async fn receive(&mut self, limit: usize) -> io::Result<Vec<u8>> {
        let sealed = read_frame(&mut self.stream).await?;
        let carried = self
            .noise
            .read_message(&sealed, &mut self.buffer)
            .map_err(broken)?;
        let length = self.buffer[..carried].try_into().map(u32::from_be_bytes);
        let length = length.map_err(|_| refused("a message has no length"))? as usize;
        if length > limit {
            return Err(refused("a message is too long"));
        }
        let mut whole = Vec::new();
        while whole.len() < length {
            let sealed = read_frame(&mut self.stream).await?;
            let carried = self
                .noise
                .read_message(&sealed, &mut self.buffer)
                .map_err(broken)?;
            if carried == 0 || whole.len() + carried > length {
                return Err(refused("a message is longer than it says"));
            }
            whole.extend(&self.buffer[..carried]);
        }
        Ok(whole)
    }
}

fn signed_bytes(role: &[u8; 6], chain: ChainId, hash: &[u8]) -> Vec<u8> {
    [SIGNING_TAG, role, &chain.0.0, hash].concat()
}

async fn write_frame<S: AsyncWrite + Unpin>(stream: &mut S, message: &[u8]) -> io::Result<()> {
    let length = u16::try_from(message.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(message).await
}

async fn read_frame<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Vec<u8>> {
    let length = usize::from(stream.read_u16().await?);
    let mut message = vec![0; length];
    stream.read_exact(&mut message).await?;
    Ok(message)
}

#[cfg(test)]
mod tests {
    //! Goal: a channel stands between the two keys it is meant for, and messages of any size arrive.
    //! Method: both ends in memory.
    use ledger_core::Digest;
    use tokio::io::duplex;

    use super::*;

    const CHAIN: ChainId = ChainId(Digest([7; 32]));

    fn key(seed: u8) -> SecretKey {
        SecretKey::from_seed(&[seed; 32])
    }

    /// Asker `1` expects `expected`; server `2` lets `allowed` in, and may be of another chain.
    async fn talk(expected: u8, allowed: u8, served: ChainId) -> (io::Result<()>, io::Result<()>) {
        let (near, mut far) = duplex(1 << 20);
        let server = tokio::spawn(async move {
            let mut read = [0; 23];
            far.read_exact(&mut read).await?;
            assert_eq!(&read[..7], MAGIC);
            let allowed = key(allowed).public();
            let mut channel =
                Channel::accept(far, served, &key(2), |asker| *asker == allowed).await?;
            assert_eq!(channel.peer, key(1).public());
            for size in [0, 1, MAX_PART_BYTES, MAX_PART_BYTES + 1, 300_000] {
                channel.send(&vec![9; size]).await?;
            }
            Ok(())
        });
        let asker = async {
            let mut channel = Channel::open(near, CHAIN, &key(1), key(expected).public()).await?;
            for size in [0, 1, MAX_PART_BYTES, MAX_PART_BYTES + 1] {
                assert_eq!(channel.receive(MAX_PART_BYTES + 1).await?, vec![9; size]);
            }
            let too_long = channel.receive(299_999).await;
            assert!(too_long.is_err());
            io::Result::Ok(())
        };
        let asked = asker.await;
        (asked, server.await.unwrap())
    }

    #[tokio::test]
    async fn both_ends_hold_the_keys_they_name() {
        let (asked, _) = talk(2, 1, CHAIN).await;
        asked.unwrap();
        let (asked, _) = talk(3, 1, CHAIN).await;
        assert!(asked.is_err(), "another node than expected");
        let (asked, served) = talk(2, 3, CHAIN).await;
        assert!(asked.is_err() && served.is_err(), "a stranger asks");
        let (asked, _) = talk(2, 1, ChainId(Digest([8; 32]))).await;
        assert!(asked.is_err(), "another chain");
    }
}
