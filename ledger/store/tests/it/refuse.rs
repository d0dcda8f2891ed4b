//! Every way in which a block or a certificate can be wrong, and the refusal it meets.

use ledger_core::certificate::CertificateError;
use ledger_core::state::ExecutionError;
use ledger_core::transaction::TransactionError;
use ledger_core::{BatchNumber, Block, Digest, Height, Nonce, SignedTransaction, TransactionBody};
use ledger_store::{Refusal, StoreError};

use crate::support::{Chain, anchor, assert_clean, certificate, key};

/// Checks the block that `spoil` makes of a valid one.
fn check(chain: &Chain, spoil: impl FnOnce(&mut Block), expected: &Refusal) {
    let mut block = chain
        .prepare(&[chain.anchor(1), chain.register(2, 0, b"x")])
        .block()
        .clone();
    chain.replica.check(&block).expect("a valid block");
    spoil(&mut block);
    match chain.replica.check(&block) {
        Err(StoreError::Refused(actual)) => assert_eq!(&actual, expected),
        other => panic!("expected {expected:?}, got {other:?}"),
    }
}

/// Goal: each field of a header is checked. Method: spoil one after the other.
#[test]
fn spoiled_headers_are_refused() {
    let chain = Chain::new(4);
    chain.grow(2);
    let parent_time = chain.tip().header.time_millis;
    let other = Digest::of(b"other");
    let height = |actual| Refusal::Height {
        expected: Height(3),
        actual: Height(actual),
    };
    check(
        &chain,
        |block| block.header.version = 2,
        &Refusal::Version(2),
    );
    check(
        &chain,
        |block| block.header.chain.0 = other,
        &Refusal::OtherChain,
    );
    check(&chain, |block| block.header.height = Height(2), &height(2));
    check(&chain, |block| block.header.height = Height(4), &height(4));
    check(
        &chain,
        |block| block.header.parent = other,
        &Refusal::Parent,
    );
    check(
        &chain,
        |block| block.header.time_millis = parent_time,
        &Refusal::Time,
    );
    check(
        &chain,
        |block| block.header.proposer = key(9).public(),
        &Refusal::Proposer,
    );
    check(&chain, |block| block.header.tx_count = 1, &Refusal::TxCount);
    check(
        &chain,
        |block| block.header.tx_root = other,
        &Refusal::TxRoot,
    );
    check(
        &chain,
        |block| block.header.state_root = other,
        &Refusal::StateRoot,
    );
    check(
        &chain,
        |block| block.header.validators_hash = other,
        &Refusal::Validators,
    );
    check(
        &chain,
        |block| block.header.next_validators_hash = other,
        &Refusal::NextValidators,
    );
    assert_clean(&chain.path());
}

/// Goal: a time other than the one executed gives another state root.
#[test]
fn the_state_root_covers_the_time() {
    let chain = Chain::new(1);
    let mut block = chain.prepare(&[]).block().clone();
    block.header.time_millis += 1;
    let refused = chain.replica.check(&block);
    assert!(matches!(
        refused,
        Err(StoreError::Refused(Refusal::StateRoot))
    ));
}

/// Goal: transactions are checked for form, order, signature and chain.
#[test]
fn spoiled_transactions_are_refused() {
    let chain = Chain::new(4);
    check(
        &chain,
        |block| block.transactions.swap(0, 1),
        &Refusal::TxRoot,
    );
    check(
        &chain,
        |block| block.transactions.truncate(1),
        &Refusal::TxCount,
    );
    check(
        &chain,
        |block| block.transactions[1].push(0),
        &Refusal::Transaction {
            index: 1,
            error: TransactionError::Decode(ledger_core::canonical::DecodeError::NotCanonical),
        },
    );
    check(
        &chain,
        |block| *block.transactions[0].last_mut().expect("a byte") ^= 1,
        &Refusal::Transaction {
            index: 0,
            error: TransactionError::Signature(ledger_core::key::SignatureError),
        },
    );
    let elsewhere = TransactionBody {
        chain: ledger_core::ChainId(Digest::of(b"elsewhere")),
        nonce: Nonce(0),
        payload: anchor(BatchNumber(0)),
    };
    check(
        &chain,
        |block| block.transactions[0] = SignedTransaction::sign(&elsewhere, &key(1)).encode(),
        &Refusal::Transaction {
            index: 0,
            error: TransactionError::OtherChain,
        },
    );
}

/// Rebuilds a block so that all but the execution of its transactions is right.
fn with_transactions(chain: &Chain, transactions: &[ledger_core::VerifiedTransaction]) -> Block {
    let mut block = chain.prepare(&[]).block().clone();
    let ids: Vec<_> = transactions.iter().map(|one| one.id()).collect();
    block.header.tx_count = ids.len() as u32;
    block.header.tx_root = ledger_core::block::tx_root(&ids);
    block.transactions = transactions
        .iter()
        .map(|one| one.bytes().to_vec())
        .collect();
    block
}

/// Goal: one transaction that the state does not accept refuses the block.
#[test]
fn refused_transactions_refuse_the_block() {
    let chain = Chain::new(1);
    let good = chain.anchor(1);
    let stranger = chain.sign(9, Nonce(0), anchor(BatchNumber(0)));
    let nonce = ExecutionError::Nonce {
        expected: Nonce(1),
        actual: Nonce(0),
    };
    let cases = [
        (vec![good.clone(), good.clone()], 1, nonce),
        (vec![good.clone(), stranger], 1, ExecutionError::NotMember),
    ];
    for (transactions, index, error) in cases {
        let refused = chain
            .replica
            .check(&with_transactions(&chain, &transactions));
        let expected = Refusal::Execution { index, error };
        assert!(matches!(refused, Err(StoreError::Refused(actual)) if actual == expected));
    }
}

/// Goal: a block larger than the genesis allows is refused before its signatures are looked at.
#[test]
fn large_blocks_are_refused() {
    let chain = Chain::new(1);
    let many: Vec<_> = (0..40)
        .map(|nonce| chain.register(1, nonce, &[nonce as u8]))
        .collect();
    let refused = chain.replica.check(&with_transactions(&chain, &many));
    assert!(matches!(
        refused,
        Err(StoreError::Refused(Refusal::TooLarge { limit: 4096, .. }))
    ));
}

/// Goal: only certificates of more than two thirds for this very block are taken.
#[test]
fn bad_certificates_are_refused() {
    let chain = Chain::new(4);
    let block = chain.prepare(&[]);
    let signers = chain.signers();
    let certify = |spoil: &dyn Fn(&mut ledger_core::Certificate)| {
        let mut certificate = certificate(&block, &signers[..3]);
        spoil(&mut certificate);
        block.certify(certificate).map(|_| ())
    };
    let refused = |error| Err(Refusal::Certificate(error));
    assert_eq!(certify(&|_| ()), Ok(()));
    assert_eq!(
        certify(&|one| one.block = Digest::ZERO),
        Err(Refusal::OtherCertificate)
    );
    assert_eq!(
        certify(&|one| one.height = Height(2)),
        Err(Refusal::OtherCertificate)
    );
    assert_eq!(
        certify(&|one| one.round = 1),
        refused(CertificateError::Signature)
    );
    assert_eq!(
        certify(&|one| one.signatures.truncate(2)),
        refused(CertificateError::NoQuorum { power: 2, total: 4 })
    );
    assert_eq!(
        certify(&|one| one.signatures[2] = one.signatures[1].clone()),
        refused(CertificateError::Signers)
    );
}
