//! Goal: what a node promises is exactly what it gave, in its own name; and who is silent is told from who is cut off,
//! comes back, or works off what waited. Method: one receipt with each part changed; silences counted block by block
//! against what the rule says in words.

use ledger_core::{SecretKey, TransactionBody};

use super::promised::receipt_says;
use super::*;

const CHAIN: ledger_core::ChainId = ledger_core::ChainId(Digest([9; 32]));

const RECEIPT: Receipt = Receipt {
    access: Digest([1; 32]),
    readings: 40,
    disclosed: Digest([2; 32]),
};

fn signed(key: &SecretKey, nonce: u64, payload: Payload) -> SignedTransaction {
    let body = TransactionBody {
        chain: CHAIN,
        nonce: Nonce(nonce),
        payload,
    };
    SignedTransaction::sign(&body, key)
}

#[test]
fn a_promise_is_what_was_given() {
    let [key, other] = [3, 4].map(|seed| SecretKey::from_seed(&[seed; 32]));
    let node = key.public();
    let good = signed(&key, 5, Payload::Receipt(RECEIPT));
    let says = |bytes: &[u8], node: &PublicKey, receipt: &Receipt| {
        receipt_says(bytes, CHAIN, (node, 5), receipt)
    };
    let bytes = good.encode();
    assert_eq!(says(&bytes, &node, &RECEIPT), Some(good.id()));
    assert_eq!(says(&bytes, &other.public(), &RECEIPT), None);
    for lie in [
        Receipt {
            readings: 39,
            ..RECEIPT
        },
        Receipt {
            access: Digest([7; 32]),
            ..RECEIPT
        },
        Receipt {
            disclosed: Digest([7; 32]),
            ..RECEIPT
        },
    ] {
        let told = signed(&key, 5, Payload::Receipt(lie)).encode();
        assert_eq!(says(&told, &node, &RECEIPT), None, "{lie:?}");
    }
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert_eq!(says(&changed, &node, &RECEIPT), None, "byte {at}");
    }
    assert_eq!(says(&[], &node, &RECEIPT), None);
    let far = signed(&key, 5 + (1 << 14) + 1, Payload::Receipt(RECEIPT)).encode();
    assert_eq!(says(&far, &node, &RECEIPT), None, "its turn never comes");
    let elsewhere = receipt_says(
        &bytes,
        ledger_core::ChainId(Digest([8; 32])),
        (&node, 5),
        &RECEIPT,
    );
    assert_eq!(elsewhere, None);
}

/// The silence after blocks at these seconds, each with the node's next nonce and whether it is heard.
fn silent_after(blocks: &[(u64, u64, bool)]) -> bool {
    let mut silence = None;
    for &(seconds, nonce, is_heard) in blocks {
        let seen = Seen {
            nonce: Nonce(nonce),
            time_millis: seconds * 1_000,
            is_heard,
        };
        silence = Some(Silence::at(silence, seen));
    }
    silence.is_some_and(|silence| silence.is_long())
}

#[test]
fn who_is_cut_off_is_never_silent() {
    let blocks = |count: u64, every: u64, of: &dyn Fn(u64) -> (u64, bool)| -> Vec<_> {
        let block = |at: u64| {
            let (nonce, is_heard) = of(at);
            (at * every, nonce, is_heard)
        };
        (0..=count).map(block).collect()
    };
    let silent = |blocks: Vec<_>| silent_after(&blocks);
    assert!(!silent(blocks(59, 1, &|_| (7, true))), "not yet");
    assert!(silent(blocks(60, 1, &|_| (7, true))), "a minute of blocks");
    assert!(
        !silent(blocks(11, 300, &|_| (7, true))),
        "an idle ledger: few blocks"
    );
    assert!(
        silent(blocks(12, 300, &|_| (7, true))),
        "and then enough of them"
    );
    assert!(
        !silent(blocks(100_000, 1, &|_| (7, false))),
        "a day without it"
    );
    assert!(
        !silent(blocks(10_000, 1, &|at| (at / 50, true))),
        "it makes up for what waited"
    );
    // A ledger that stood still for a week, and one that nobody hears in turns.
    assert!(!silent_after(&[(0, 7, true), (604_800, 7, true)]));
    assert!(!silent(blocks(10_000, 1, &|at| (7, at % 2 == 0))));
    // It was away in between, and is counted on.
    assert!(silent(blocks(1_061, 1, &|at| (
        7,
        !(30..1_030).contains(&at)
    ))));
}
