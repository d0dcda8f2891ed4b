//! A small consortium with keys from fixed seeds, and a chain that grows on request.

use std::path::{Path, PathBuf};

use ledger_core::access::POLICY_ENGINE;
use ledger_core::batch::AnchorBatch;
use ledger_core::certificate::{Certificate, CommitSignature, VoteContent, VoteKind};
use ledger_core::genesis::{Genesis, Member, Parameters};
use ledger_core::governance::{Organisation, Thresholds};
use ledger_core::transaction::RegisterDevice;
use ledger_core::{
    BatchNumber, Block, Digest, Nonce, OrganisationId, Payload, PublicKey, SecretKey,
    SignedTransaction, TransactionBody, Validator, ValidatorSet, VerifiedTransaction,
};
use ledger_store::{CheckedBlock, Replica, Tip};
use tempfile::TempDir;

pub fn key(number: u8) -> SecretKey {
    SecretKey::from_seed(&[number; 32])
}

/// The organisation of a node, whose key is its admin key too.
pub fn organisation(number: u8) -> Organisation {
    let id = OrganisationId([number; 16]);
    Organisation::new(
        id,
        format!("organisation {number}"),
        vec![key(number).public()],
    )
}

/// A consortium of `count` validators of one unit each; all of them are members, each of an
/// organisation of its own.
pub fn genesis(count: u8) -> Genesis {
    let named = |number: u8| (key(number).public(), format!("node {number}"));
    let validators = (1..=count).map(named).map(|(key, name)| Validator {
        key,
        power: 1,
        name,
    });
    Genesis {
        name: "Test consortium".into(),
        time_millis: 1_000_000,
        validators: ValidatorSet::new(validators.collect()).expect("validators"),
        organisations: (1..=count).map(organisation).collect(),
        members: (1..=count)
            .map(|number| {
                let (key, name) = named(number);
                Member::with_one_key(key, name, organisation(number).id)
            })
            .collect(),
        thresholds: Thresholds::default(),
        parameters: Parameters {
            max_block_bytes: 4096,
            ..Parameters::default()
        },
        nonce: Digest::of(b"nonce"),
        policy_engine: POLICY_ENGINE.into(),
    }
}

const FILE: &str = "chain.sqlite";

pub struct Chain {
    path: PathBuf,
    _folder: Option<TempDir>,
    pub genesis: Genesis,
    pub replica: Replica,
}

impl Chain {
    pub fn new(validators: u8) -> Self {
        Self::of(genesis(validators))
    }

    pub fn of(genesis: Genesis) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(FILE);
        let replica = Replica::open(&path).expect("open");
        replica.found(&genesis, &key(1)).expect("found");
        Self {
            path,
            _folder: Some(folder),
            genesis,
            replica,
        }
    }

    /// The chain of [`genesis`]`(1)` in a folder that another process owns.
    pub fn reopen(folder: &Path) -> Self {
        let path = folder.join(FILE);
        let replica = Replica::open(&path).expect("open");
        Self {
            path,
            _folder: None,
            genesis: genesis(1),
            replica,
        }
    }

    pub fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// A path beside the chain's file, gone with it.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.path.with_file_name(name)
    }

    pub fn tip(&self) -> Tip {
        self.replica
            .read()
            .expect("read")
            .tip()
            .expect("a tip")
            .clone()
    }

    /// The next block, holding `transactions`.
    pub fn prepare(&self, transactions: &[VerifiedTransaction]) -> CheckedBlock {
        let time = self.tip().header.time_millis + 7;
        let prepared = self
            .replica
            .prepare(transactions, time, key(1).public())
            .expect("prepare");
        assert_eq!(prepared.refused, []);
        prepared.block
    }

    pub fn append(&self, transactions: &[VerifiedTransaction]) -> Tip {
        let block = self.prepare(transactions);
        let certificate = certificate(&block, &self.signers());
        let certificate = block.certify(certificate).expect("a valid certificate");
        self.replica.append(&block, &certificate).expect("append")
    }

    /// Appends `count` blocks, each with one anchor of node 1.
    pub fn grow(&self, count: u64) {
        for _ in 0..count {
            self.append(&[self.anchor(1)]);
        }
    }

    /// The next anchor transaction of a node.
    pub fn anchor(&self, number: u8) -> VerifiedTransaction {
        let (next, head) = {
            let snapshot = self.replica.read().expect("read");
            let sender = key(number).public();
            let account = snapshot.account(&sender).expect("account");
            (
                account.next_nonce,
                snapshot.anchor_head(&sender).expect("anchor head"),
            )
        };
        self.sign(number, next, anchor(head.next_batch))
    }

    pub fn register(&self, number: u8, nonce: u64, handle: &[u8]) -> VerifiedTransaction {
        self.register_device(number, nonce, handle, None)
    }

    pub fn register_with_key(&self, number: u8, nonce: u64, handle: &[u8]) -> VerifiedTransaction {
        self.register_device(number, nonce, handle, Some(key(200).public()))
    }

    fn register_device(
        &self,
        number: u8,
        nonce: u64,
        handle: &[u8],
        key: Option<PublicKey>,
    ) -> VerifiedTransaction {
        let device = RegisterDevice {
            handle: Digest::of(handle),
            key,
            simulated: true,
        };
        self.sign(number, Nonce(nonce), Payload::RegisterDevice(device))
    }

    pub fn sign(&self, number: u8, nonce: Nonce, payload: Payload) -> VerifiedTransaction {
        let chain = self.genesis.chain_id();
        let body = TransactionBody {
            chain,
            nonce,
            payload,
        };
        let signed = SignedTransaction::sign(&body, &key(number));
        signed.verify(chain).expect("a valid transaction")
    }

    pub fn signers(&self) -> Vec<SecretKey> {
        (1..=self.genesis.validators.as_slice().len() as u8)
            .map(key)
            .collect()
    }
}

pub fn anchor(batch: BatchNumber) -> Payload {
    Payload::AnchorBatch(AnchorBatch {
        batch,
        root: Digest::of(&batch.0.to_be_bytes()),
        streams: 2,
        readings: 100,
    })
}

/// Precommits of `signers` for a block, in the order of the validators.
pub fn certificate(block: &CheckedBlock, signers: &[SecretKey]) -> Certificate {
    certificate_of(block.block(), block.validators(), signers)
}

pub fn certificate_of(
    block: &Block,
    validators: &ValidatorSet,
    signers: &[SecretKey],
) -> Certificate {
    let (height, hash) = (block.header.height, block.header.hash());
    let vote = |validator: PublicKey| VoteContent {
        kind: VoteKind::Precommit,
        chain: block.header.chain,
        height,
        round: 0,
        block: Some(hash),
        validator,
    };
    let mut signatures: Vec<_> = signers
        .iter()
        .filter_map(|signer| {
            let (place, _) = validators.find(&signer.public())?;
            Some(CommitSignature {
                validator: place as u16,
                signature: signer.sign(&vote(signer.public()).sign_bytes()),
            })
        })
        .collect();
    signatures.sort_by_key(|commit| commit.validator);
    Certificate {
        height,
        round: 0,
        block: hash,
        signatures,
    }
}

/// A second connection to the file, as an intruder or an operator would open it.
pub fn sqlite(path: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(path).expect("a second connection")
}

/// Asserts that `fsck` finds nothing, and gives its report.
pub fn assert_clean(path: &Path) -> ledger_store::FsckReport {
    let report = ledger_store::fsck(path).expect("fsck");
    assert_eq!(report.problems, []);
    assert!(report.is_clean());
    report
}
