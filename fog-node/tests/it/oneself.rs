//! Goal: a patient who signs in sees her own record, what she agreed to and who looked at her, and nobody else's by any
//! route or id; as herself she is attested about her own handles only; what she agrees to is signed with her own key;
//! all of it ends with the link, with her erasure and not with a restart. Method: the program itself, as two patients,
//! staff and a researcher at one node; what she is told is compared with what staff are told of her.

use std::path::PathBuf;

use serde_json::{Value, json as value};

use crate::access::{is_clean, put, readable, refused, register};
use crate::consortium::{Place, create, invite};
use crate::desk::Desk;
use crate::handover::KEY;
use crate::program::{Running, wait_for};
use crate::pty::Line;
use crate::signing::Human;

const HEART_RATE: &str = "8867-4";
const OWN_RECORD: &str = "permit(principal in Role::\"patient\", action, resource)\nwhen {\n    \
    context.relations.contains(Relation::\"self\")\n};\n";
const AGREED: &str = "Researchers may see statistics of my heart rate.";
const RULE: &str = "permit(principal in Role::\"researcher\", action, resource)\nwhen {\n    \
    [\"8867-4\"].contains(resource.metric) &&\n    \
    context.resolution == Resolution::\"aggregate\"\n};\n";
/// Zoe and Zara are patients with a device each, both registered; Zoe is linked.
const PEOPLE: [(&str, &str); 6] = [
    ("anna", "admin"),
    ("nina", "nurse"),
    ("zoe", "patient"),
    ("zara", "patient"),
    ("rita", "researcher"),
    ("uma", "auditor"),
];

struct Ward {
    folder: tempfile::TempDir,
    node: Running,
    desk: Desk,
    humans: Vec<Human>,
    /// Ids of the patients, Zoe's first.
    patients: [String; 2],
    /// What they wear.
    devices: [String; 2],
}

impl Ward {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let node = Running::start(&folder.path().join("data"), &["--demo=2".into()]);
        let desk = Desk::new(&node.address());
        let humans = register(&desk, &PEOPLE);
        let listed = desk.ask(&["device", "list", "--as", "nina"]);
        let devices = [0, 1].map(|at| listed[at]["id"].as_str().unwrap().to_owned());
        let mut patients = Vec::new();
        for (device, name) in devices.iter().zip(["Zoe Quint", "Zara Brook"]) {
            let added = desk.ask(&["patient", "add", name, "--as", "nina"]);
            let patient = added["id"].as_str().unwrap().to_owned();
            wait_for("the registration", || {
                let shown = desk.ask(&["device", "show", device, "--as", "nina"]);
                shown["registered_height"].as_u64()
            });
            desk.ask(&["patient", "assign", &patient, device, "--as", "nina"]);
            patients.push(patient);
        }
        let ward = Self {
            folder,
            node,
            desk,
            humans,
            patients: patients.try_into().unwrap(),
            devices,
        };
        let linked = ward.link(0, "zoe");
        assert_eq!(linked["person"]["login"], "zoe");
        ward
    }

    fn link(&self, patient: usize, login: &str) -> Value {
        let patient = &self.patients[patient];
        self.desk
            .ask(&["patient", "link", patient, login, "--as", "nina"])
    }

    /// The same ward after a kill.
    fn killed(self) -> Self {
        self.node.kill();
        let node = Running::start(&self.folder.path().join("data"), &[]);
        let desk = Desk::new(&node.address());
        let mut humans = self.humans;
        for human in &mut humans {
            desk.login_by_recovery(human);
        }
        Self {
            node,
            desk,
            humans,
            ..self
        }
    }

    /// The same ward, in which one of the people has other keys, and the ledger knows it.
    fn with_new_keys(mut self, human: usize) -> Self {
        let human = &mut self.humans[human];
        let login = human.person.login.clone();
        let file = self.desk.passphrase(&login);
        let code = wait_for("a code", || human.code_now());
        let rotate = ["user", "rotate", "--keys", "--as", &login, "--totp", &code];
        let files = ["--passphrase-file", &file, "--new-passphrase-file", &file];
        self.desk.ask(&[&rotate[..], &files].concat());
        self.desk.login_by_recovery(human);
        wait_for("the new keys on the ledger", || {
            let people = self.desk.ask(&["user", "list", "--as", "anna"]);
            let mut people = people.as_array().unwrap().iter();
            let is_hers = |person: &&Value| person["login"] == *login;
            let found = people.find(is_hers).unwrap();
            (found["ledger"]["standing"] == "on_ledger").then_some(())
        });
        self
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn own(&self, what: &[&str], who: &str) -> Value {
        self.desk.ask(&[what, &["--own", "--as", who]].concat())
    }

    /// A patient's handle for what she asks for herself.
    fn handle(&self, who: &str, purpose: &str) -> String {
        let shown = self.own(&["patient", "show"], who);
        let mut handles = shown["handles"].as_array().unwrap().iter();
        let found = handles.find(|handle| handle["purpose"] == purpose);
        found.unwrap()["handle"].as_str().unwrap().to_owned()
    }

    /// Somebody asks for a subject's heart rate, as the patient herself.
    fn ask_as_self(&self, who: &str, subject: &str) -> (i32, Value, String) {
        self.desk.run(&[
            "access",
            "request",
            subject,
            "--metric",
            HEART_RATE,
            "--relation",
            "self",
            "--purpose",
            "patient_request",
            "--as",
            who,
        ])
    }

    fn give(&self, policy: &str, more: &[&str], who: &str) -> (i32, Value, String) {
        let [words, text] = ["words", "policy"].map(|name| self.folder.path().join(name));
        std::fs::write(&words, AGREED).unwrap();
        std::fs::write(&text, policy).unwrap();
        let give = ["patient", "consent", "give", "--as", who, "--words"];
        let files = [words.to_str().unwrap(), "--policy", text.to_str().unwrap()];
        self.desk.run(&[&give[..], &files, more].concat())
    }

    /// What becomes of a researcher's request for the statistics of a subject's heart rate.
    fn research(&self, subject: &str) -> Value {
        let asked = [
            "access", "request", subject, "--metric", HEART_RATE, "--as", "rita",
        ];
        let how = ["--purpose", "research", "--resolution", "aggregate"];
        self.desk.run(&[&asked[..], &how].concat()).1["state"].clone()
    }

    /// Who a person is on the ledger.
    fn on_ledger(&self, login: &str) -> Value {
        let people = self.desk.ask(&["user", "list", "--as", "anna"]);
        let mut people = people.as_array().unwrap().iter();
        let found = people.find(|person| person["login"] == login).unwrap();
        found["ledger"]["handle"].clone()
    }
}

fn ids(rows: &Value) -> Vec<&str> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row["id"].as_str().unwrap()).collect()
}

#[test]
fn a_patient_sees_her_own_record_and_no_other() {
    let mut ward = Ward::open();
    let desk = &ward.desk;
    let [hers, others] = &ward.patients;

    // An account opens one record, and a record is opened by one account.
    for (patient, login) in [(1, "zoe"), (0, "zara"), (1, "nina"), (1, "nobody")] {
        let link = ["patient", "link", &ward.patients[patient], login];
        refused(desk, &[&link[..], &["--as", "nina"]].concat(), "PAT-05");
    }
    refused(
        desk,
        &["patient", "link", hers, "zoe", "--as", "zoe"],
        "AUTH-04",
    );
    refused(
        desk,
        &["patient", "link", others, "zara", "--as", "anna"],
        "AUTH-04",
    );

    // What is told of oneself is what staff are told, of one's own patient.
    let told = ward.own(&["patient", "show"], "zoe");
    assert_eq!(told["patient"]["id"], **hers);
    assert_eq!(told["person"]["by"], "nina");
    let to_staff = desk.ask(&["patient", "show", hers, "--as", "nina"]);
    assert_eq!(told, to_staff);
    let readings = |of: &[&str], who: &str, to: &str| {
        let asked = ["patient", "readings", "--to", to, "--as", who];
        desk.ask(&[&asked[..], &["--limit", "10000"], of].concat())
    };
    let newest = wait_for("her readings", || {
        let rows = ward.own(&["patient", "readings"], "zoe");
        (ids(&rows).len() > 20).then(|| {
            rows[0]["corrected_time"]
                .as_i64()
                .or(rows[0]["host_time"].as_i64())
        })
    });
    let to = newest.unwrap().to_string();
    let own = readings(&["--own"], "zoe", &to);
    assert!(ids(&own).len() > 10);
    assert_eq!(ids(&own), ids(&readings(&[hers], "nina", &to)));
    let of_device = |row: &Value| row["device"] == *ward.devices[0];
    assert!(own.as_array().unwrap().iter().all(of_device));
    let page = ward.own(&["patient", "readings", "--limit", "2", "--to", &to], "zoe");
    let next = [
        "patient",
        "readings",
        "--limit",
        "2",
        "--before",
        ids(&page)[1],
    ];
    assert_eq!(ids(&ward.own(&next, "zoe")), ids(&own)[2..4]);

    // An id of another's does not help: neither as a place in the list, nor on the routes of staff.
    let of_other = wait_for("another's readings", || {
        let rows = desk.ask(&["patient", "readings", others, "--as", "nina"]);
        rows[0]["id"].as_str().map(str::to_owned)
    });
    let after = ["patient", "readings", "--own", "--before", &of_other];
    refused(desk, &[&after[..], &["--as", "zoe"]].concat(), "API-04");
    for patient in [hers, others] {
        for what in [
            &["patient", "show", patient][..],
            &["patient", "readings", patient],
            &["patient", "consent", "list", patient],
            &["audit", "patient", patient],
            &["patient", "unlink", patient],
        ] {
            refused(desk, &[what, &["--as", "zoe"]].concat(), "AUTH-04");
        }
    }
    let of_device = ["readings", "--device", &ward.devices[0], "--as", "zoe"];
    refused(desk, &of_device, "AUTH-04");

    // Who is linked with nobody has nothing of her own, and staff are no patients.
    for (who, code) in [("zara", "PAT-06"), ("nina", "AUTH-04"), ("anna", "AUTH-04")] {
        for what in [
            &["patient", "show"][..],
            &["patient", "readings"],
            &["patient", "consent", "list"],
            &["audit", "patient"],
        ] {
            refused(desk, &[what, &["--own", "--as", who]].concat(), code);
        }
    }
    assert_eq!(ward.link(1, "zara")["person"]["is_open"], true);
    let told = ward.own(&["patient", "show"], "zara");
    assert_eq!(told["patient"]["id"], **others);

    // An account that is no patient's any more opens nothing.
    let code = wait_for("a code", || ward.humans[0].code_now());
    let roles = ["user", "roles", "zara", "technician", "--totp", &code];
    desk.ask(&[&roles[..], &["--as", "anna"]].concat());
    desk.login_by_recovery(&mut ward.humans[3]);
    refused(
        desk,
        &["patient", "show", "--own", "--as", "zara"],
        "AUTH-04",
    );
    let shown = desk.ask(&["patient", "show", others, "--as", "nina"]);
    assert_eq!(shown["person"]["is_open"], false);

    // Over a kill the link is there; unlinked, nothing is.
    let ward = ward.killed();
    let told = ward.own(&["patient", "show"], "zoe");
    assert_eq!(told["patient"]["id"], *ward.patients[0]);
    let unlink = ["patient", "unlink", &ward.patients[0], "--as", "nina"];
    assert_eq!(ward.desk.ask(&unlink)["person"], Value::Null);
    let show = ["patient", "show", "--own", "--as", "zoe"];
    refused(&ward.desk, &show, "PAT-06");
    let data = ward.data();
    assert!(ward.node.terminate().success());
    is_clean(&data);
}

/// What the access log says of her, as she is told.
fn looked(ward: &Ward, who: &str) -> Vec<(String, Value)> {
    let page = ward.own(&["audit", "patient"], who);
    assert!(page["recorded_height"].as_u64().unwrap() > 0);
    let rows = page["entries"].as_array().unwrap().iter();
    let told = rows.map(|row| {
        let outcome = row["outcome"].as_str().unwrap().to_owned();
        (outcome, row["subject"].clone())
    });
    told.collect()
}

#[test]
fn as_herself_she_asks_for_her_own_until_she_is_unlinked_or_erased() {
    let mut ward = Ward::open();
    ward.link(1, "zara");
    put(&ward.desk, Some("anna"), "own-record", OWN_RECORD);
    let [own, of_other] = ["zoe", "zara"].map(|who| ward.handle(who, "patient_request"));
    let for_treatment = ward.handle("zoe", "treatment");

    // Nobody is the patient herself but who is linked, and of no handle but her own for the purpose.
    for (who, subject) in [
        ("zoe", &of_other),
        ("zoe", &for_treatment),
        ("nina", &own),
        ("rita", &own),
        ("zara", &own),
    ] {
        let (code, _, complaint) = ward.ask_as_self(who, subject);
        assert!(
            code == 1 && complaint.contains("(ACC-05)"),
            "{who}: {complaint}"
        );
    }
    let (code, granted, complaint) = ward.ask_as_self("zoe", &own);
    assert_eq!(
        (code, &granted["state"]),
        (0, &value!("granted")),
        "{complaint}"
    );
    assert_eq!(granted["relations"], value!(["self"]));
    assert_eq!(readable(&ward.data(), &granted), [HEART_RATE]);
    let (_, of_zara, complaint) = ward.ask_as_self("zara", &of_other);
    assert_eq!(of_zara["state"], "granted", "{complaint}");

    // Who looked at her: she does, and that she reads it is an entry for those who audit.
    assert_eq!(looked(&ward, "zoe"), [("granted".to_owned(), value!(own))]);
    assert_eq!(
        looked(&ward, "zara"),
        [("granted".to_owned(), value!(of_other))]
    );
    let page = ward
        .desk
        .ask(&["audit", "query", "--outcome", "read", "--as", "uma"]);
    let readers = page["entries"].as_array().unwrap().iter();
    let readers: Vec<_> = readers
        .map(|row| row["signer"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        readers,
        ["uma Featherstone", "zara Featherstone", "zoe Featherstone"]
    );

    // Unlinked, what she was granted as herself ends; what another was granted stays.
    ward.desk
        .ask(&["patient", "unlink", &ward.patients[0], "--as", "nina"]);
    assert_eq!(readable(&ward.data(), &granted), [""; 0]);
    assert_eq!(readable(&ward.data(), &of_zara), [HEART_RATE]);
    let (code, _, complaint) = ward.ask_as_self("zoe", &own);
    assert!(code == 1 && complaint.contains("(ACC-05)"), "{complaint}");

    // Linked again and erased: her account opens nothing, also after a kill.
    ward.link(0, "zoe");
    assert_eq!(ward.handle("zoe", "patient_request"), own);
    let confirm = ["erase", &ward.patients[0], "--confirm", &ward.patients[0]];
    let code = wait_for("a code", || ward.humans[0].code_now());
    let fresh = ["--totp", &code, "--as", "anna"];
    ward.desk.ask(&[&confirm[..], &fresh].concat());
    let show = ["patient", "show", "--own", "--as", "zoe"];
    refused(&ward.desk, &show, "PAT-06");
    let ward = ward.killed();
    refused(&ward.desk, &show, "PAT-06");
    let told = ward.own(&["patient", "show"], "zara");
    assert_eq!(told["patient"]["id"], *ward.patients[1]);
    let data = ward.data();
    assert!(ward.node.terminate().success());
    is_clean(&data);
}

#[test]
fn what_she_agrees_to_is_signed_with_her_own_key() {
    let ward = Ward::open();
    let desk = &ward.desk;
    let subject = ward.handle("zoe", "research");
    let list = |ward: &Ward| ward.own(&["patient", "consent", "list"], "zoe");
    assert_eq!(ward.research(&subject), "denied");

    let (code, row, complaint) = ward.give(RULE, &["--own"], "zoe");
    assert_eq!(
        (code, &row["standing"]),
        (0, &value!("in_force")),
        "{complaint}"
    );
    let said = (&row["captured_by"], &row["witness"], &row["words"]);
    assert_eq!(said, (&value!("zoe"), &value!(""), &value!(AGREED)));
    assert_eq!(row["signature"]["is_valid"], true);
    assert_eq!(row["signature"]["person"], ward.on_ledger("zoe"));
    assert_eq!(ward.research(&subject), "granted");
    let consent = row["id"].as_str().unwrap();

    // Staff see the same; nobody else gives or withdraws what is hers, and no witness speaks for her.
    let to_staff = ["patient", "consent", "list", &ward.patients[0]];
    assert_eq!(
        desk.ask(&[&to_staff[..], &["--as", "nina"]].concat()),
        list(&ward)
    );
    for (who, code) in [("zara", "PAT-06"), ("nina", "AUTH-04"), ("anna", "AUTH-04")] {
        let (exit, _, complaint) = ward.give(RULE, &["--own"], who);
        let is_refused = exit == 1 && complaint.contains(&format!("({code})"));
        assert!(is_refused, "{who}: {complaint}");
    }
    ward.link(1, "zara");
    let withdraw = ["patient", "consent", "withdraw", "--own", consent];
    refused(desk, &[&withdraw[..], &["--as", "zara"]].concat(), "API-04");
    let witness = ["--own", "--witness", "Paul"];
    assert_eq!(ward.give(RULE, &witness, "zoe").0, 2, "not both");
    let (code, _, complaint) = ward.give("permit(", &["--own"], "zoe");
    assert!(code == 1 && complaint.contains("(CON-01)"), "{complaint}");

    // What staff wrote down for her is told apart, and is hers to withdraw, too.
    let by_staff = [ward.patients[0].as_str(), "--witness", "Paul"];
    let (_, captured, complaint) = ward.give(RULE, &by_staff, "nina");
    assert_eq!(captured["signature"], Value::Null, "{complaint}");
    let captured = captured["id"].as_str().unwrap();
    let own = ["patient", "consent", "withdraw", "--own", captured];
    let withdrawn = desk.ask(&[&own[..], &["--as", "zoe"]].concat());
    assert_eq!(withdrawn["withdrawal_signature"]["is_valid"], true);
    assert_eq!(withdrawn["withdrawn_by"], "zoe");
    assert_eq!(ward.research(&subject), "granted", "her own one holds");

    // Another key of hers takes nothing from what the old one signed. Killed, it is there as it was.
    let ward = ward.with_new_keys(2);
    assert_eq!(list(&ward)[1]["signature"], row["signature"]);
    let ward = ward.killed();
    let listed = list(&ward);
    assert_eq!(listed[1]["signature"], row["signature"]);
    assert_eq!(listed[0]["withdrawal_signature"]["is_valid"], true);
    let withdrawn = ward.desk.ask(&[&withdraw[..], &["--as", "zoe"]].concat());
    let signed = &withdrawn["withdrawal_signature"];
    assert_eq!(signed["is_valid"], true);
    assert_ne!(signed["key"], row["signature"]["key"]);
    assert_eq!(signed["person"], row["signature"]["person"]);
    wait_for("the withdrawal on the ledger", || {
        (list(&ward)[1]["standing"] == "ended").then_some(())
    });
    assert_eq!(ward.research(&subject), "denied");
    let data = ward.data();
    assert!(ward.node.terminate().success());
    is_clean(&data);
}

/// Hands a device over to another node of the hospital, which takes it; its id there.
fn hand_over(from: (&Desk, &str), device: &str, to: (&Desk, &str), line: &Line) -> String {
    let handle = {
        let shown = from.0.ask(&["device", "show", device, "--as", from.1]);
        shown["handle"].as_str().unwrap().to_owned()
    };
    let name = to.0.ask(&["status", "--as", to.1])["node_name"].clone();
    let name = name.as_str().unwrap();
    let there = ["device", "handover", device, "--to", name, "--as", from.1];
    from.0.ask(&there);
    wait_for("the device on its way", || {
        let incoming = to.0.ask(&["device", "incoming", "--as", to.1]);
        let mut rows = incoming.as_array()?.iter();
        rows.any(|row| row["handle"] == *handle).then_some(())
    });
    let take = ["device", "take", &handle, "--path", &line.path];
    let taken = to.0.ask(&[&take[..], &["--as", to.1]].concat());
    taken["id"].as_str().unwrap().to_owned()
}

/// People of a node, who are signed in there.
fn at_desk(api: &str, people: [(&str, &str); 3]) -> Desk {
    let desk = Desk::new(api);
    for (login, role) in people {
        let more: &[&str] = match login == people[0].0 {
            true => &[],
            false => &["--as", people[0].0],
        };
        let mut human = desk.add(login, role, more);
        desk.login_by_recovery(&mut human);
    }
    desk
}

/// A patient travels with her sensor, and her account does not: each node has its own, whatever the other says of her.
#[test]
fn an_account_is_of_one_node() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (Line::new(), Line::new());
    let [first, second] = [117, 118].map(|number| Place::new(folder.path(), number));
    create(&first);
    let key = folder.path().join("key");
    std::fs::write(&key, hex::encode(KEY)).unwrap();
    let (host, one) = first.start_with(&[
        format!("--serial={}=fogward-level0", here.path),
        format!("--serial-key={}={}", here.path, key.display()),
    ]);
    let invitation = invite(&one, &["--same-organisation"]);
    second.join(&invitation, "Harbour General", "ward-b");
    let (other, two) = second.start();
    let one = at_desk(
        &one,
        [("anna", "admin"), ("nina", "nurse"), ("zoe", "patient")],
    );
    let two = at_desk(
        &two,
        [("carl", "admin"), ("rosa", "nurse"), ("zola", "patient")],
    );
    let device = wait_for("the registration", || {
        let devices = one.ask(&["device", "list", "--as", "nina"]);
        let first = devices[0].clone();
        first["registered_height"].as_u64()?;
        first["id"].as_str().map(str::to_owned)
    });
    let added = one.ask(&["patient", "add", "Zoe Quint", "--as", "nina"]);
    let patient = added["id"].as_str().unwrap();
    one.ask(&["patient", "assign", patient, &device, "--as", "nina"]);
    one.ask(&["patient", "link", patient, "zoe", "--as", "nina"]);

    let taken = hand_over((&one, "nina"), &device, (&two, "rosa"), &there);
    let shown = two.ask(&["patient", "show", patient, "--as", "rosa"]);
    assert_eq!(shown["patient"]["name"], "Zoe Quint");
    assert_eq!(shown["person"], Value::Null);
    two.ask(&["patient", "link", patient, "zola", "--as", "rosa"]);
    two.ask(&[
        "patient", "change", patient, "--name", "Zoe Q.", "--as", "rosa",
    ]);

    // Back with a later name, she has the account of the node that she comes back to.
    hand_over((&two, "rosa"), &taken, (&one, "nina"), &here);
    let told = one.ask(&["patient", "show", "--own", "--as", "zoe"]);
    assert_eq!(told["patient"]["name"], "Zoe Q.");
    assert_eq!(told["person"]["login"], "zoe");
    let told = two.ask(&["patient", "show", "--own", "--as", "zola"]);
    assert_eq!(told["patient"]["id"], *patient);

    // Nor does an account that was unlinked come back with her.
    one.ask(&["patient", "unlink", patient, "--as", "nina"]);
    let taken = hand_over((&one, "nina"), &device, (&two, "rosa"), &there);
    two.ask(&[
        "patient",
        "change",
        patient,
        "--name",
        "Zoe Quint",
        "--as",
        "rosa",
    ]);
    hand_over((&two, "rosa"), &taken, (&one, "nina"), &here);
    let shown = one.ask(&["patient", "show", patient, "--as", "nina"]);
    assert_eq!(shown["patient"]["name"], "Zoe Quint");
    assert_eq!(shown["person"], Value::Null);
    refused(&one, &["patient", "show", "--own", "--as", "zoe"], "PAT-06");
    for (node, place) in [(other, &second), (host, &first)] {
        assert!(node.terminate().success());
        is_clean(&place.data);
    }
}
