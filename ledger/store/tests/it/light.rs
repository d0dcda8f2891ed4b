//! What light clients are served: every light block leads to the next, and the state is proven against
//! the tip's header.

use ledger_core::light::LightError;
use ledger_core::state::StateKey;
use ledger_core::{Digest, Height, LightClient};

use crate::support::{Chain, key};

/// Later than any block of these chains.
const NOW: u64 = 10_000_000_000;

/// Goal: a client follows every block of a real replica, and pages of them have no holes.
#[test]
fn light_blocks_are_followed() {
    let chain = Chain::new(4);
    chain.grow(9);
    let snapshot = chain.replica.read().expect("read");
    let blocks = snapshot.light_blocks(Height(0), 100).expect("blocks");
    assert_eq!(blocks.len(), 9);
    let mut client = LightClient::from_genesis(&chain.genesis);
    for block in blocks.clone() {
        client.advance(block, NOW).expect("follows");
    }
    assert_eq!(client.hash(), Some(chain.tip().hash));
    assert_eq!(
        snapshot.light_blocks(Height(4), 3).expect("blocks"),
        blocks[3..6]
    );
    assert_eq!(
        snapshot.light_block(Height(5)).expect("a block").as_ref(),
        Some(&blocks[4])
    );
    assert_eq!(snapshot.light_block(Height(0)).expect("read"), None);
    assert_eq!(snapshot.light_block(Height(10)).expect("read"), None);
}

/// Goal: entries written now and long ago are proven present, others absent, and nothing against an
/// older header.
#[test]
fn state_is_proven_against_the_tip() {
    let chain = Chain::new(2);
    chain.grow(6);
    let snapshot = chain.replica.read().expect("read");
    let mut client = LightClient::from_genesis(&chain.genesis);
    let blocks = snapshot.light_blocks(Height(1), 100).expect("blocks");
    let (tip, earlier) = blocks.split_last().expect("blocks");
    for block in earlier {
        client.advance(block.clone(), NOW).expect("follows");
    }
    let present = [
        StateKey::clock(),
        StateKey::genesis(),
        StateKey::member(&key(2).public()),
        StateKey::anchor(&key(1).public()),
    ];
    let (height, proof) = snapshot.prove_state(&present[0]).expect("a proof");
    assert_eq!(height, Height(6));
    assert!(matches!(
        client.verify_state(&present[0], &proof),
        Err(LightError::State(_))
    ));
    client.advance(tip.clone(), NOW).expect("follows");
    for key in present {
        let (_, proof) = snapshot.prove_state(&key).expect("a proof");
        let value = client.verify_state(&key, &proof).expect("holds");
        assert!(value.is_some_and(|value| !value.is_empty()));
    }
    for key in [
        StateKey::device(&Digest::of(b"none")),
        StateKey::anchor(&key(2).public()),
    ] {
        let (_, proof) = snapshot.prove_state(&key).expect("a proof");
        assert_eq!(client.verify_state(&key, &proof), Ok(None));
    }
}
