//! Goal: `fogward light` believes nobody: it follows a real node over HTTP to its tip, proves what the
//! state holds, and names the lie of a server that changes an answer. Method: the built program against
//! a real node, and against a relay in between that changes one thing of what passes.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json as value};

use crate::program::{Running, fogward, json, wait_for};

/// Blocks that a chain has at least, where each matters.
const BLOCKS: u64 = 4;

/// A node with a few blocks, its address and genesis file.
struct Ward {
    _node: Running,
    address: String,
    genesis: PathBuf,
    folder: tempfile::TempDir,
}

impl Ward {
    fn start(blocks: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let node = Running::start(&folder.path().join("data"), &["--demo=1".into()]);
        let address = node.address();
        wait_for("blocks", || {
            let (_, status) = json(["status", "--api", &address, "--json"]);
            (status["height"].as_u64()? >= blocks).then_some(())
        });
        let genesis = folder.path().join("genesis");
        save_genesis(&address, &genesis);
        Self {
            _node: node,
            address,
            genesis,
            folder,
        }
    }

    fn light(&self, address: &str, more: &[&str]) -> (i32, Value) {
        let genesis = self.genesis.to_str().unwrap();
        let first = ["light", "--api", address, "--genesis", genesis, "--json"];
        json(first.iter().chain(more))
    }

    /// A relay that changes answers; what the light client says of it.
    fn lied_to(
        &self,
        lie: impl Fn(&str, &mut Value) + Send + Sync + 'static,
        more: &[&str],
    ) -> (i32, Value) {
        let relay = Relay::start(&self.address, lie);
        self.light(&relay.address, more)
    }
}

fn save_genesis(address: &str, path: &Path) {
    let output = fogward(["genesis", "--api", address, "-o", path.to_str().unwrap()]);
    assert!(output.status.success());
}

/// Passes requests on to a node and its JSON answers back, changed.
struct Relay {
    address: String,
    port: u16,
    ended: Arc<AtomicBool>,
}

impl Relay {
    fn start(node: &str, lie: impl Fn(&str, &mut Value) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let rest = node.strip_prefix("http://").unwrap();
        let (host, query) = rest.split_once('/').unwrap();
        let (host, address) = (host.to_owned(), format!("http://127.0.0.1:{port}/{query}"));
        let ended = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&ended);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::Acquire) {
                    return;
                }
                relay(stream.unwrap(), &host, &lie);
            }
        });
        Self {
            address,
            port,
            ended,
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        // Wakes the listener; where it is gone already, all is well.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// A request up to its empty line; none if the client hangs up before.
pub fn request_head(client: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if client.read(&mut byte).unwrap_or(0) == 0 {
            return None;
        }
        request.push(byte[0]);
    }
    Some(String::from_utf8(request).unwrap())
}

fn relay(mut client: TcpStream, host: &str, lie: &impl Fn(&str, &mut Value)) {
    let Some(request) = request_head(&mut client) else {
        return;
    };
    let path = request.split(' ').nth(1).unwrap().to_owned();
    let lines = request.lines().filter(|line| {
        let line = line.to_ascii_lowercase();
        !line.starts_with("host:") && !line.starts_with("connection:") && !line.is_empty()
    });
    let mut forwarded: String = lines.map(|line| format!("{line}\r\n")).collect();
    forwarded.push_str(&format!("host: {host}\r\nconnection: close\r\n\r\n"));
    let mut node = TcpStream::connect(host).unwrap();
    node.write_all(forwarded.as_bytes()).unwrap();
    let mut answer = String::new();
    node.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut answer: Value = serde_json::from_str(body).unwrap();
    lie(&path, &mut answer);
    let body = answer.to_string();
    let status = head.lines().next().unwrap();
    let head = format!(
        "{status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    // The client may have heard enough.
    let _ = client.write_all(head.as_bytes());
    let _ = client.write_all(body.as_bytes());
    let _ = client.shutdown(Shutdown::Write);
}

/// Flips a bit of the last byte of a hex field.
fn flip(field: &mut Value) {
    flip_before(field, 0);
}

/// Flips a bit of a hex field, so many bytes before its last.
fn flip_before(field: &mut Value, end: usize) {
    let mut bytes = hex::decode(field.as_str().unwrap()).unwrap();
    let at = bytes.len() - 1 - end;
    bytes[at] ^= 1;
    *field = hex::encode(bytes).into();
}

#[test]
fn a_real_node_is_followed_and_its_state_proven() {
    let ward = Ward::start(BLOCKS);
    let (code, all) = ward.light(&ward.address, &[]);
    assert_eq!(code, 0, "{all}");
    let height = all["height"].as_u64().unwrap();
    assert!(height >= BLOCKS);
    assert_eq!(all["headers"], height);
    assert_eq!(
        (&all["validator_changes"], &all["refused"]),
        (&value!(0), &Value::Null)
    );
    assert!(all["headers_per_second"].as_f64().unwrap() > 0.0);
    let proof = all["state_proof_bytes"].as_u64().unwrap();
    assert!((40..4096).contains(&proof), "{proof}");
    let (_, block) = json(["blocks", "--api", &ward.address, "--json", "--limit=1000"]);
    let same = block.as_array().unwrap().iter();
    let same =
        same.filter(|block| block["height"] == all["height"] && block["hash"] == all["hash"]);
    assert_eq!(same.count(), 1, "the hash is that of the node's block");

    let present = hex::encode("validators");
    let (code, skipped) = ward.light(&ward.address, &["--skip", "--key", &present]);
    assert_eq!(code, 0, "{skipped}");
    let set = hex::decode(skipped["value"].as_str().unwrap()).unwrap();
    assert!(ledger_core::canonical::decode::<ledger_core::ValidatorSet>(&set, 4096).is_ok());

    let absent = hex::encode("device/nobody");
    let witness = ["--key", &absent, "--witness", &ward.address];
    let (code, nothing) = ward.light(&ward.address, &witness);
    assert_eq!((code, &nothing["value"]), (0, &Value::Null), "{nothing}");
    assert_eq!(nothing["key"], Value::from(absent));

    let words = fogward(
        ["light", "--api", &ward.address, "--genesis"]
            .map(str::to_owned)
            .into_iter()
            .chain([ward.genesis.display().to_string()]),
    );
    assert!(
        String::from_utf8(words.stdout)
            .unwrap()
            .contains("VERIFIED")
    );
}

#[test]
fn each_lie_of_a_server_is_named() {
    type Lie = fn(&str, &mut Value);
    let ward = Ward::start(BLOCKS);
    let cases: [(&str, Lie); 8] = [
        ("signature", |_, answer| {
            if let Some(row) = answer.pointer_mut("/blocks/2/certificate") {
                flip(row);
            }
        }),
        ("other_certificate", |_, answer| {
            if let Some(row) = answer.pointer_mut("/blocks/1/header") {
                // In the state root, which two hashes follow.
                flip_before(row, 64);
            }
        }),
        ("missing_block", |_, answer| {
            if let Some(rows) = answer["blocks"].as_array_mut() {
                rows.retain(|row| row["height"] != 3);
            }
        }),
        ("missing_block", |path, answer| {
            if path.contains("from=1&") {
                answer["blocks"] = value!([]);
            }
        }),
        ("malformed", |_, answer| {
            if let Some(row) = answer.pointer_mut("/blocks/0/validators") {
                *row = 7.into();
            }
        }),
        ("other_validators", |_, answer| {
            if let Some(set) = answer.pointer_mut("/validator_sets/0") {
                flip(set);
            }
        }),
        ("state_proof", |_, answer| {
            if let Some(proof) = answer.get_mut("proof") {
                flip(proof);
            }
        }),
        ("withheld", |path, answer| {
            if path.starts_with("/api/light/state") {
                answer["height"] = 1.into();
            }
        }),
    ];
    for (expected, lie) in cases {
        let (code, told) = ward.lied_to(lie, &[]);
        let refused = &told["refused"];
        assert_eq!((code, &refused["code"]), (1, &expected.into()), "{told}");
        assert_eq!(refused["lie"], true);
        assert!(!refused["next"].as_str().unwrap().is_empty());
    }
    let (code, told) = ward.lied_to(cases[0].1, &["--skip"]);
    assert_eq!(
        code, 0,
        "one block is asked for, and it is untouched: {told}"
    );
}

/// Another consortium's chain is not this one, and a witness of it is refused too.
#[test]
fn another_chain_is_not_taken_for_this_one() {
    let (ward, other) = (Ward::start(1), Ward::start(1));
    let (code, told) = ward.light(&other.address, &[]);
    assert_eq!((code, &told["refused"]["code"]), (1, &"other_chain".into()));
    let (code, told) = ward.light(&ward.address, &["--witness", &other.address]);
    assert_eq!((code, &told["refused"]["code"]), (1, &"other_chain".into()));
    let wrong = ward.folder.path().join("no-genesis");
    std::fs::write(&wrong, "no genesis").unwrap();
    let wrong = wrong.to_str().unwrap();
    let output = fogward(["light", "--api", &ward.address, "--genesis", wrong]);
    assert_eq!(output.status.code(), Some(2));
}
