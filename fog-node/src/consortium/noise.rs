//! One request and one answer over TCP, encrypted, between a node that holds an invitation's token and
//! the door it names.
//!
//! Noise (revision 34) in the form `Noise_NKpsk0_25519_ChaChaPoly_BLAKE2s`: the knocker knows the door's
//! key from the invitation, and both know the token. Who has no token cannot make the first message, and
//! learns nothing from the answer, which is none.
//!
//! ```text
//! knock    "FWDOOR1" ‖ invitation id (16)
//! message  length u16, big-endian ‖ Noise message          the handshake's first carries the request
//! answer   the handshake's second carries its length u32, big-endian; then transport messages
//! ```

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::invitation::Token;

const PATTERN: &str = "Noise_NKpsk0_25519_ChaChaPoly_BLAKE2s";
/// How a knock begins.
pub(super) const MAGIC: &[u8; 7] = b"FWDOOR1";
/// Longest request in bytes.
pub(super) const MAX_REQUEST_BYTES: usize = 8 << 10;
/// Longest answer in bytes.
pub(super) const MAX_ANSWER_BYTES: usize = 4 << 20;
/// Longest Noise message, and what it carries at most.
const MAX_MESSAGE_BYTES: usize = 65_535;
const MAX_CHUNK_BYTES: usize = 60_000;

/// The door's key pair.
#[derive(Clone)]
pub(super) struct DoorKey {
    pub(super) secret: zeroize::Zeroizing<[u8; 32]>,
    pub(super) public: [u8; 32],
}

impl DoorKey {
    /// A new one.
    pub(super) fn generate() -> io::Result<Self> {
        let pair = builder()?.generate_keypair().map_err(broken)?;
        let halves = (pair.private.try_into(), pair.public.try_into());
        let (Ok(secret), Ok(public)) = halves else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        Ok(Self {
            secret: zeroize::Zeroizing::new(secret),
            public,
        })
    }
}

fn builder<'a>() -> io::Result<snow::Builder<'a>> {
    let pattern = PATTERN.parse().map_err(broken)?;
    Ok(snow::Builder::new(pattern))
}

fn broken(_: snow::Error) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the other side does not hold what the invitation says",
    )
}

/// Knocks: sends `request` and returns the answer.
pub(super) async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    id: &[u8; 16],
    door_key: &[u8; 32],
    token: &Token,
    request: &[u8],
) -> io::Result<Vec<u8>> {
    let mut noise = builder()?
        .psk(0, &token.0)
        .remote_public_key(door_key)
        .build_initiator()
        .map_err(broken)?;
    let mut message = vec![0; MAX_MESSAGE_BYTES];
    let length = noise.write_message(request, &mut message).map_err(broken)?;
    stream.write_all(MAGIC).await?;
    stream.write_all(id).await?;
    send(&mut stream, &message[..length]).await?;
    let mut opened = [0; 4];
    let answer = receive(&mut stream, MAX_MESSAGE_BYTES).await?;
    let carried = noise.read_message(&answer, &mut opened).map_err(broken)?;
    let length = u32::from_be_bytes(opened) as usize;
    if carried != 4 || length > MAX_ANSWER_BYTES {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut noise = noise.into_transport_mode().map_err(broken)?;
    let mut whole = Vec::new();
    while whole.len() < length {
        let sealed = receive(&mut stream, MAX_MESSAGE_BYTES).await?;
        let count = noise.read_message(&sealed, &mut message).map_err(broken)?;
        whole.extend(&message[..count]);
        if count == 0 || whole.len() > length {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    Ok(whole)
}

/// Who comes, before anything is proven: seven letters and sixteen bytes, the invitation's id of a knock.
pub(super) async fn come<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<([u8; 7], [u8; 16])> {
    let (mut magic, mut id) = ([0; 7], [0; 16]);
    stream.read_exact(&mut magic).await?;
    stream.read_exact(&mut id).await?;
    Ok((magic, id))
}

/// A request whose sender holds the token, and the way to answer it.
pub(super) struct Asked<S> {
    /// The request.
    pub(super) request: Vec<u8>,
    stream: S,
    noise: snow::HandshakeState,
}

/// Receives the request after [`come`].
pub(super) async fn receive_request<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    door_key: &DoorKey,
    token: &Token,
) -> io::Result<Asked<S>> {
    let mut noise = builder()?
        .psk(0, &token.0)
        .local_private_key(&*door_key.secret)
        .build_responder()
        .map_err(broken)?;
    let message = receive(&mut stream, MAX_REQUEST_BYTES + 128).await?;
    let mut request = vec![0; message.len()];
    let length = noise.read_message(&message, &mut request).map_err(broken)?;
    request.truncate(length);
    Ok(Asked {
        request,
        stream,
        noise,
    })
}

impl<S: AsyncRead + AsyncWrite + Unpin> Asked<S> {
    /// Sends the answer.
    pub(super) async fn answer(mut self, answer: &[u8]) -> io::Result<()> {
        let length = u32::try_from(answer.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let mut message = vec![0; MAX_MESSAGE_BYTES];
        let count = self
            .noise
            .write_message(&length.to_be_bytes(), &mut message)
            .map_err(broken)?;
        send(&mut self.stream, &message[..count]).await?;
        let mut noise = self.noise.into_transport_mode().map_err(broken)?;
        for chunk in answer.chunks(MAX_CHUNK_BYTES) {
            let count = noise.write_message(chunk, &mut message).map_err(broken)?;
            send(&mut self.stream, &message[..count]).await?;
        }
        self.stream.shutdown().await
    }
}

async fn send<S: AsyncWrite + Unpin>(stream: &mut S, message: &[u8]) -> io::Result<()> {
    let length = u16::try_from(message.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(message).await
}

async fn receive<S: AsyncRead + Unpin>(stream: &mut S, limit: usize) -> io::Result<Vec<u8>> {
    let length = usize::from(stream.read_u16().await?);
    if length > limit {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut message = vec![0; length];
    stream.read_exact(&mut message).await?;
    Ok(message)
}

#[cfg(test)]
mod tests {
    //! Goal: a request and its answer arrive whole, and nobody without the token or the door's key is
    //! heard. Method: both ends in memory.
    use super::*;

    async fn talk(knocker: &Token, door: &Token, size: usize) -> io::Result<Vec<u8>> {
        let (near, mut far) = tokio::io::duplex(1 << 20);
        let key = DoorKey::generate().unwrap();
        let public = key.public;
        let door = door.clone();
        let answering = tokio::spawn(async move {
            assert_eq!(come(&mut far).await?, (*MAGIC, [4; 16]));
            let asked = receive_request(far, &key, &door).await?;
            assert_eq!(asked.request, b"may I?");
            asked.answer(&vec![8; size]).await
        });
        let answer = ask(near, &[4; 16], &public, knocker, b"may I?").await;
        let answered = answering.await.unwrap();
        assert_eq!(answer.is_ok(), answered.is_ok());
        answer
    }

    #[tokio::test]
    async fn answers_of_any_size_arrive() {
        let token = Token([1; 32]);
        for size in [0, 1, MAX_CHUNK_BYTES, MAX_CHUNK_BYTES + 1, 300_000] {
            assert_eq!(talk(&token, &token, size).await.unwrap(), vec![8; size]);
        }
    }

    #[tokio::test]
    async fn without_the_token_nobody_is_heard() {
        talk(&Token([1; 32]), &Token([2; 32]), 10)
            .await
            .unwrap_err();
    }
}
