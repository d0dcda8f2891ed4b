//! What was granted to people at other nodes, in chunks that wait to be fetched. *Volatile*: whoever lost one orders it
//! again. A package is the node's that ordered it; others get nothing of it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ledger_core::{Digest, PublicKey};

/// Bytes of a chunk.
pub(super) const PART_BYTES: usize = 1 << 20;
/// Bytes kept at a time; what was ordered longest ago goes first.
const MAX_BYTES: usize = 256 << 20;
/// How long one is kept that nobody asks for.
const MEMORY: Duration = Duration::from_secs(600);

struct Kept {
    order: Digest,
    peer: PublicKey,
    parts: Vec<(Digest, Vec<u8>)>,
    asked: Instant,
}

impl Kept {
    fn bytes(&self) -> usize {
        self.parts.iter().map(|(_, part)| part.len()).sum()
    }

    fn hashes(&self) -> Vec<Digest> {
        self.parts.iter().map(|(hash, _)| *hash).collect()
    }
}

/// The packages, the one ordered last at the end.
#[derive(Default)]
pub(in crate::consortium) struct Packages(Mutex<Vec<Kept>>);

impl Packages {
    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|one| one.asked.elapsed() < MEMORY);
        kept
    }

    /// The chunks of what this peer has ordered before, so that it can go on.
    pub(in crate::consortium) fn find(
        &self,
        peer: &PublicKey,
        order: &Digest,
    ) -> Option<Vec<Digest>> {
        let mut kept = self.kept();
        let mut own = kept.iter_mut().filter(|one| one.peer == *peer);
        let found = own.find(|one| one.order == *order)?;
        found.asked = Instant::now();
        Some(found.hashes())
    }

    /// Keeps a package for a peer; its chunks.
    pub(in crate::consortium) fn keep(
        &self,
        peer: PublicKey,
        order: Digest,
        package: &[u8],
    ) -> Vec<Digest> {
        let parts = package.chunks(PART_BYTES);
        let new = Kept {
            order,
            peer,
            parts: parts
                .map(|part| (Digest::of(part), part.to_vec()))
                .collect(),
            asked: Instant::now(),
        };
        let hashes = new.hashes();
        let mut kept = self.kept();
        kept.push(new);
        while kept.len() > 1 && kept.iter().map(Kept::bytes).sum::<usize>() > MAX_BYTES {
            kept.remove(0);
        }
        hashes
    }

    /// A chunk of what this peer has ordered.
    pub(super) fn chunk(&self, peer: &PublicKey, hash: &Digest) -> Option<Vec<u8>> {
        let mut kept = self.kept();
        let own = kept.iter_mut().filter(|one| one.peer == *peer);
        for one in own {
            if let Some((_, part)) = one.parts.iter().find(|(of, _)| of == hash) {
                one.asked = Instant::now();
                return Some(part.clone());
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    //! Goal: a package comes in chunks to whom ordered it and to nobody else, and the oldest make room. Method:
    //! examples of all sizes.

    use super::*;

    #[test]
    fn chunks_are_for_whom_ordered_them() {
        let packages = Packages::default();
        let [peer, other] = [1, 2].map(|byte| PublicKey([byte; 32]));
        let [order, unknown] = [3, 4].map(|byte| Digest([byte; 32]));
        for size in [0, 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES] {
            let bytes: Vec<u8> = (0..size).map(|at| (at / 1_000) as u8).collect();
            let order = Digest::of(&size.to_be_bytes());
            let hashes = packages.keep(peer, order, &bytes);
            assert_eq!(packages.find(&peer, &order), Some(hashes.clone()));
            assert_eq!(packages.find(&other, &order), None);
            let mut whole = Vec::new();
            for hash in &hashes {
                assert_eq!(packages.chunk(&other, hash), None);
                whole.extend(packages.chunk(&peer, hash).unwrap());
            }
            assert_eq!(whole, bytes);
        }
        assert_eq!(packages.find(&peer, &unknown), None);
        let large = vec![7; MAX_BYTES / 2];
        packages.keep(peer, order, &large);
        packages.keep(peer, unknown, &large);
        assert!(packages.find(&peer, &order).is_some());
        packages.keep(peer, Digest([9; 32]), &large);
        assert!(packages.find(&peer, &order).is_none(), "it made room");
    }
}
