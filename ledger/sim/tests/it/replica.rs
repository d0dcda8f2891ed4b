//! Goal: the replica in memory is the replica on disk. Method: a simulated chain is taken into a real
//! file block by block; both have the same roots, and `fsck` finds nothing.

use ledger_sim::{Scenario, simulated_chain};
use ledger_store::{Replica, fsck};

#[test]
fn a_simulated_chain_is_a_chain_on_disk() {
    let (genesis, blocks) = simulated_chain(Scenario::new(4, 12, 5)).expect("a chain");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("replica.sqlite");
    let replica = Replica::open(&path).expect("open");
    let (first, rest) = blocks.split_first().expect("block 0");
    replica.join(&genesis, &first.block).expect("join");
    for held in rest {
        let certificate = held.certificate.clone().expect("a certificate");
        let tip = replica.commit(&held.block, certificate).expect("commit");
        assert_eq!(tip.hash, held.hash);
        assert_eq!(tip.header.state_root, held.block.header.state_root);
    }
    assert!(rest.len() >= 12);
    drop(replica);
    assert_eq!(fsck(&path).expect("a replica").problems, []);
}
