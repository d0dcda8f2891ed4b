//! Goal: what a patient agreed to is in force until it is withdrawn or over, and with it ends what rests on it, over
//! restarts and kills; the ledger has nothing that links two of her handles. Method: the program itself; requests as the
//! ledger decides them; the replica searched for names that come twice.

use std::collections::BTreeSet;
use std::path::Path;

use ledger_core::access::{self, Purpose, Scope};
use ledger_core::governance;
use ledger_store::Replica;
use serde_json::{Value, json as value};

use crate::access::{is_clean, refused, register};
use crate::consortium::{Hospitals, Place};
use crate::desk::Desk;
use crate::program::{Running, ask, wait_for};

const PULSE: &str = "8889-8";
const AGREED: &str = "Researchers may see statistics of my pulse, for research and for quality.";
const RULE: &str = "permit(principal in Role::\"researcher\", action, resource)\nwhen {\n    \
    [\"8889-8\"].contains(resource.metric) &&\n    \
    context.resolution == Resolution::\"aggregate\"\n};\n";

struct Clinic {
    node: Running,
    desk: Desk,
    patient: String,
    handles: Value,
}

impl Clinic {
    fn open(data: &Path) -> Self {
        let node = Running::start(data, &[]);
        let api = node.address();
        Self::at(node, &api)
    }

    fn at(node: Running, api: &str) -> Self {
        let added = ask(&["patient", "add", "Ana Brook", "--api", api]);
        let patient = added["id"].as_str().unwrap().to_owned();
        let shown = ask(&["patient", "show", &patient, "--api", api]);
        Self {
            node,
            desk: Desk::new(api),
            patient,
            handles: shown["handles"].clone(),
        }
    }

    fn handle(&self, purpose: &str) -> String {
        let mut handles = self.handles.as_array().unwrap().iter();
        let handle = handles.find(|row| row["purpose"] == purpose).unwrap();
        handle["handle"].as_str().unwrap().to_owned()
    }

    fn give(&self, folder: &Path, policy: &str, more: &[&str]) -> (i32, Value, String) {
        let [words, text] = ["words", "policy"].map(|name| folder.join(name));
        std::fs::write(&words, AGREED).unwrap();
        std::fs::write(&text, policy).unwrap();
        let given = ["patient", "consent", "give", &self.patient, "--as", "nina"];
        let files = [
            "--words",
            words.to_str().unwrap(),
            "--policy",
            text.to_str().unwrap(),
            "--witness",
            "Paul Featherstone",
        ];
        self.desk.run(&[&given[..], &files, more].concat())
    }

    fn list(&self) -> Value {
        self.desk
            .ask(&["patient", "consent", "list", &self.patient, "--as", "nina"])
    }

    /// What becomes of a researcher's request for the pulse's statistics.
    fn request(&self, purpose: &str) -> Value {
        let handle = self.handle(purpose);
        let asked = [
            "access", "request", &handle, "--metric", PULSE, "--as", "rita",
        ];
        let how = ["--purpose", purpose, "--resolution", "aggregate"];
        self.desk.run(&[&asked[..], &how].concat()).1
    }
}

/// The names and grounds of all that is put about single subjects, as a replica has them.
fn put(data: &Path, handles: &[String]) -> Vec<(String, String)> {
    let replica = Replica::open_read_only(data.join("replica.db")).unwrap();
    let view = replica.read().unwrap();
    let mut all = Vec::new();
    for organisation in governance::organisations(&view).unwrap() {
        for handle in handles {
            let scope = Scope {
                holder: organisation.id,
                subject: Some(handle.parse().unwrap()),
            };
            for policy in access::policies(&view, &scope).unwrap() {
                all.push((policy.put.name, policy.put.grounds.unwrap().to_string()));
            }
        }
    }
    all
}

#[test]
fn what_was_agreed_to_holds_until_it_is_withdrawn() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let clinic = Clinic::open(&data);
    let people = [("anna", "admin"), ("nina", "nurse"), ("rita", "researcher")];
    let mut humans = register(&clinic.desk, &people);
    assert_eq!(clinic.request("research")["state"], "denied");

    let purposes = ["--purpose", "research", "--purpose", "quality"];
    let (code, row, complaint) = clinic.give(folder.path(), RULE, &purposes);
    assert_eq!(
        (code, &row["standing"]),
        (0, &value!("in_force")),
        "{complaint}"
    );
    assert_eq!(row["captured_by"], "nina");
    let rule = row["rule"].as_str().unwrap();
    assert!(rule.starts_with("Researchers may see"), "{rule}");
    let consent = row["id"].as_str().unwrap();
    let granted = clinic.request("research");
    assert_eq!(granted["state"], "granted");
    assert_eq!(clinic.request("quality")["state"], "granted");
    assert_eq!(clinic.request("payment")["state"], "denied");
    let states = |desk: &Desk| {
        let handle = granted["handle"].as_str().unwrap();
        desk.ask(&["access", "show", handle, "--as", "rita"])["state"].clone()
    };

    // What the ledger has under two handles has neither name nor grounds in common, and tells nobody's words.
    let all: Vec<_> = Purpose::ALL
        .iter()
        .map(|purpose| clinic.handle(purpose.word()))
        .collect();
    let found = put(&data, &all);
    let parts: BTreeSet<_> = found
        .iter()
        .flat_map(|(name, grounds)| [name, grounds])
        .collect();
    assert_eq!((found.len(), parts.len()), (2, 4));

    // Texts that are about others, and forms that are none, are not taken.
    let about_all = "permit(principal, action, resource) when { 1 < 2 };";
    for (policy, more) in [
        (about_all, &[][..]),
        ("permit(", &[]),
        (RULE, &["--days", "0"]),
        (RULE, &["--purpose", "curiosity"]),
    ] {
        let (code, _, complaint) = clinic.give(folder.path(), policy, more);
        assert!(code == 1 && complaint.contains("(CON-01)"), "{complaint}");
        assert!(!complaint.contains(AGREED));
    }
    let none = [
        "patient",
        "consent",
        "withdraw",
        &clinic.patient,
        "7b",
        "--as",
        "nina",
    ];
    refused(&clinic.desk, &none, "API-04");

    // Killed as it is withdrawn: it is withdrawn or not, and never comes back once it was said.
    let Clinic {
        node,
        desk,
        patient,
        handles,
    } = clinic;
    assert_eq!(states(&desk), "granted");
    let withdrawn = desk.ask(&[
        "patient", "consent", "withdraw", &patient, consent, "--as", "nina",
    ]);
    assert!(["ending", "ended"].contains(&withdrawn["standing"].as_str().unwrap()));
    drop(node);
    let node = Running::start(&data, &[]);
    let desk = Desk::new(&node.address());
    for human in &mut humans {
        desk.login_by_recovery(human);
    }
    let clinic = Clinic {
        node,
        desk,
        patient,
        handles,
    };
    wait_for("the withdrawal on the ledger", || {
        (clinic.list()[0]["standing"] == "ended").then_some(())
    });
    assert_eq!(put(&data, &all), []);
    assert_eq!(states(&clinic.desk), "suspended");
    assert_eq!(clinic.request("research")["state"], "denied");
    assert_eq!(clinic.list()[0]["withdrawn_by"], "nina");

    // As many as a patient has at most.
    for _ in 0..8 {
        assert_eq!(clinic.give(folder.path(), RULE, &["--days", "1"]).0, 0);
    }
    let (code, _, complaint) = clinic.give(folder.path(), RULE, &[]);
    assert!(code == 1 && complaint.contains("(CON-02)"), "{complaint}");
    assert!(clinic.node.terminate().success());
    is_clean(&data);
}

/// A backup of before a withdrawal is put back: its vault says that the consent holds, and the ledger that it was
/// withdrawn. What the patient said last counts.
#[test]
fn a_withdrawn_consent_stays_withdrawn_when_an_older_vault_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    // Blocks are made while the restored node watches whether it is alone.
    let demo = ["--demo=3".to_owned(), "--batch-age-ms=100".to_owned()];
    let Hospitals {
        clinic: place,
        nodes: [host, guest],
        apis: [_, two],
        ..
    } = Hospitals::open(folder.path(), [129, 130], &demo);
    let clinic = Clinic::at(guest, &two);
    let mut humans = register(&clinic.desk, &[("anna", "admin"), ("nina", "nurse")]);
    let (_, row, complaint) = clinic.give(folder.path(), RULE, &["--purpose", "research"]);
    assert_eq!(row["standing"], "in_force", "{complaint}");
    let consent = row["id"].as_str().unwrap();
    let [file, words] = ["backup", "passphrase"].map(|name| {
        let path = folder.path().join(name);
        path.to_str().unwrap().to_owned()
    });
    std::fs::write(&words, "a passphrase of many words").unwrap();
    let sealed = ["--passphrase-file", words.as_str()];
    ask(&[
        &["backup", "-o", &file, "--data", place.data()][..],
        &sealed,
    ]
    .concat());

    let withdraw = ["patient", "consent", "withdraw", &clinic.patient, consent];
    let withdrawn = clinic
        .desk
        .ask(&[&withdraw[..], &["--as", "nina"]].concat());
    assert_eq!(withdrawn["standing"], "ended");
    assert!(clinic.node.terminate().success());
    let back = Place {
        data: folder.path().join("restored"),
        listen: place.listen.clone(),
    };
    ask(&[&["restore", &file, "--data", back.data()][..], &sealed].concat());
    let (node, api) = back.start();
    let desk = Desk::new(&api);
    for human in &mut humans {
        desk.login_by_recovery(human);
    }
    let clinic = Clinic {
        node,
        desk,
        ..clinic
    };
    wait_for("the withdrawal", || {
        (clinic.list()[0]["standing"] == "ended").then_some(())
    });
    let row = clinic.list()[0].clone();
    assert!(row["withdrawn"].is_i64(), "{row}");
    let handles: Vec<_> = Purpose::ALL
        .iter()
        .map(|purpose| clinic.handle(purpose.word()))
        .collect();
    assert_eq!(put(&back.data, &handles), []);
    for node in [host, clinic.node] {
        assert!(node.terminate().success());
    }
}
