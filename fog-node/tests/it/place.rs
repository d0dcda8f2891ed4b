//! Goal: the bed that staff name is kept in the vault over a restart, is refused where it cannot be read on a
//! wall, and is not on the ledger. Method: the built program with a simulated device, its
//! command line, and a look into its files.

use serde_json::{Value, json as value};

use crate::program::{Running, fogward, json, text};

const WARD: &str = "WARD-7Q";

fn placed(api: &str, id: &str, arguments: &[&str]) -> Value {
    let asked = ["device", "place", id, "--api", api, "--json"];
    let (code, device) = json(asked.into_iter().chain(arguments.iter().copied()));
    assert_eq!(code, 0, "{device}");
    device["place"].clone()
}

#[test]
fn a_bed_is_kept_here_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let node = Running::start(&data, &["--demo=1".into()]);
    let api = node.address();
    let (_, devices) = json(["device", "list", "--api", &api, "--json"]);
    assert_eq!(devices[0]["place"], Value::Null);
    let id = devices[0]["id"].as_str().unwrap().to_owned();
    let asked = ["--ward", WARD, "--bed", " 09"];
    let place = value!({ "ward": WARD, "bed": "09" });
    assert_eq!(placed(&api, &id, &asked), place);

    let too_long = ["device", "place", &id, "--api", &api, "--ward", WARD];
    let refused = fogward(too_long.into_iter().chain(["--bed", "BED-NUMBER-9"]));
    assert_eq!(refused.status.code(), Some(1));
    let said = text(&refused.stderr);
    assert!(
        said.contains("(DEV-09)") && !said.contains("BED-NUMBER"),
        "{said}"
    );
    assert_eq!(
        fogward(too_long).status.code(),
        Some(2),
        "a ward without a bed"
    );

    assert!(node.terminate().success());
    let replica = std::fs::read(data.join("replica.db")).unwrap();
    let is_on_chain = replica
        .windows(WARD.len())
        .any(|part| part == WARD.as_bytes());
    assert!(!is_on_chain, "the ledger hears nothing of it");
    let node = Running::start(&data, &[]);
    let api = node.address();
    let (_, device) = json(["device", "show", &id, "--api", &api, "--json"]);
    assert_eq!(device["place"], place, "also after a restart");
    assert_eq!(placed(&api, &id, &["--nowhere"]), Value::Null);
    assert!(node.terminate().success());
}
