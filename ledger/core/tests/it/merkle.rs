//! Merkle trees against RFC 6962's own recursive definitions and the vectors of Certificate Transparency.

use ledger_core::Digest;
use ledger_core::merkle::{leaf_hash, node_hash, path, range_path, root, root_from_range, verify};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

/// RFC 6962, section 2.1: MTH(D[n]), straight from the text.
fn tree_head(data: &[Vec<u8>]) -> Digest {
    match data {
        [] => Digest(Sha256::digest(b"").into()),
        [one] => Digest(
            Sha256::new()
                .chain_update([0])
                .chain_update(one)
                .finalize()
                .into(),
        ),
        _ => {
            let (left, right) = data.split_at(largest_power_below(data.len()));
            let (left, right) = (tree_head(left), tree_head(right));
            let node = Sha256::new()
                .chain_update([1])
                .chain_update(left.0)
                .chain_update(right.0);
            Digest(node.finalize().into())
        }
    }
}

/// RFC 6962, section 2.1.1: PATH(m, D[n]), straight from the text.
fn audit_path(m: usize, data: &[Vec<u8>]) -> Vec<Digest> {
    if data.len() == 1 {
        return vec![];
    }
    let k = largest_power_below(data.len());
    let (left, right) = data.split_at(k);
    if m < k {
        [audit_path(m, left), vec![tree_head(right)]].concat()
    } else {
        [audit_path(m - k, right), vec![tree_head(left)]].concat()
    }
}

fn largest_power_below(n: usize) -> usize {
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    k
}

fn leaves(data: &[Vec<u8>]) -> Vec<Digest> {
    data.iter().map(|one| leaf_hash(one)).collect()
}

fn data(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|at| vec![at as u8; at % 5]).collect()
}

/// Goal: the roots are those of Certificate Transparency. Method: the test data of the CT project
/// (`merkletree/merkle_tree_test.cc`: eight leaves, a root for each prefix).
#[test]
fn roots_match_certificate_transparency() {
    let inputs = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let data: Vec<_> = inputs
        .iter()
        .map(|text| hex::decode(text).expect("hex"))
        .collect();
    for (count, expected) in roots.iter().enumerate() {
        assert_eq!(
            root(&leaves(&data[..count])).to_string(),
            *expected,
            "{count} leaves"
        );
    }
}

/// Goal: every path of every small tree is the RFC's, and no path verifies for another place or size.
#[test]
fn small_trees_are_exact() {
    for count in 1..=33 {
        let data = data(count);
        let leaves = leaves(&data);
        let head = root(&leaves);
        assert_eq!(head, tree_head(&data));
        assert_eq!(path(&leaves, count), None);
        for (index, leaf) in leaves.iter().enumerate() {
            let siblings = path(&leaves, index).expect("a path");
            assert_eq!(siblings, audit_path(index, &data));
            for claimed in 0..40u64 {
                for size in 0..40u64 {
                    let right = (claimed, size) == (index as u64, count as u64);
                    let holds = verify(*leaf, claimed, size, &siblings, &head);
                    // A path fixes the turns it takes, not the size of the tree beyond them.
                    assert!(!holds || right || same_turns((claimed, size), (index, count)));
                    assert!(holds || !right);
                }
            }
        }
    }
}

/// Whether RFC 6962 goes the same way to both leaves; then sizes cannot be told apart by the path alone,
/// which is why every root is stored beside its count.
fn same_turns(claimed: (u64, u64), actual: (usize, usize)) -> bool {
    fn turns(mut index: usize, mut count: usize) -> Vec<bool> {
        let mut turns = vec![];
        while count > 1 {
            let k = largest_power_below(count);
            turns.push(index >= k);
            (index, count) = if index < k {
                (index, k)
            } else {
                (index - k, count - k)
            };
        }
        turns
    }
    claimed.0 < claimed.1
        && turns(claimed.0 as usize, claimed.1 as usize) == turns(actual.0, actual.1)
}

proptest! {
    /// Goal: roots and paths are the RFC's for any tree.
    #[test]
    fn any_tree_is_the_rfcs(data in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 1..200), at: prop::sample::Index) {
        let index = at.index(data.len());
        let leaves = leaves(&data);
        prop_assert_eq!(root(&leaves), tree_head(&data));
        let siblings = path(&leaves, index).expect("a path");
        prop_assert_eq!(&siblings, &audit_path(index, &data));
        prop_assert!(verify(leaves[index], index as u64, data.len() as u64, &siblings, &tree_head(&data)));
    }

    /// Goal: a path with any wrong part leads elsewhere.
    #[test]
    fn spoiled_paths_fail(count in 2usize..300, at: prop::sample::Index, sibling: prop::sample::Index, bit in 0usize..256) {
        let leaves = leaves(&data(count));
        let index = at.index(count);
        let head = root(&leaves);
        let good = path(&leaves, index).expect("a path");
        let holds = |leaf, path: &[Digest], root: &Digest| verify(leaf, index as u64, count as u64, path, root);
        let flip = |digest: &Digest| { let mut digest = *digest; digest.0[bit / 8] ^= 1 << (bit % 8); digest };
        let mut spoiled = good.clone();
        let at = sibling.index(good.len());
        spoiled[at] = flip(&good[at]);
        prop_assert!(!holds(leaves[index], &spoiled, &head));
        prop_assert!(!holds(flip(&leaves[index]), &good, &head));
        prop_assert!(!holds(leaves[index], &good, &flip(&head)));
        prop_assert!(!holds(leaves[index], &good[..good.len() - 1], &head));
        prop_assert!(!holds(leaves[index], &[good.clone(), vec![Digest::ZERO]].concat(), &head));
        prop_assert!(!verify(leaves[index], count as u64, count as u64, &good, &head));
        prop_assert!(!verify(leaves[index], u64::MAX, u64::MAX, &good, &head));
    }
}

/// Goal: leaf and node hashes cannot stand for each other, and paths longer than any tree are refused.
#[test]
fn leaves_are_no_nodes() {
    let (left, right) = (Digest::of(b"l"), Digest::of(b"r"));
    let both = [left.0, right.0].concat();
    assert_ne!(leaf_hash(&both), node_hash(&left, &right));
    let long = vec![Digest::ZERO; 33];
    assert!(!verify(left, 0, u64::MAX, &long, &right));
}

/// Goal: leaves that follow each other lead to the root together, with fewer hashes than one by one, and others do
/// not. Method: every run of leaves of small trees; each hash, the place and the size changed.
#[test]
fn runs_of_leaves_lead_to_the_root() {
    for count in 1..=18 {
        let leaves = leaves(&data(count));
        let head = root(&leaves);
        for first in 0..count {
            for length in 1..=count - first {
                let siblings = range_path(&leaves, first, length).unwrap();
                let part = &leaves[first..first + length];
                let led = |part: &[Digest], first, count, siblings: &[Digest]| {
                    root_from_range(part, first as u64, count as u64, siblings) == Some(head)
                };
                assert!(
                    led(part, first, count, &siblings),
                    "{first} {length} {count}"
                );
                assert!(siblings.len() <= 2 * count.ilog2() as usize + 1);
                if length == 1 {
                    let mut one = path(&leaves, first).unwrap();
                    let mut other = siblings.clone();
                    one.sort_unstable_by_key(|hash| hash.0);
                    other.sort_unstable_by_key(|hash| hash.0);
                    assert_eq!(one, other);
                }
                for at in 0..siblings.len() {
                    let mut changed = siblings.clone();
                    changed[at].0[31] ^= 1;
                    assert!(!led(part, first, count, &changed));
                }
                for at in 0..length {
                    let mut changed = part.to_vec();
                    changed[at].0[0] ^= 1;
                    assert!(!led(&changed, first, count, &siblings));
                }
                let longer = [&siblings[..], &[head]].concat();
                assert!(!led(part, first, count, &longer));
                if count > length {
                    assert!(!led(part, (first + 1) % count, count, &siblings));
                    assert!(!led(part, first, count, &siblings[1..]));
                }
            }
        }
        assert_eq!(range_path(&leaves, 0, 0), None);
        assert_eq!(range_path(&leaves, count, 1), None);
        assert_eq!(range_path(&leaves, 1, count), None);
        assert_eq!(root_from_range(&[], 0, count as u64, &[]), None);
        assert_eq!(root_from_range(&leaves, 1, count as u64, &[]), None);
    }
}

proptest! {
    #[test]
    fn any_run_is_survived(
        first: u64, count: u64,
        part in proptest::collection::vec(any::<[u8; 32]>(), 0..6),
        siblings in proptest::collection::vec(any::<[u8; 32]>(), 0..6),
    ) {
        let digests = |all: Vec<[u8; 32]>| all.into_iter().map(Digest).collect::<Vec<_>>();
        let _ = root_from_range(&digests(part), first, count, &digests(siblings));
    }
}
