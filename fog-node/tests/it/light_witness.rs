//! Goal: `fogward light` catches two nodes that show two certified chains, and a node that shows only an
//! old one. Method: the built program over HTTP against replicas whose only validator's key the test
//! holds, so that it can sign what no honest validator signs.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fog_api::{LightPage, StateAnswer};
use fog_node::clock::unix_millis;
use ledger_core::certificate::{Certificate, CommitSignature, VoteContent, VoteKind};
use ledger_core::governance::Node;
use ledger_core::state::StateKey;
use ledger_core::transaction::RegisterDevice;
use ledger_core::{
    Digest, Genesis, Height, Nonce, OrganisationId, Payload, SecretKey, SignedTransaction,
    TransactionBody,
};
use ledger_store::Replica;
use serde_json::Value;

use crate::light::request_head;
use crate::program::json;

/// A day in milliseconds.
const DAY: u64 = 86_400_000;

/// The one validator, who may sign anything.
struct Signer {
    key: SecretKey,
    genesis: Genesis,
    folder: tempfile::TempDir,
}

impl Signer {
    fn founding_at(time_millis: u64) -> Self {
        let key = SecretKey::from_seed(&[1; 32]);
        let node = Node::with_one_key(key.public(), "one".into());
        let id = OrganisationId::default();
        let genesis = Genesis::of_one("one".into(), time_millis, id, node, Digest::ZERO).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("genesis"), genesis.to_file()).unwrap();
        Self {
            key,
            genesis,
            folder,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A certified chain in which one device after the other is registered.
    fn chain(&self, name: &str, devices: &[&str]) -> Served {
        let replica = Replica::open(self.path(name)).unwrap();
        replica.found(&self.genesis, &self.key).unwrap();
        for (number, device) in (0..).zip(devices) {
            self.append(&replica, number, device);
        }
        Served::start(replica)
    }

    fn append(&self, replica: &Replica, number: u64, device: &str) {
        let device = RegisterDevice {
            handle: Digest::of(device.as_bytes()),
            key: None,
            simulated: true,
        };
        let body = TransactionBody {
            chain: self.genesis.chain_id(),
            nonce: Nonce(number),
            payload: Payload::RegisterDevice(device),
        };
        let signed = SignedTransaction::sign(&body, &self.key);
        let signed = signed.verify(body.chain).unwrap();
        let time = self.genesis.time_millis;
        let block = replica.prepare([&signed], time, self.key.public());
        let block = block.unwrap().block;
        let vote = VoteContent {
            kind: VoteKind::Precommit,
            chain: body.chain,
            height: block.header().height,
            round: 0,
            block: Some(block.hash()),
            validator: self.key.public(),
        };
        let certificate = Certificate {
            height: vote.height,
            round: 0,
            block: block.hash(),
            signatures: vec![CommitSignature {
                validator: 0,
                signature: self.key.sign(&vote.sign_bytes()),
            }],
        };
        let certificate = block.certify(certificate).unwrap();
        replica.append(&block, &certificate).unwrap();
    }

    /// What the light client says of `node`.
    fn light(&self, node: &Served, more: &[&str]) -> (i32, Value) {
        let genesis = self.path("genesis");
        let genesis = genesis.to_str().unwrap();
        let first = [
            "light",
            "--api",
            &node.address,
            "--genesis",
            genesis,
            "--json",
        ];
        json(first.iter().chain(more))
    }
}

/// A replica that answers light clients as a node does.
struct Served {
    address: String,
    ended: Arc<AtomicBool>,
}

impl Served {
    fn start(replica: Replica) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap();
        let ended = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&ended);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::Acquire) {
                    return;
                }
                answer(stream.unwrap(), &replica);
            }
        });
        let address = format!("http://{host}/?token=00");
        Self { address, ended }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        let host = self.address.strip_prefix("http://").unwrap();
        // Wakes the listener; where it is gone already, all is well.
        let _ = TcpStream::connect(host.split('/').next().unwrap());
    }
}

fn answer(mut client: TcpStream, replica: &Replica) {
    let Some(request) = request_head(&mut client) else {
        return;
    };
    let body = told(replica, request.split(' ').nth(1).unwrap());
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    // The client may have heard enough.
    let _ = client.write_all(head.as_bytes());
    let _ = client.write_all(body.as_bytes());
}

/// What a node that holds this replica tells at `path`.
fn told(replica: &Replica, path: &str) -> String {
    let snapshot = replica.read().unwrap();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let field = |name: &str| {
        let mut fields = query.split('&').filter_map(|field| field.split_once('='));
        fields.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let number = |name: &str| field(name).and_then(|value| value.parse::<u64>().ok());
    if path == "/api/light/state" {
        let key = StateKey(hex::decode(field("key").unwrap()).unwrap());
        let (height, proof) = snapshot.prove_state(&key).unwrap();
        return serde_json::to_string(&StateAnswer {
            height: height.0,
            proof: hex::encode(proof.encode()),
        })
        .unwrap();
    }
    let tip = snapshot.tip().unwrap().height().0;
    let one = path.strip_prefix("/api/light/blocks/");
    let from = one.map_or(number("from"), |height| height.parse().ok());
    let from = from.unwrap_or(1).max(1);
    let last = number("to").unwrap_or(tip).min(tip);
    let limit = if one.is_some() { 1 } else { 1000 };
    let count = (last + 1).saturating_sub(from).min(limit) as u32;
    let blocks = if count == 0 {
        Vec::new()
    } else {
        snapshot.light_blocks(Height(from), count).unwrap()
    };
    serde_json::to_string(&LightPage::of(&blocks, tip, unix_millis() as i64)).unwrap()
}

fn is_evidence_of_a_fork(path: &Path, signer: &Signer) -> bool {
    let evidence = ledger_core::light::Evidence::decode(&std::fs::read(path).unwrap()).unwrap();
    let chain = signer.genesis.chain_id();
    evidence.verify(chain, &signer.genesis.validators).is_ok()
}

#[test]
fn a_witness_on_a_fork_is_caught_with_evidence() {
    let signer = Signer::founding_at(unix_millis());
    let node = signer.chain("one", &["a", "b", "c"]);
    let agrees = signer.chain("two", &["a", "b", "c", "d"]);
    let forked = signer.chain("three", &["a", "x", "y"]);
    let behind = signer.chain("four", &["a"]);

    let (code, told) = signer.light(&node, &["--witness", &agrees.address]);
    assert_eq!((code, &told["refused"]), (0, &Value::Null), "{told}");
    let (code, told) = signer.light(&node, &["--witness", &behind.address]);
    assert_eq!((code, &told["height"]), (0, &3.into()), "{told}");

    let file = signer.path("evidence");
    let proof = ["--evidence", file.to_str().unwrap()];
    let (code, told) = signer.light(
        &node,
        &[
            "--witness",
            &agrees.address,
            "--witness",
            &forked.address,
            proof[0],
            proof[1],
        ],
    );
    let refused = &told["refused"];
    assert_eq!((code, &refused["code"]), (1, &"fork".into()), "{told}");
    assert_eq!(refused["lie"], true);
    let host = forked.address.split("/?").next().unwrap();
    assert_eq!(
        refused["node"], host,
        "it is said who showed the other block"
    );
    assert!(is_evidence_of_a_fork(&file, &signer));
}

#[test]
fn a_node_that_shows_only_an_old_chain_is_not_believed() {
    let signer = Signer::founding_at(unix_millis() - DAY);
    let stale = signer.chain("old", &["a", "b"]);
    for more in [&[][..], &["--skip"]] {
        let (code, told) = signer.light(&stale, more);
        let refused = &told["refused"];
        assert_eq!((code, &refused["code"]), (1, &"stale_tip".into()), "{told}");
        assert_eq!(refused["lie"], false, "it may be cut off itself");
        assert!(told["tip_age_millis"].as_u64().unwrap() >= DAY - 10_000);
    }
}
