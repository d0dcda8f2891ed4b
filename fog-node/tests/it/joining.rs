//! Goal: a running node joins a consortium over its API, goes on in the same process, and its own chain is
//! aside whole; what cannot be joined changes nothing. Method: real nodes on loopback, asked over HTTP.

use std::path::Path;

use serde_json::{Value, json as value};

use crate::consortium::{Place, create, invite, view};
use crate::program::{Running, json, wait_for};

/// Asks a node; its status and answer.
pub(crate) fn ask(api: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
    let (base, token) = api.split_once("/?token=").unwrap();
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let (url, bearer) = (format!("{base}{path}"), format!("Bearer {token}"));
    let answer = match body {
        None => agent.get(&url).header("Authorization", &bearer).call(),
        Some(body) => agent
            .post(&url)
            .header("Authorization", &bearer)
            .header("Content-Type", "application/json")
            .send(body.to_string().as_bytes()),
    };
    let mut answer = answer.unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    (
        answer.status().as_u16(),
        serde_json::from_str(&text).unwrap(),
    )
}

fn progress(api: &str) -> Value {
    let (status, progress) = ask(api, "/api/consortium/join", None);
    assert_eq!(status, 200, "{progress}");
    progress
}

#[test]
fn a_running_node_joins_from_its_console() {
    let folder = tempfile::tempdir().unwrap();
    let [harbour, clinic] = [31, 32].map(|number| Place::new(folder.path(), number));
    create(&harbour);
    let (host, one) = harbour.start();
    let own = Running::start(&clinic.data, &["--demo=1".into()]);
    let two = own.address();
    let chain = json(["status", "--api", &two, "--json"]).1["chain_id"].clone();
    assert_eq!(progress(&two)["stage"], "idle");

    let text = invite(&one, &[]);
    let (status, read) = ask(
        &two,
        "/api/consortium/join/invitation",
        Some(&value!({ "invitation": text })),
    );
    assert_eq!(status, 200, "{read}");
    assert_eq!(read["consortium"], "Harbour consortium");
    assert_eq!(read["inviter"], "Harbour General");
    assert_eq!(read["obstacle"], Value::Null);
    assert_eq!(read["own_chain"]["chain_id"], chain);
    assert_eq!(read["own_chain"]["devices"], 1);
    assert_eq!(read["listen"], Value::Null);

    // What cannot be: nothing is joined without leaving the own chain, or listening nowhere.
    let asked = value!({ "invitation": text, "organisation": "Clinic", "node": "clinic-1",
        "listen": clinic.listen, "leave_own_chain": true });
    for (field, wrong) in [
        ("leave_own_chain", value!(false)),
        ("listen", value!("")),
        ("listen", value!("127.0.0.1:65535")),
        ("organisation", value!(" ")),
        ("invitation", value!("fogward-invitation-1:aaaa")),
    ] {
        let mut asked = asked.clone();
        asked[field] = wrong;
        let (status, refused) = ask(&two, "/api/consortium/join", Some(&asked));
        assert!(matches!(status, 400 | 409), "{field}: {refused}");
        assert_eq!(refused["code"], "GOV-09");
    }
    assert_eq!(progress(&two)["stage"], "idle");

    let (status, begun) = ask(&two, "/api/consortium/join", Some(&asked));
    assert_eq!(status, 200, "{begun}");
    wait_for("the node to be joined", || {
        let now = progress(&two);
        assert_ne!(now["stage"], "failed", "{now}");
        (now["stage"] == "joined").then_some(())
    });
    // The same process at the same address, in the other chain.
    let now = json(["status", "--api", &two, "--json"]).1;
    assert_eq!(now["chain_id"], read["chain_id"]);
    assert_eq!(now["node_name"], "clinic-1");
    assert_eq!(
        now["devices"], 1,
        "the one of the command line, paired anew"
    );
    assert_eq!(view(&two)["me"]["role"], "observer");
    let read = ask(
        &two,
        "/api/consortium/join/invitation",
        Some(&value!({ "invitation": invite(&one, &[]) })),
    );
    assert!(read.1["obstacle"].is_string(), "{}", read.1);

    let left = std::fs::read_dir(clinic.data.join("left")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left.len(), 1);
    for node in [host, own] {
        assert!(node.terminate().success());
    }
    for folder in [Path::new(&left[0]), &clinic.data] {
        let (code, report) = json(["fsck", "--data", folder.to_str().unwrap(), "--json"]);
        assert_eq!((code, &report["clean"]), (0, &value!(true)), "{report}");
    }
}

/// A door that is away or an invitation that was used: the node says why, and is as it was.
#[test]
fn a_knock_in_vain_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let [harbour, clinic] = [33, 34].map(|number| Place::new(folder.path(), number));
    create(&harbour);
    let (host, one) = harbour.start();
    let (own, two) = clinic.start();
    let text = invite(&one, &[]);
    let height = json(["status", "--api", &two, "--json"]).1["chain_id"].clone();
    assert!(host.terminate().success());
    let asked = value!({ "invitation": text, "organisation": "Clinic", "listen": clinic.listen,
        "leave_own_chain": true });
    assert_eq!(ask(&two, "/api/consortium/join", Some(&asked)).0, 200);
    let failed = wait_for("the knock to fail", || {
        let now = progress(&two);
        (now["stage"] == "failed").then_some(now)
    });
    let why = failed["error"]["why"].as_str().unwrap();
    assert!(why.contains("does not answer"), "{failed}");
    let now = json(["status", "--api", &two, "--json"]).1;
    assert_eq!(now["chain_id"], height);
    assert!(!clinic.data.join("left").exists());
    assert!(!clinic.data.join("join.pending").exists());
    assert!(own.terminate().success());
}
