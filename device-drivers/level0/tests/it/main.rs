//! The level-0 protocol through its public API, as firmware and host use it.

mod backlog;
mod classes;
mod golden;
mod journal;
mod lines;
mod pairing;
mod windows;

use fogward_level0::{Chunk, DeviceId, FrameReader, PairingKey};

pub(crate) const DEVICE: DeviceId = DeviceId([0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef]);

/// The key of the specification: the bytes 0 to 31.
pub(crate) fn key() -> PairingKey {
    PairingKey::from_bytes(core::array::from_fn(|index| index as u8))
}

/// The candidate frames in `bytes`, with `None` for a run that is too long.
pub(crate) fn frames(reader: &mut FrameReader, bytes: &[u8]) -> Vec<Option<Vec<u8>>> {
    let mut found = Vec::new();
    for &byte in bytes {
        match reader.push(byte) {
            Some(Chunk::Frame(frame)) => found.push(Some(frame.to_vec())),
            Some(Chunk::TooLong) => found.push(None),
            None => {}
        }
    }
    found
}
