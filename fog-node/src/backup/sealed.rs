//! The sealed stream: a header in the clear, then chunks that open only under the passphrase, in their
//! order, all of them, and with the header as it was.
//!
//! ```text
//! header[64] = "FWBACK01" ‖ memory KiB u32 ‖ passes u32 ‖ lanes u32 ‖ salt[16] ‖ prefix[19]
//!              ‖ chunk length u32 ‖ zero[5]                                   (integers little endian)
//! key        = Argon2id(passphrase, salt, memory, passes, lanes), 32 bytes
//! chunk i    = XChaCha20-Poly1305(key, nonce = prefix ‖ i as u32 big endian ‖ last, aad = header)
//! last       = 1 for the last chunk, else 0; all chunks but the last hold exactly the chunk length
//! ```
//!
//! This is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015): what is cut off, exchanged or added does not
//! open.

use std::io::{self, Read, Write};

use zeroize::Zeroizing;

use crate::keystore::random;
use crate::stretch::Cost;
use crate::xchacha::{self, NONCE_BYTES, TAG_BYTES};

/// First bytes of a backup.
pub const BACKUP_MAGIC: &[u8; 8] = b"FWBACK01";
const HEADER_BYTES: usize = 64;
const CHUNK_BYTES: usize = 64 << 10;

/// Why a sealed stream does not open. Names no content.
#[derive(Debug, thiserror::Error)]
pub enum SealedError {
    /// Not a backup.
    #[error("this is no backup, or one of another version")]
    Foreign,
    /// Wrong passphrase, or altered.
    #[error("the passphrase is another, or the file was altered or cut short")]
    Altered,
}

fn refused(error: SealedError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

struct Header([u8; HEADER_BYTES]);

impl Header {
    fn fresh() -> anyhow::Result<Self> {
        let mut bytes = [0; HEADER_BYTES];
        let mut at = bytes.as_mut_slice();
        at.write_all(BACKUP_MAGIC)?;
        let cost = Cost::default();
        for part in [cost.memory_kib, cost.passes, cost.lanes] {
            at.write_all(&part.to_le_bytes())?;
        }
        at.write_all(&random::<16>()?)?;
        at.write_all(&random::<19>()?)?;
        at.write_all(&(CHUNK_BYTES as u32).to_le_bytes())?;
        Ok(Self(bytes))
    }

    fn number(&self, at: usize) -> u32 {
        let bytes = self
            .0
            .get(at..at + 4)
            .and_then(|bytes| bytes.try_into().ok());
        u32::from_le_bytes(bytes.unwrap_or_default())
    }

    fn read(from: &mut impl Read) -> io::Result<Self> {
        let mut header = Self([0; HEADER_BYTES]);
        from.read_exact(&mut header.0)
            .map_err(|_| refused(SealedError::Foreign))?;
        let bounded = header.cost().is_bounded();
        let known = header.0.starts_with(BACKUP_MAGIC)
            && header.number(55) == CHUNK_BYTES as u32
            && header.0[59..] == [0; 5];
        if !bounded || !known {
            return Err(refused(SealedError::Foreign));
        }
        Ok(header)
    }

    fn cost(&self) -> Cost {
        let [memory_kib, passes, lanes] = [8, 12, 16].map(|at| self.number(at));
        Cost {
            memory_kib,
            passes,
            lanes,
        }
    }

    fn key(&self, passphrase: &str) -> io::Result<Zeroizing<[u8; 32]>> {
        let key = self.cost().stretch(passphrase, &self.0[20..36]);
        key.map_err(|_| refused(SealedError::Foreign))
    }

    fn nonce(&self, chunk: u32, is_last: bool) -> [u8; NONCE_BYTES] {
        let mut nonce = [0; NONCE_BYTES];
        nonce[..19].copy_from_slice(&self.0[36..55]);
        nonce[19..23].copy_from_slice(&chunk.to_be_bytes());
        nonce[23] = u8::from(is_last);
        nonce
    }
}

/// Seals what is written to it. Not finished, it is no backup.
pub(super) struct Sealer<W: Write> {
    out: W,
    header: Header,
    key: Zeroizing<[u8; 32]>,
    chunk: u32,
    waiting: Zeroizing<Vec<u8>>,
}

impl<W: Write> Sealer<W> {
    pub(super) fn new(out: W, passphrase: &str) -> anyhow::Result<Self> {
        Ok(Self::under(Header::fresh()?, out, passphrase)?)
    }

    fn under(header: Header, mut out: W, passphrase: &str) -> io::Result<Self> {
        let key = header.key(passphrase)?;
        out.write_all(&header.0)?;
        Ok(Self {
            out,
            header,
            key,
            chunk: 0,
            waiting: Zeroizing::new(Vec::with_capacity(CHUNK_BYTES)),
        })
    }

    fn seal(&mut self, is_last: bool) -> io::Result<()> {
        let nonce = self.header.nonce(self.chunk, is_last);
        let mut sealed = Vec::new();
        let aad = &self.header.0;
        let onto = xchacha::seal_onto(&mut sealed, &self.key, &nonce, aad, &self.waiting);
        onto.map_err(|_| io::Error::other("a chunk cannot be sealed"))?;
        self.out.write_all(&sealed)?;
        let next = self.chunk.checked_add(1);
        self.chunk = next.ok_or_else(|| io::Error::other("the backup is too long"))?;
        self.waiting.clear();
        Ok(())
    }

    /// Seals the rest as the last chunk.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.seal(true)?;
        self.out.flush()?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.waiting.len() == CHUNK_BYTES && !bytes.is_empty() {
            self.seal(false)?;
        }
        let room = CHUNK_BYTES - self.waiting.len();
        let taken = &bytes[..room.min(bytes.len())];
        self.waiting.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Opens what a [`Sealer`] wrote. What it gives is authentic; whether it was all is known at its end only.
pub(super) struct Opener<R: Read> {
    from: R,
    header: Header,
    key: Zeroizing<[u8; 32]>,
    chunk: u32,
    /// The next chunk as it is in the file; empty after the last.
    next: Vec<u8>,
    open: Zeroizing<Vec<u8>>,
    given: usize,
    is_done: bool,
}

impl<R: Read> Opener<R> {
    pub(super) fn new(mut from: R, passphrase: &str) -> io::Result<Self> {
        let header = Header::read(&mut from)?;
        let key = header.key(passphrase)?;
        let next = chunk_of(&mut from)?;
        Ok(Self {
            from,
            header,
            key,
            chunk: 0,
            next,
            open: Zeroizing::default(),
            given: 0,
            is_done: false,
        })
    }

    fn open_next(&mut self) -> io::Result<()> {
        let after = chunk_of(&mut self.from)?;
        let sealed = std::mem::replace(&mut self.next, after);
        let is_last = self.next.is_empty();
        let nonce = self.header.nonce(self.chunk, is_last);
        let opened = xchacha::open(&self.key, &nonce, &self.header.0, &sealed);
        self.open = opened.map_err(|_| refused(SealedError::Altered))?;
        self.given = 0;
        self.chunk = self.chunk.wrapping_add(1);
        self.is_done = is_last;
        Ok(())
    }
}

/// Up to a whole sealed chunk.
fn chunk_of(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut sealed = Vec::with_capacity(CHUNK_BYTES + TAG_BYTES);
    from.take((CHUNK_BYTES + TAG_BYTES) as u64)
        .read_to_end(&mut sealed)?;
    Ok(sealed)
}

impl<R: Read> Read for Opener<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.given == self.open.len() {
            if self.is_done {
                return Ok(0);
            }
            self.open_next()?;
        }
        let left = self.open.get(self.given..).unwrap_or_default();
        let count = left.len().min(into.len());
        into[..count].copy_from_slice(&left[..count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    //! Goal: a stream opens under its passphrase to what was sealed, and otherwise not at all. Method:
    //! lengths around the chunk length; every kind of alteration.

    use super::*;

    const PASSPHRASE: &str = "a long enough passphrase";

    fn sealed(content: &[u8]) -> Vec<u8> {
        let mut sealer = Sealer::new(Vec::new(), PASSPHRASE).unwrap();
        sealer.write_all(content).unwrap();
        sealer.finish().unwrap()
    }

    fn opened(sealed: &[u8], passphrase: &str) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        Opener::new(sealed, passphrase)?.read_to_end(&mut content)?;
        Ok(content)
    }

    #[test]
    fn a_stream_opens_to_what_was_sealed() {
        for length in [
            0,
            1,
            CHUNK_BYTES - 1,
            CHUNK_BYTES,
            CHUNK_BYTES + 1,
            3 * CHUNK_BYTES,
        ] {
            let content: Vec<u8> = (0..length).map(|at| (at * 7 % 251) as u8).collect();
            let sealed = sealed(&content);
            assert!(sealed.starts_with(BACKUP_MAGIC));
            let chunks = length.div_ceil(CHUNK_BYTES).max(1);
            assert_eq!(sealed.len(), HEADER_BYTES + length + chunks * TAG_BYTES);
            assert_eq!(opened(&sealed, PASSPHRASE).unwrap(), content, "{length}");
        }
    }

    /// Goal: the bytes of the format. Method: a header with small costs and counted bytes; the result is on
    /// record, and a change of it is a new version of the format.
    #[test]
    fn the_bytes_are_those_on_record() {
        let mut header = Header([0; HEADER_BYTES]);
        header.0[..8].copy_from_slice(BACKUP_MAGIC);
        for (at, cost) in [(8, 64u32), (12, 2), (16, 1), (55, CHUNK_BYTES as u32)] {
            header.0[at..at + 4].copy_from_slice(&cost.to_le_bytes());
        }
        for (at, byte) in (20..55).enumerate() {
            header.0[byte] = at as u8;
        }
        let mut sealer = Sealer::under(header, Vec::new(), PASSPHRASE).unwrap();
        sealer.write_all(b"sealed").unwrap();
        let bytes = sealer.finish().unwrap();
        assert_eq!(hex::encode(&bytes), include_str!("golden.hex").trim());
        assert_eq!(opened(&bytes, PASSPHRASE).unwrap(), b"sealed");
    }

    #[test]
    fn nothing_else_opens() {
        let content = vec![7; 2 * CHUNK_BYTES + 100];
        let whole = sealed(&content);
        let chunk = CHUNK_BYTES + TAG_BYTES;
        let kind = |bytes: &[u8], passphrase: &str| {
            let error = opened(bytes, passphrase).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        };
        kind(&whole, "another passphrase, long enough");
        // Costs, salt, prefix, length, padding, each chunk, each tag. A cost above the bounds is not paid.
        for at in [
            0,
            10,
            14,
            21,
            40,
            57,
            60,
            HEADER_BYTES,
            HEADER_BYTES + chunk,
            whole.len() - 1,
        ] {
            let mut altered = whole.clone();
            altered[at] ^= 0x40;
            kind(&altered, PASSPHRASE);
        }
        kind(&whole[..whole.len() - 1], PASSPHRASE);
        kind(&whole[..HEADER_BYTES + chunk], PASSPHRASE);
        kind(&whole[..HEADER_BYTES], PASSPHRASE);
        kind(&whole[..HEADER_BYTES - 1], PASSPHRASE);
        kind(&[whole.as_slice(), b"x"].concat(), PASSPHRASE);
        let mut exchanged = whole.clone();
        exchanged[HEADER_BYTES..HEADER_BYTES + 2 * chunk].rotate_left(chunk);
        kind(&exchanged, PASSPHRASE);
        let dropped = [&whole[..HEADER_BYTES], &whole[HEADER_BYTES + chunk..]].concat();
        kind(&dropped, PASSPHRASE);
    }
}
