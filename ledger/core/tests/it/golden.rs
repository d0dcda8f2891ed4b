//! Golden bytes of each wire and disk format. A changed golden is a decision: it makes every chain and
//! every proof made before unreadable. To record new ones, run with `FOGWARD_RECORD_GOLDEN=1`.

use std::path::Path;

use ledger_core::block::tx_root;
use ledger_core::canonical::encode;
use ledger_core::certificate::{VoteContent, VoteKind};
use ledger_core::device::{
    self, AskInteraction, ChangeDevice, DecideInteraction, DeviceChange, DeviceLife,
    DeviceStanding, Interaction, InteractionState,
};
use ledger_core::state::{Account, AnchorHead, Clock, Device, StateKey};
use ledger_core::transaction::RegisterDevice;
use ledger_core::{
    BatchNumber, Block, Decimal, Digest, Height, Nonce, Payload, ProposalNumber, Quality, Reading,
    TransactionBody, Value,
};

use crate::support::{genesis, key, proof, pulse, register, salts, sign, stream, validators, wave};
use crate::town::id;

/// Compares with the bytes on record under `tests/golden`, or records them when asked to.
pub fn check(name: &str, bytes: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(format!("{name}.hex"));
    let lines: Vec<_> = bytes.chunks(32).map(hex::encode).collect();
    compare(&path, format!("{}\n", lines.join("\n")).as_bytes());
}

/// Compares with a file on record, or records it when asked to.
pub fn compare(path: &Path, bytes: &[u8]) {
    if std::env::var_os("FOGWARD_RECORD_GOLDEN").is_some() {
        std::fs::write(path, bytes).expect("record");
    }
    let recorded = std::fs::read(path).unwrap_or_default();
    assert!(recorded == bytes, "{} is not as on record", path.display());
}

fn changed(change: DeviceChange) -> Payload {
    let handle = Digest::of(b"handle");
    Payload::ChangeDevice(ChangeDevice { handle, change })
}

fn asked() -> AskInteraction {
    AskInteraction {
        asker: Digest::of(b"handle"),
        source: Digest::of(b"other"),
        for_millis: 3_600_000,
    }
}

/// Goal: readings keep their bytes.
#[test]
fn readings() {
    check("reading_quantity", &pulse(stream(2), 300, 72).encode());
    check("reading_samples", &wave(stream(3), 4).encode());
    let absent = Reading {
        value: Value::Absent,
        quality: Quality::SensorOff,
        ..pulse(stream(2), 301, 0)
    };
    check("reading_absent", &absent.encode());
    let temperature = Reading {
        value: Value::Quantity(Decimal {
            mantissa: -367,
            exponent: -1,
        }),
        code: "8310-5".into(),
        unit: "Cel".into(),
        ..pulse(stream(2), u64::MAX, 0)
    };
    check("reading_decimal", &temperature.encode());
    let salts = salts(stream(2));
    check(
        "salts",
        &[salts.reading(300).0, salts.batch(300).0].concat(),
    );
}

/// Goal: transactions, what they are signed over and their ids keep their bytes.
#[test]
fn transactions() {
    let genesis = genesis(&[1]);
    let (_, proof) = proof(&[1], &[1], &[1]);
    let with_key = Payload::RegisterDevice(RegisterDevice {
        handle: Digest::of(b"handle"),
        key: Some(key(9).public()),
        simulated: false,
    });
    for (name, payload) in [
        ("genesis", Payload::Genesis(genesis.clone())),
        ("register", register(1)),
        ("register_key", with_key),
        (
            "change_device",
            changed(DeviceChange::Assign(Some(Digest::of(b"whose")))),
        ),
        (
            "hand_over",
            changed(DeviceChange::HandOver(key(2).public())),
        ),
        ("retire", changed(DeviceChange::Retire)),
        ("ask_interaction", Payload::AskInteraction(asked())),
        (
            "decide_interaction",
            Payload::DecideInteraction(DecideInteraction {
                interaction: asked().id(),
                allow: true,
            }),
        ),
    ] {
        let body = TransactionBody {
            chain: genesis.chain_id(),
            nonce: Nonce(200),
            payload,
        };
        check(&format!("body_{name}"), &encode(&body));
    }
    let signed = sign(&genesis, 1, 0, register(1));
    check("transaction_register", &signed.encode());
    check("transaction_id", &signed.id().0);
    check("transaction_anchor", &proof.transaction);
    check("stream_entry", &encode(&proof.batch_path.entry));
    check("stream_entry_leaf", &proof.batch_path.entry.leaf().0);
    check("batch_path", &encode(&proof.batch_path));
}

/// Goal: blocks, votes and certificates keep their bytes.
#[test]
fn blocks() {
    let (genesis, proof) = proof(&[1, 2, 3, 4], &[1, 2, 3, 4], &[1, 3, 4]);
    check("header", &proof.header.encode());
    check("header_hash", &proof.header.hash().0);
    check("certificate", &encode(&proof.certificate));
    let block = Block {
        header: proof.header.clone(),
        transactions: vec![proof.transaction.clone(), vec![], vec![1]],
    };
    check("block", &block.encode());
    check(
        "tx_root",
        &tx_root(&[Digest::of(b"a"), Digest::of(b"b"), Digest::of(b"c")]).0,
    );
    let vote = |kind, block| VoteContent {
        kind,
        chain: genesis.chain_id(),
        height: Height(300),
        round: 2,
        block,
        validator: key(1).public(),
    };
    check(
        "vote_precommit",
        &vote(VoteKind::Precommit, Some(Digest::of(b"block"))).sign_bytes(),
    );
    check(
        "vote_prevote_nil",
        &vote(VoteKind::Prevote, None).sign_bytes(),
    );
    check("validators", &encode(&validators(&[1, 2, 3, 4])));
    check("validators_hash", &validators(&[1, 2, 3, 4]).hash().0);
}

/// Goal: genesis and proof files keep their bytes.
#[test]
fn files() {
    check("genesis_file", &genesis(&[1, 2, 3, 4]).to_file());
    check("chain_id", &genesis(&[1, 2, 3, 4]).chain_id().0.0);
    check("proof_file_one", &proof(&[1], &[1], &[1]).1.to_file());
    check(
        "proof_file_changed",
        &proof(&[1, 2, 3, 4], &[2, 3, 4, 5], &[2, 4, 5]).1.to_file(),
    );
}

/// Goal: state entries and their names keep their bytes.
#[test]
fn state() {
    let Payload::RegisterDevice(registration) = register(1) else {
        panic!("a registration")
    };
    check(
        "state_clock",
        &encode(&Clock {
            height: Height(300),
            time_millis: 1_700_000_000_000,
        }),
    );
    check(
        "state_account",
        &encode(&Account {
            next_nonce: Nonce(300),
        }),
    );
    check(
        "state_device",
        &encode(&Device {
            registrar: key(1).public(),
            registration,
            height: Height(7),
        }),
    );
    let head = AnchorHead {
        next_batch: BatchNumber(5),
        readings: 20_480,
        accumulator: Digest::of(b"all"),
    };
    check("state_anchor", &encode(&head));
    check(
        "state_device_life",
        &encode(&DeviceLife {
            node: key(1).public(),
            standing: DeviceStanding::Suspended,
            assignment: Some(Digest::of(b"whose")),
            key: None,
            changed: Height(300),
            handed_by: Some(key(2).public()),
            handovers: 300,
        }),
    );
    check("assignment", &device::assignment(&[7; 32], b"subject").0);
    check(
        "state_interaction",
        &encode(&Interaction {
            asked: asked(),
            state: InteractionState::Granted,
            until_millis: 1_700_003_600_000,
            changed: Height(300),
        }),
    );
    let public = key(1).public();
    let keys = [
        StateKey::clock(),
        StateKey::genesis(),
        StateKey::validators(),
        StateKey::member(&public),
        StateKey::account(&public),
        StateKey::device(&Digest::of(b"handle")),
        StateKey::anchor(&public),
        StateKey::parameters(),
        StateKey::thresholds(),
        StateKey::organisations(),
        StateKey::agenda(),
        StateKey::queue(),
        StateKey::organisation(&id(1)),
        StateKey::nodes(&id(1)),
        StateKey::key_use(&public),
        StateKey::proposal(ProposalNumber(300)),
    ];
    check("state_keys", &keys.map(|key| key.0).concat());
    let of_devices = [
        StateKey::device_life(&Digest::of(b"handle")),
        StateKey::device_key(&public),
        StateKey::device_changes(),
        StateKey::interaction(&asked().id()),
    ];
    check("state_keys_device", &of_devices.map(|key| key.0).concat());
}
