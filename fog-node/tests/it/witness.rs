//! Goal: a node that gives readings and does not tell the ledger is found out by the node of the one who read them,
//! which names it and goes on naming it after a kill; so is one that tells of fewer. A node that is only cut off is
//! never named, however long. Method: three real nodes of two hospitals. What an honest node has signed is kept from
//! the ledger by killing every node that heard of it; then its operator lies, by putting its folder back as it was
//! before the read, and by signing another receipt in the place of the promised one.

use std::path::Path;
use std::time::{Duration, Instant};

use fog_node::fsck;
use ledger_core::access::Receipt;
use ledger_core::{Digest, Nonce, Payload, SecretKey, SignedTransaction, TransactionBody};
use ledger_store::Replica;
use rusqlite::{Connection, params};
use serde_json::{Value, json as value};

use crate::access::{is_clean, put, register};
use crate::consortium::{Place, create, invite, view};
use crate::desk::Desk;
use crate::disclosed::{Patient, SATURATION, shown};
use crate::fsck::copy;
use crate::program::{Running, ask, wait_for};
use crate::signing::Human;

const PHYSICIANS: &str = "permit(principal in Role::\"physician\", action, resource)\nwhen { \
     resource.metric == \"59408-5\" };";
/// More than twice as long as a node is heard and tells nothing until it is named.
const NAMED_AFTER: Duration = Duration::from_secs(150);
/// Longer than a node may be heard without telling.
const LONG: Duration = Duration::from_secs(66);

/// A node's place, and its process while it runs.
struct Stand {
    place: Place,
    running: Option<Running>,
}

impl Stand {
    /// Starts it; its address.
    fn start(&mut self) -> String {
        let (node, api) = self.place.start();
        self.running = Some(node);
        api
    }

    /// Ends it as a power cut does.
    fn kill(&mut self) {
        self.running.take().unwrap().kill();
    }

    /// Ends it as its operator does.
    fn stop(&mut self) {
        assert!(self.running.take().unwrap().terminate().success());
    }
}

/// Starts a node that has joined; it and its address.
fn follow(place: Place, arguments: &[String]) -> (Stand, String) {
    let (node, api) = place.start_with(arguments);
    wait_for("it to follow", || {
        (view(&api)["me"]["role"] == "observer").then_some(())
    });
    let running = Some(node);
    (Stand { place, running }, api)
}

/// A hospital whose record is at its second node, and a clinic whose physician was granted a part of it.
struct Town {
    /// The only validator.
    first: Stand,
    /// Where the record is.
    ward: Stand,
    clinic: Stand,
    desk: Desk,
    people: Vec<Human>,
    patient: Patient,
    /// Id of the hospital.
    holder: String,
    /// The grant's handle.
    grant: String,
}

impl Town {
    fn open(folder: &Path, numbers: [u8; 3]) -> Self {
        let [first, ward, clinic] = numbers.map(|number| Place::new(folder, number));
        create(&first);
        let (host, one) = first.start();
        let invitation = invite(&one, &["--same-organisation"]);
        ward.join(&invitation, "Harbour General", "harbour-2");
        clinic.join(&invite(&one, &[]), "Clinic", "clinic-1");
        let (ward, two) = follow(ward, &["--demo=2".to_owned()]);
        let (clinic, three) = follow(clinic, &[]);
        let patient = Patient::of_ward(&two);
        // From now on the ward's node has nothing to tell but what it is asked for.
        for device in ask(&["device", "list", "--api", &two]).as_array().unwrap() {
            let id = device["id"].as_str().unwrap();
            ask(&["device", "unpair", id, "--api", &two]);
        }
        put(&Desk::new(&one), None, "physicians", PHYSICIANS);
        let desk = Desk::new(&three);
        let people = register(&desk, &[("carl", "admin"), ("petra", "physician")]);
        wait_for("the policy at the clinic", || {
            let policies = desk.ask(&["policy", "list", "--as", "carl"])["policies"].take();
            (policies.as_array()?.len() == 1).then_some(())
        });
        let organisations = view(&one)["organisations"].take();
        let mut organisations = organisations.as_array().unwrap().iter();
        let holder = organisations.find(|one| one["name"] == "Harbour General");
        let mut town = Self {
            first: Stand {
                place: first,
                running: Some(host),
            },
            ward,
            clinic,
            desk,
            people,
            patient,
            holder: holder.unwrap()["id"].as_str().unwrap().to_owned(),
            grant: String::new(),
        };
        let row = town.request();
        assert_eq!(row["state"], "granted", "{row}");
        town.grant = row["handle"].as_str().unwrap().to_owned();
        town
    }

    /// A request of the physician's: a block.
    fn request(&self) -> Value {
        let (from, until) = self.patient.period();
        let subject = &self.patient.handles["treatment"];
        let [from, until] = [from, until].map(|at| at.to_string());
        let period = ["--from", &from, "--until", &until];
        let what = ["--metric", SATURATION, "--holder", &self.holder];
        let asked = ["access", "request", subject, "--as", "petra"];
        self.desk.ask(&[&asked[..], &what, &period].concat())
    }

    /// Reads by this name, once the other node answers.
    fn read(&self, name: &str) {
        let name = name.repeat(32);
        let asked = [
            "access",
            "read",
            &self.grant,
            "--read",
            &name,
            "--as",
            "petra",
        ];
        let all = wait_for("the other node", || {
            let (code, said, _) = self.desk.run(&asked);
            (code == 0).then_some(said)
        });
        let (from, until) = self.patient.period();
        let expected = self.patient.readings(SATURATION, from, until);
        assert!(expected.len() > 3);
        assert_eq!(shown(&all), expected);
    }

    /// Reads while no block can be made, and kills all that have heard of the receipt. The promise.
    fn read_untold(&mut self, name: &str) -> Value {
        self.read(name);
        let promised = self.promised();
        assert_eq!(promised.len(), 1, "{promised:?}");
        assert_eq!(promised[0]["standing"], "waiting");
        assert_eq!(promised[0]["node_name"], "harbour-2");
        assert_eq!(self.named(), value!([]));
        self.ward.kill();
        self.clinic.kill();
        promised[0].clone()
    }

    fn row(&self) -> Value {
        let asked = ["access", "show", &self.grant, "--as", "petra"];
        self.desk.ask(&asked)
    }

    /// Receipts that the physician's node waits for.
    fn promised(&self) -> Vec<Value> {
        self.row()["promised"].as_array().unwrap().clone()
    }

    /// Nodes that it names.
    fn named(&self) -> Value {
        self.desk.ask(&["status", "--as", "petra"])["untold"].take()
    }

    /// Starts the clinic's node, and signs its people in again.
    fn start_clinic(&mut self) {
        self.desk = Desk::new(&self.clinic.start());
        for human in &mut self.people {
            self.desk.login_by_recovery(human);
        }
    }

    /// Has an auditor settle a promise: how it stands then, or refused by this code.
    fn settle(&self, promised: &Value, reason: &str, refused: &str) -> Value {
        let transaction = promised["transaction"].as_str().unwrap();
        let asked = [
            "audit",
            "settle",
            transaction,
            "--as",
            "carl",
            "--reason",
            reason,
        ];
        let (code, said, wrong) = self.desk.run(&asked);
        assert_eq!(code == 0, refused.is_empty(), "{wrong}");
        assert!(wrong.contains(refused), "{wrong}");
        said
    }

    /// Waits until all that was read is told: so many reads.
    fn until_told(&self, reads: u64) {
        wait_for("the receipt", || {
            (self.row()["reads"] == reads && self.promised().is_empty()).then_some(())
        });
        assert_eq!(self.named(), value!([]));
    }

    fn until_named(&self) {
        wait_for("the name", || {
            (self.named() == value!(["harbour-2 (Harbour General)"])).then_some(())
        });
    }

    /// Makes blocks until the promise stands like this.
    fn until_found(&self, standing: &str) -> Value {
        let since = Instant::now();
        loop {
            let promised = self.promised().remove(0);
            if promised["standing"] == standing {
                self.until_named();
                return promised;
            }
            assert!(since.elapsed() < NAMED_AFTER, "{promised}");
            self.request();
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    fn end(self) {
        for stand in [self.ward, self.clinic, self.first] {
            assert!(stand.running.unwrap().terminate().success());
            is_clean(&stand.place.data);
        }
    }
}

#[test]
fn a_node_that_is_cut_off_is_never_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut town = Town::open(folder.path(), [110, 111, 112]);
    // Told at once where nothing is in the way.
    town.read("5a");
    town.until_told(1);

    // The ward's node is away for longer than a node that is here may be silent, and the promise survives a kill.
    town.first.kill();
    let promised = town.read_untold("5b");
    town.first.start();
    town.start_clinic();
    let since = Instant::now();
    while since.elapsed() < LONG {
        town.request();
        assert_eq!(town.promised(), std::slice::from_ref(&promised));
        assert_eq!(town.named(), value!([]));
        town.settle(&promised, "They are cut off.", "AUD-04");
        std::thread::sleep(Duration::from_millis(500));
    }
    town.ward.start();
    town.until_told(2);
    // Read again by its name, it is the same receipt, which was told long ago.
    town.read("5b");
    town.until_told(2);
    town.end();
}

#[test]
fn who_gives_and_never_tells_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut town = Town::open(folder.path(), [113, 114, 115]);
    town.first.kill();
    town.ward.stop();
    let (data, before) = (town.ward.place.data.clone(), folder.path().join("before"));
    copy(&data, &before);
    town.ward.start();
    let promised = town.read_untold("5b");
    std::fs::remove_dir_all(&data).unwrap();
    copy(&before, &data);
    town.first.start();
    town.ward.start();
    town.start_clinic();

    // It is here, and tells nothing.
    let found = town.until_found("silent");
    assert_eq!(found["transaction"], promised["transaction"]);
    let words = found["words"].as_str().unwrap();
    assert!(
        words.contains(
            "promised, never told. Call Harbour General and ask the people who run harbour-2"
        ),
        "{words}"
    );
    let audit = town.desk.ask(&["audit", "query", "--as", "carl"]);
    assert_eq!(audit["untold"], value!([found]));
    assert_eq!(audit["entries"][0]["kind"], "read_log");

    // What was found out survives a kill.
    town.clinic.kill();
    town.start_clinic();
    town.until_named();
    assert_eq!(town.promised(), [found]);

    // It tells of fewer readings, in the place of what it has promised.
    town.ward.stop();
    let told = tell_of_one(&data, &town.grant);
    town.ward.start();
    let found = town.until_found("passed_over");
    assert_eq!(found["transaction"], promised["transaction"]);
    assert_ne!(found["transaction"], told);
    let row = town.row();
    assert_eq!((&row["reads"], &row["readings"]), (&value!(1), &value!(1)));

    // Somebody who audits asks them, and writes down what it was. Then nobody is named, also after a kill.
    town.settle(&found, " ", "ACC-01");
    let why = "Restored from a backup; they told us so by telephone.";
    let settled = town.settle(&found, why, "");
    assert_eq!(settled["settled"]["by"], "carl Featherstone", "{settled}");
    assert_eq!(settled["settled"]["reason"], why);
    assert_eq!(settled["standing"], "passed_over");
    let words = settled["words"].as_str().unwrap();
    assert!(
        words.contains("carl Featherstone settled it") && words.ends_with(why),
        "{words}"
    );
    town.settle(&found, why, "AUD-04");
    town.clinic.kill();
    town.start_clinic();
    town.request();
    assert_eq!(town.named(), value!([]));
    let audit = town.desk.ask(&["audit", "query", "--as", "carl"]);
    assert_eq!(audit["untold"], value!([settled]));
    let at_clinic = town.clinic.place.data.clone();
    town.end();

    // What it keeps against the node cannot be changed without a trace.
    let altered = folder.path().join("altered");
    copy(&at_clinic, &altered);
    let vault = Connection::open(altered.join("vault.db")).unwrap();
    let spoil = "UPDATE promises SET sealed = zeroblob(length(sealed))";
    assert_eq!(vault.execute(spoil, []).unwrap(), 1);
    drop(vault);
    let report = fsck::check(&altered).unwrap();
    let problems: Vec<_> = report.problems.iter().map(|one| one.table).collect();
    assert_eq!(problems, ["promises"]);
}

/// Has a node tell next that it gave one reading of what it gave; the transaction. It is stopped.
fn tell_of_one(data: &Path, grant: &str) -> String {
    let seed = std::fs::read_to_string(data.join("keys/node.key")).unwrap();
    let seed: [u8; 32] = hex::decode(seed.trim()).unwrap().try_into().unwrap();
    let replica = Replica::open_read_only(data.join("replica.db")).unwrap();
    let chain = replica.read().unwrap().chain().unwrap().0;
    let vault = Connection::open(data.join("vault.db")).unwrap();
    let next = "SELECT next_nonce FROM sender";
    let nonce: i64 = vault.query_row(next, [], |row| row.get(0)).unwrap();
    let body = TransactionBody {
        chain,
        nonce: Nonce(nonce as u64),
        payload: Payload::Receipt(Receipt {
            access: grant.parse().unwrap(),
            readings: 1,
            disclosed: Digest([7; 32]),
        }),
    };
    let signed = SignedTransaction::sign(&body, &SecretKey::from_seed(&seed));
    let insert = "INSERT INTO outbox (nonce, id, batch, bytes) VALUES (?1, ?2, NULL, ?3)";
    let row = params![nonce, signed.id().0, signed.encode()];
    vault.execute(insert, row).unwrap();
    let sender = "UPDATE sender SET next_nonce = ?1";
    vault.execute(sender, [nonce + 1]).unwrap();
    signed.id().to_string()
}
