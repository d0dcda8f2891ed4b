//! Goal: a device hears one that another hospital's node reads, while both ledgers say so, through a lost node,
//! and not a reading longer. Method: two real nodes on one ledger, an authenticated sensor at each on a pseudo
//! terminal; each reading's value is its own number.

use serde_json::{Value, json as value};

use crate::consortium::{Place, create, invite};
use crate::program::{Running, ask, json, wait_for};
use crate::relay::Numbered;

/// A node with one sensor, and the sensor's id and handle.
struct Ward {
    place: Place,
    sensor: Numbered,
    arguments: Vec<String>,
    node: Running,
    api: String,
    id: String,
    handle: String,
}

impl Ward {
    fn open(place: Place, number: u8) -> Self {
        let mut sensor = Numbered::new(number);
        std::fs::create_dir_all(&place.data).unwrap();
        let key = place.data.with_extension("key");
        std::fs::write(&key, hex::encode([number; 32])).unwrap();
        let path = &sensor.line.path;
        let arguments = vec![
            format!("--serial={path}=fogward-level0"),
            format!("--serial-key={path}={}", key.display()),
        ];
        let (node, api) = place.start_with(&arguments);
        let device = streaming(&mut sensor, &api);
        let text = |name: &str| device[name].as_str().unwrap().to_owned();
        Self {
            id: text("id"),
            handle: text("handle"),
            place,
            sensor,
            arguments,
            node,
            api,
        }
    }

    fn tell(&self, command: &str, arguments: &[&str]) -> Value {
        let all = [&["device", command], arguments, &["--api", &self.api]].concat();
        ask(&all)
    }

    fn interaction(&self, id: &str) -> Option<Value> {
        let rows = self.tell("interactions", &[]);
        let mut rows = rows.as_array()?.iter();
        rows.find(|row| row["id"] == id).cloned()
    }

    fn relays(&self, id: &str, state: &str) {
        wait_for(state, || {
            let row = self.interaction(id)?;
            (row["relay"]["state"] == state).then_some(())
        });
    }
}

/// The node's first device, once it is read and on the ledger.
fn streaming(sensor: &mut Numbered, api: &str) -> Value {
    wait_for("a registered device that streams", || {
        sensor.say_hello();
        let device = ask(&["device", "list", "--api", api])[0].clone();
        let is_ready = device["state"] == "streaming" && device["registered_height"].is_u64();
        is_ready.then_some(device)
    })
}

#[test]
fn a_device_hears_one_that_another_node_reads() {
    let folder = tempfile::tempdir().unwrap();
    let [harbour, clinic] = [67, 68].map(|number| Place::new(folder.path(), number));
    create(&harbour);
    let mut asker = Ward::open(harbour, 7);
    clinic.join(&invite(&asker.api, &[]), "Clinic", "clinic-1");
    let mut source = Ward::open(clinic, 8);

    wait_for("the source on the asker's ledger", || {
        let rows = asker.tell("registry", &[]);
        let mut rows = rows.as_array()?.iter();
        rows.any(|row| row["handle"] == source.handle.as_str())
            .then_some(())
    });
    let asked = asker.tell("ask", &[&asker.id, &source.handle, "--for", "600"]);
    let id = asked["id"].as_str().unwrap();
    source.sensor.send(1);
    asker.sensor.hears_nothing();
    wait_for("the question", || source.interaction(id));
    source.tell("allow", &[id]);
    asker.relays(id, "open");
    source.sensor.send(3);
    let heard = asker.sensor.hears(1..4);
    let name: [u8; 4] = hex::decode(&source.handle[..8])
        .unwrap()
        .try_into()
        .unwrap();
    assert!(heard.iter().all(|heard| heard.source == name));
    source.relays(id, "open");

    // The source's node is killed and comes back: the channel is opened again by itself.
    source.node.kill();
    asker.relays(id, "elsewhere");
    (source.node, source.api) = source.place.start_with(&source.arguments);
    streaming(&mut source.sensor, &source.api);
    asker.relays(id, "open");
    source.sensor.send(1);
    asker.sensor.hears(4..5);

    // Ended at the source's node: nothing more goes out there, whatever the asker's node has seen.
    source.tell("deny", &[id]);
    source.sensor.send(1);
    asker.sensor.hears_nothing();
    let [asker, source] = [asker, source].map(|ward| (ward.place, ward.node));
    for (place, node) in [asker, source] {
        assert!(node.terminate().success());
        let (code, report) = json(["fsck", "--data", place.data(), "--json"]);
        assert_eq!((code, &report["clean"]), (0, &value!(true)), "{report}");
    }
}
