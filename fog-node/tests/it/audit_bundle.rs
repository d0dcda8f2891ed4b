//! Goal: of an audit bundle no byte can be changed, and not even the node that made it can remove, add, alter or move an
//! entry. Method: a real node's bundle; every byte changed as it is, and every line removed, doubled or moved with the
//! file signed anew by the node's own key. The signature is made here once more, after `docs/audit-format.md`.

use std::io::Cursor;

use axum::body::Body;
use fog_api::Role;
use fog_node::audit::check::{BundleVerdict, verify};
use fog_node::keystore::Keystore;
use http_body_util::BodyExt as _;
use ledger_core::access::{LogHead, person};
use ledger_core::{Digest, Genesis, SecretKey};
use ledger_store::Replica;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json as value};

use crate::program::wait_for;
use crate::served::Served;

const SUBJECT: &str = "7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b";

/// A bundle, and what it was made with.
struct Made {
    lines: Vec<String>,
    genesis: Genesis,
    node: SecretKey,
}

impl Made {
    fn verify(&self, bytes: &[u8]) -> BundleVerdict {
        verify(Cursor::new(bytes), &self.genesis).unwrap()
    }

    /// The lines with a new signature by the node.
    fn signed(&self, lines: &[String]) -> Vec<u8> {
        let mut bytes = lines.concat().into_bytes();
        let digest = Digest::tagged("fogward/audit-bundle/1", &[&bytes]);
        let signed = [&b"fogward/audit-bundle/1\0"[..], &digest.0].concat();
        let signature = hex::encode(self.node.sign(&signed).0);
        bytes.extend(format!("{{\"signature\":\"{signature}\"}}\n").into_bytes());
        bytes
    }

    /// The lines without the signature.
    fn body(&self) -> &[String] {
        &self.lines[..self.lines.len() - 1]
    }
}

/// Has an auditor ask some things and export a part of it, from a time on that begins in the middle of the log.
async fn made() -> Made {
    let served = Served::with_demo(0).await;
    let mut uma = served
        .register("uma", &[Role::Admin, Role::Auditor], None)
        .await;
    let session = uma.sign_in(&served).await;
    let token = session.as_str();
    let session = Some(token);
    wait_for("uma on the ledger", || {
        let handle = uma.person.ledger.handle.as_ref()?.parse().unwrap();
        let replica = Replica::open_read_only(served.data().join("replica.db")).unwrap();
        person(&replica.read().unwrap(), &handle).unwrap()
    });
    let asked = |purpose: &str| {
        value!({
            "subject": SUBJECT, "metrics": ["8867-4"], "from": 1, "until": 2,
            "resolution": "raw", "purpose": purpose, "seconds": 60,
        })
    };
    for purpose in ["quality", "treatment", "quality", "payment", "quality"] {
        let (status, _, row) = served
            .call("POST", "/api/access", session, Some(asked(purpose)))
            .await;
        assert_eq!(status, 200, "{row}");
    }
    let (_, _, page) = served.call("GET", "/api/audit", session, None).await;
    let entries = page["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 7);
    let times: Vec<_> = entries
        .iter()
        .map(|row| row["time"].as_u64().unwrap())
        .collect();
    let (from, until) = (times[4], times[1] + 1);
    let path = format!("/api/audit/bundle?purpose=quality&from={from}&until={until}");
    let request = served
        .request("GET", &path)
        .header("fogward-session", token);
    let response = served.raw(request.body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/x-ndjson");
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let made = Made {
        lines: text.split_inclusive('\n').map(str::to_owned).collect(),
        genesis: Genesis::from_file(&served.node.genesis()).unwrap(),
        node: Keystore::open_existing(served.data()).unwrap().node,
    };
    served.end().await;
    made
}

fn kinds(lines: &[String]) -> Vec<String> {
    let kind = |line: &String| {
        let line: Value = serde_json::from_str(line).unwrap();
        line.as_object().unwrap().keys().next().unwrap().clone()
    };
    lines.iter().map(kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_can_be_taken_out_of_a_bundle() {
    let made = made().await;
    let whole = made.lines.concat().into_bytes();
    let verdict = made.verify(&whole);
    assert!(verdict.valid, "{verdict:?}");
    // One before the period and one after it are told, what was not asked for is left out.
    assert_eq!(
        kinds(&made.lines),
        [
            "begin",
            "told",
            "left_out",
            "shown",
            "left_out",
            "shown",
            "told",
            "left_out",
            "end",
            "unproven",
            "unproven",
            "signature"
        ]
    );
    assert_eq!((verdict.first, verdict.count, verdict.left_out), (1, 8, 3));
    assert!(
        verdict
            .since
            .is_some_and(|since| since > 0 && since < verdict.until)
    );
    assert_eq!(made.signed(made.body()), whole, "signed as the node signs");

    // What anybody can do to the file.
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        assert!(!made.verify(&changed).valid, "byte {at}");
    }
    for length in 0..whole.len() {
        assert!(!made.verify(&whole[..length]).valid, "{length} bytes");
    }
    for more in ["\n", "{}\n", &made.lines[2], &made.lines[11]] {
        let longer = [&whole, more.as_bytes()].concat();
        assert!(!made.verify(&longer).valid, "{more}");
    }
    let other = Genesis {
        nonce: Digest::of(b"other"),
        ..made.genesis.clone()
    };
    assert!(!verify(Cursor::new(&whole[..]), &other).unwrap().valid);

    // What the node itself can do, which signs anew: nothing but to the words that nobody proves.
    let kinds = kinds(made.body());
    for at in 0..made.body().len() {
        let is_proven = kinds[at] != "unproven";
        let mut without = made.body().to_vec();
        without.remove(at);
        assert_eq!(
            made.verify(&made.signed(&without)).valid,
            !is_proven,
            "without line {at}"
        );
        let mut doubled = made.body().to_vec();
        doubled.insert(at, made.lines[at].clone());
        assert_eq!(
            made.verify(&made.signed(&doubled)).valid,
            !is_proven,
            "line {at} twice"
        );
        for (to, kind) in kinds.iter().enumerate().take(at) {
            let mut moved = made.body().to_vec();
            moved.swap(at, to);
            let are_words = !is_proven && kind == "unproven";
            assert_eq!(
                made.verify(&made.signed(&moved)).valid,
                are_words,
                "{at} and {to}"
            );
        }
        let mut capitals = made.body().to_vec();
        let (name, rest) = capitals[at].split_at(12);
        capitals[at] = format!("{name}{}", rest.replace('a', "A"));
        let is_other = capitals[at] != made.lines[at];
        let is_refused = !made.verify(&made.signed(&capitals)).valid;
        assert_eq!(is_refused, is_proven && is_other, "line {at} in capitals");
        if kinds[at] == "told" || kinds[at] == "shown" {
            let mut hidden = made.body().to_vec();
            hidden[at] = format!("{{\"left_out\":\"{}\"}}\n", LogHead::default().accumulator);
            assert!(
                !made.verify(&made.signed(&hidden)).valid,
                "line {at} hidden"
            );
        }
    }

    // One byte of one proven line, signed anew.
    let proven = made.body().len() - 2;
    let strategy = (1..proven, any::<prop::sample::Index>(), 1u8..128);
    TestRunner::new(Config::with_cases(600))
        .run(&strategy, |(line, at, change)| {
            let mut lines = made.body().to_vec();
            let mut bytes = std::mem::take(&mut lines[line]).into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = (bytes[at] ^ change) & 0x7f;
            lines[line] = String::from_utf8(bytes).unwrap();
            prop_assume!(lines[line] != made.lines[line]);
            prop_assert!(!made.verify(&made.signed(&lines)).valid);
            Ok(())
        })
        .unwrap();
}

/// Goal: whatever a file holds, it is refused with a word and at once. Method: random bytes and lines, and lines and
/// files longer than any.
#[test]
fn any_bytes_are_survived() {
    let genesis = Genesis::of_one(
        "one".into(),
        1,
        ledger_core::OrganisationId([1; 16]),
        ledger_core::governance::Node::with_one_key(
            SecretKey::from_seed(&[1; 32]).public(),
            "one".into(),
        ),
        Digest::of(b"nonce"),
    )
    .unwrap();
    let refused = |bytes: &[u8]| {
        let verdict = verify(Cursor::new(bytes), &genesis).unwrap();
        verdict.problem.is_some() && !verdict.valid
    };
    let begin = |first: u64, before: &str| {
        format!(
            "{{\"begin\":{{\"format\":\"fogward-audit-1\",\"readme\":\"\",\"chain\":\"{}\",\"node\":\"{}\",\"made\":1,\
             \"asked\":\"\",\"first\":{first},\"before\":\"{before}\"}}}}\n",
            genesis.chain_id(),
            SecretKey::from_seed(&[1; 32]).public()
        )
    };
    let (zero, one) = ("00".repeat(32), "11".repeat(32));
    let last = format!("{}{{\"left_out\":\"{one}\"}}\n", begin(u64::MAX, &one));
    for text in [
        "",
        "\n",
        "{}",
        &begin(0, &zero),
        &begin(0, &one),
        &begin(1, &zero),
        &format!("{}{}", begin(0, &zero), begin(0, &zero)),
        &last,
        &format!("{}{{\"end\":\"00\"}}\n", begin(0, &zero)),
        &format!("{}{{\"told\":{{\"entry\":\"0g\"}}}}\n", begin(0, &zero)),
        &format!(
            "{}{{\"told\":{{\"entry\":\"ffffffffffffffffffff01\"}}}}\n",
            begin(0, &zero)
        ),
        &"[".repeat(100_000),
        &"a".repeat(3 << 20),
    ] {
        assert!(refused(text.as_bytes()), "{}", &text[..text.len().min(80)]);
    }
    let digests = format!("{{\"left_out\":\"{one}\"}}\n").repeat(900_000);
    assert!(
        refused(format!("{}{digests}", begin(0, &zero)).as_bytes()),
        "longer than any"
    );
    TestRunner::new(Config::with_cases(500))
        .run(&prop::collection::vec(any::<u8>(), 0..400), |bytes| {
            prop_assert!(refused(&bytes));
            let behind = [begin(0, &zero).as_bytes(), &bytes].concat();
            prop_assert!(refused(&behind));
            Ok(())
        })
        .unwrap();
}
