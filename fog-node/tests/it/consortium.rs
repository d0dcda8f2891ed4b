//! Goal: hospitals found, invite, join and vote from the command line; a joiner follows once it is admitted
//! and validates once it is voted in. Method: three real nodes on loopback addresses of their own.

use std::path::{Path, PathBuf};

use serde_json::{Value, json as value};

use crate::program::{Running, fogward, json, text, wait_for};

/// A node's folder and its address among its peers, on a loopback host of its own.
pub(crate) struct Place {
    pub(crate) data: PathBuf,
    pub(crate) listen: String,
}

impl Place {
    pub(crate) fn new(folder: &Path, number: u8) -> Self {
        let process = std::process::id();
        let (high, low) = (process >> 8 & 0xff, process & 0xff);
        Self {
            data: folder.join(format!("node-{number}")),
            listen: format!("127.{high}.{low}.{number}:7401"),
        }
    }

    pub(crate) fn data(&self) -> &str {
        self.data.to_str().unwrap()
    }

    pub(crate) fn start(&self) -> (Running, String) {
        self.start_with(&[])
    }

    pub(crate) fn start_with(&self, arguments: &[String]) -> (Running, String) {
        let node = Running::start(&self.data, arguments);
        let address = node.address();
        (node, address)
    }

    pub(crate) fn join(&self, invitation: &str, organisation: &str, name: &str) -> Value {
        let (code, joined) = json([
            "consortium",
            "join",
            invitation,
            "--data",
            self.data(),
            "--organisation",
            organisation,
            "--node",
            name,
            "--listen",
            &self.listen,
            "--json",
        ]);
        assert_eq!(code, 0, "{joined}");
        joined
    }
}

/// Two hospitals of one consortium: the one that founded it, and a clinic that follows it.
pub(crate) struct Hospitals {
    pub(crate) harbour: Place,
    pub(crate) clinic: Place,
    pub(crate) nodes: [Running; 2],
    pub(crate) apis: [String; 2],
    /// Id of the founder's organisation.
    pub(crate) holder: String,
}

impl Hospitals {
    /// On loopback hosts with these numbers; the founder's node is started with these arguments.
    pub(crate) fn open(folder: &Path, numbers: [u8; 2], arguments: &[String]) -> Self {
        let [harbour, clinic] = numbers.map(|number| Place::new(folder, number));
        create(&harbour);
        let (host, one) = harbour.start_with(arguments);
        clinic.join(&invite(&one, &[]), "Clinic", "clinic-1");
        let (guest, two) = clinic.start();
        wait_for("the clinic to follow", || {
            (view(&two)["me"]["role"] == "observer").then_some(())
        });
        let organisations = view(&one)["organisations"].take();
        let mut organisations = organisations.as_array().unwrap().iter();
        let holder = organisations.find(|one| one["name"] == "Harbour General");
        let holder = holder.unwrap()["id"].as_str().unwrap().to_owned();
        Self {
            harbour,
            clinic,
            nodes: [host, guest],
            apis: [one, two],
            holder,
        }
    }
}

pub(crate) fn view(api: &str) -> Value {
    json(["consortium", "status", "--api", api, "--json"]).1
}

pub(crate) fn invite(api: &str, arguments: &[&str]) -> String {
    let asked = ["consortium", "invite", "--api", api, "--json"];
    let (code, made) = json(asked.into_iter().chain(arguments.iter().copied()));
    assert_eq!(code, 0, "{made}");
    assert!(made["qr"].as_str().unwrap().starts_with("<svg"));
    made["text"].as_str().unwrap().to_owned()
}

pub(crate) fn propose(api: &str, change: &Value) -> Value {
    let change = change.to_string();
    let (code, row) = json(["consortium", "propose", &change, "--api", api, "--json"]);
    assert_eq!(code, 0, "{row}");
    row
}

pub(crate) fn vote(api: &str, number: u64, choice: &str) -> Value {
    // What is final at one node is a moment later at another.
    wait_for("the proposal at this node", || {
        let (_, all) = json(["consortium", "proposals", "--api", api, "--json"]);
        let mut rows = all.as_array()?.iter();
        rows.any(|row| row["number"] == number).then_some(())
    });
    let number = number.to_string();
    let (code, row) = json([
        "consortium",
        "vote",
        &number,
        choice,
        "--api",
        api,
        "--json",
    ]);
    assert_eq!(code, 0, "{row}");
    row
}

/// The row of the node with this name.
fn node(view: &Value, name: &str) -> Option<Value> {
    let nodes = view["nodes"].as_array()?;
    nodes.iter().find(|node| node["name"] == name).cloned()
}

pub(crate) fn key_of(api: &str, name: &str) -> String {
    node(&view(api), name).unwrap()["key"]
        .as_str()
        .unwrap()
        .to_owned()
}

pub(crate) fn height(api: &str) -> u64 {
    json(["status", "--api", api, "--json"]).1["height"]
        .as_u64()
        .unwrap()
}

pub(crate) fn create(place: &Place) {
    let (code, created) = json([
        "consortium",
        "create",
        "--data",
        place.data(),
        "--name",
        "Harbour consortium",
        "--organisation",
        "Harbour General",
        "--node",
        "harbour-1",
        "--listen",
        &place.listen,
        "--json",
    ]);
    assert_eq!(code, 0, "{created}");
}

#[test]
fn hospitals_found_invite_join_and_vote() {
    let folder = tempfile::tempdir().unwrap();
    let places = [1, 2, 3].map(|number| Place::new(folder.path(), number));
    let [harbour, eastmoor, quayside] = &places;
    create(harbour);
    let (first, one) = harbour.start();
    assert_eq!(view(&one)["me"]["role"], "validator");
    let status = json(["status", "--api", &one, "--json"]).1;
    assert_eq!(status["node_name"], "harbour-1");

    // The second hospital: the only voice there is admits it at once.
    let invitation = invite(&one, &[]);
    let joined = eastmoor.join(&invitation, "Eastmoor Clinic", "eastmoor-1");
    assert_eq!(joined["admitted"], true, "{joined}");
    let (second, two) = eastmoor.start();
    wait_for("the second node to follow", || {
        (view(&two)["me"]["role"] == "observer").then_some(())
    });
    let again = fogward([
        "consortium",
        "join",
        &invitation,
        "--data",
        quayside.data(),
        "--organisation",
        "Quayside Lab",
        "--listen",
        &quayside.listen,
    ]);
    assert_eq!(again.status.code(), Some(2), "an invitation works once");

    // Two voices now: a third hospital needs both. Until then it waits, and goes on by itself.
    let joined = quayside.join(&invite(&one, &[]), "Quayside Lab", "quayside-1");
    assert_eq!(joined["admitted"], false, "{joined}");
    let (third, three) = quayside.start();
    assert_eq!(view(&three)["me"]["role"], "waiting");
    let number = joined["proposal"].as_u64().unwrap();
    assert_eq!(vote(&two, number, "--approve")["outcome"], "approved");
    wait_for("the third node to be admitted", || {
        (view(&three)["me"]["role"] == "observer").then_some(())
    });

    // Both become validators by votes, without a restart.
    for (name, voices) in [("eastmoor-1", [&one, &two]), ("quayside-1", [&two, &three])] {
        let change = value!({"kind": "admit_validator", "node": key_of(&one, name)});
        wait_for("the candidate to be heard", || {
            node(&view(voices[0]), name)?["heard"]
                .as_bool()
                .filter(|heard| *heard)
        });
        let row = propose(voices[0], &change);
        vote(voices[1], row["number"].as_u64().unwrap(), "--approve");
        wait_for("the seat", || {
            let views = [&one, &two, &three].map(|api| view(api));
            views
                .iter()
                .all(|view| node(view, name).is_some_and(|node| node["validator"] == true))
                .then_some(())
        });
    }
    let tips = wait_for("equal tips", || {
        let tips = [&one, &two, &three].map(|api| json(["status", "--api", api, "--json"]).1);
        let hash = |tip: &Value| tip["tip_hash"].clone();
        tips.iter()
            .all(|tip| hash(tip) == hash(&tips[0]))
            .then_some(tips)
    });
    assert_eq!(
        (&tips[0]["validators"], &tips[0]["quorum"]),
        (&value!(3), &value!(3))
    );

    // Three validators can lose none: nothing becomes final, and the page says who is missing.
    third.kill();
    wait_for("the missing validator to be named", || {
        let said = view(&one)["quorum"].as_str()?.to_owned();
        said.contains("Missing: quayside-1").then_some(())
    });
    let before = height(&one);
    let (third, _) = quayside.start();
    let row = propose(
        &one,
        &value!({"kind": "remove_validator", "node": key_of(&one, "quayside-1")}),
    );
    assert_eq!(row["outcome"], "open");
    assert!(height(&one) > before);

    for running in [first, second, third] {
        assert!(running.terminate().success());
    }
    for place in &places {
        let (code, report) = json(["fsck", "--data", place.data(), "--json"]);
        assert_eq!((code, &report["clean"]), (0, &value!(true)), "{report}");
    }
}

/// A node that had a chain of its own joins: the chain goes aside whole, where it can still be read.
#[test]
fn an_own_chain_is_put_aside_whole() {
    let folder = tempfile::tempdir().unwrap();
    let [harbour, clinic] = [11, 12].map(|number| Place::new(folder.path(), number));
    create(&harbour);
    let (host, one) = harbour.start();
    let own = Running::start(&clinic.data, &["--demo=1".into()]);
    let api = own.address();
    wait_for("a reading of its own", || (height(&api) > 2).then_some(()));
    let chain = json(["status", "--api", &api, "--json"]).1["chain_id"].clone();
    assert!(own.terminate().success());

    let invitation = invite(&one, &[]);
    let arguments = [
        "consortium",
        "join",
        &invitation,
        "--data",
        clinic.data(),
        "--organisation",
        "Clinic",
        "--listen",
        &clinic.listen,
    ];
    let refused = fogward(arguments);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        text(&refused.stderr).contains("--leave-own-chain"),
        "{}",
        text(&refused.stderr)
    );
    let (code, joined) = json(arguments.into_iter().chain(["--leave-own-chain", "--json"]));
    assert_eq!(code, 0, "{joined}");

    let left = joined["own_chain"].as_str().unwrap();
    let (code, report) = json(["fsck", "--data", left, "--json"]);
    assert_eq!((code, &report["clean"]), (0, &value!(true)), "{report}");
    let old = Running::start(Path::new(left), &[]);
    assert_eq!(
        json(["status", "--api", &old.address(), "--json"]).1["chain_id"],
        chain
    );
    assert!(old.terminate().success());

    let (joiner, two) = clinic.start();
    wait_for("the joiner to follow", || {
        (view(&two)["me"]["role"] == "observer").then_some(())
    });
    for node in [host, joiner] {
        assert!(node.terminate().success());
    }
}

#[test]
fn what_cannot_be_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(folder.path(), 21);
    // Without an address nobody could join.
    let alone = Running::start(&place.data, &[]);
    let api = alone.address();
    let refused = fogward(["consortium", "invite", "--api", &api]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused.stderr).contains("--listen"),
        "{}",
        text(&refused.stderr)
    );
    // A validator that nobody hears would halt a consortium of one.
    let stranger = "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29";
    let change = value!({"kind": "admit_validator", "node": stranger}).to_string();
    let refused = fogward(["consortium", "propose", &change, "--api", &api]);
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused.stderr));
    let leave = fogward(["consortium", "leave", "--api", &api]);
    assert_eq!(
        leave.status.code(),
        Some(1),
        "the last validator cannot leave"
    );
    for wrong in ["fogward-invitation-1:aaaa", "nothing"] {
        let joined = fogward([
            "consortium",
            "join",
            wrong,
            "--data",
            place.data(),
            "--organisation",
            "X",
            "--listen",
            &place.listen,
        ]);
        assert_eq!(joined.status.code(), Some(2), "{wrong}");
    }
    assert!(alone.terminate().success());
    let (code, report) = json(["fsck", "--data", place.data(), "--json"]);
    assert_eq!(
        (code, &report["clean"]),
        (0, &value!(true)),
        "a node that did nothing: {report}"
    );
    let founded = fogward([
        "consortium",
        "create",
        "--data",
        place.data(),
        "--name",
        "N",
        "--organisation",
        "O",
    ]);
    assert_eq!(founded.status.code(), Some(2), "the folder has a chain");
}
