//! The two nodes: real processes of one organisation, each with a system bus of its own.

use std::collections::BTreeMap;
use std::path::Path;

use bluez_fake::Daemon;
use serde_json::{Value, json as value};

use super::fates::{Account, Accounts, accounts};
use super::wired::Wired;
use super::worn::{Kind, Worn};
use crate::consortium::{Place, create, invite};
use crate::program::{Running, ask, json};

/// Pairings that a node has under way at most.
const AT_ONCE: usize = 4;
/// Devices that each node has places for: all, so that nothing but the signal moves them.
const PLACES: u16 = 500;

pub(super) struct Nodes {
    places: [Place; 2],
    buses: [Daemon; 2],
    running: [Option<Running>; 2],
    /// The addresses of their APIs, as far as they have told them.
    apis: [Option<String>; 2],
}

/// All devices, and what both nodes say of them.
pub(super) struct Devices {
    accounts: Accounts,
    /// Handles by paths.
    handles: BTreeMap<String, String>,
    apis: [String; 2],
    /// How often devices were handed over, and how many the ledger knows.
    pub(super) moves: u64,
    pub(super) registered: usize,
}

impl Nodes {
    /// Founds the organisation and starts both nodes.
    pub(super) fn start(folder: &Path, buses: [Daemon; 2]) -> Self {
        let places = [73, 74].map(|number| Place::new(folder, number));
        create(&places[0]);
        let mut nodes = Self {
            places,
            buses,
            running: [None, None],
            apis: [None, None],
        };
        nodes.start_again(0);
        let invitation = invite(&nodes.api(0), &["--same-organisation"]);
        nodes.places[1].join(&invitation, "Harbour General", "ward-b");
        nodes.start_again(1);
        nodes
    }

    /// Starts a node; does not wait until it is ready.
    pub(super) fn start_again(&mut self, node: usize) {
        let arguments = [format!("--roam={PLACES}"), "--ble".to_owned()];
        let bus = &self.buses[node].address;
        let running = Running::start_on_bus(&self.places[node].data, &arguments, bus);
        (self.running[node], self.apis[node]) = (Some(running), None);
    }

    pub(super) fn kill(&mut self, node: usize) {
        let running = self.running[node].take();
        running.expect("a running node").kill();
    }

    fn api(&mut self, node: usize) -> String {
        let running = self.running[node].as_ref();
        let api = self.apis[node].get_or_insert_with(|| running.expect("it runs").address());
        api.clone()
    }

    /// Pairs each sensor with the node where it will be, without a bond: bonded ones stay where they are.
    pub(super) fn pair(&mut self, folder: &Path, worn: &[Worn], wired: &[Wired]) {
        let apis = [self.api(0), self.api(1)];
        let keyed = |name: usize, at: &str, key: Option<&str>, rest: &[&str]| {
            let mut arguments = vec!["device", "pair", at];
            let file = folder.join(format!("key-{at}-{name}").replace('/', "-"));
            if let Some(key) = key {
                std::fs::write(&file, key).unwrap();
                let file = file.to_str().unwrap();
                arguments.extend(["--profile", "fogward-level0", "--key-file", file]);
            }
            arguments.extend(rest);
            arguments.extend(["--api", &apis[name % 2]]);
            ask(&arguments);
        };
        let keyed = &keyed;
        let numbered: Vec<_> = worn.iter().enumerate().collect();
        for some in numbered.chunks(AT_ONCE) {
            std::thread::scope(|scope| {
                for (number, worn) in some {
                    scope.spawn(move || {
                        let key = match &worn.kind {
                            Kind::Numbered(numbered) => Some(numbered.key.as_str()),
                            _ => None,
                        };
                        keyed(*number, &worn.body.address, key, &["--no-bond"]);
                    });
                }
            });
        }
        for (number, wired) in wired.iter().enumerate() {
            let path = wired.path.to_str().unwrap();
            keyed(number, path, Some(&wired.numbered.key), &[]);
        }
    }

    /// What both vaults say.
    pub(super) fn accounts(&self) -> Accounts {
        accounts(self.places.each_ref().map(|place| &place.data))
    }

    /// How both nodes say that the devices they serve are.
    pub(super) fn states(&mut self) -> Vec<String> {
        let apis = [self.api(0), self.api(1)];
        let listed = apis.map(|api| ask(&["device", "list", "--api", &api]));
        let listed = listed.iter().flat_map(|all| all.as_array().unwrap());
        let state = |device: &Value| format!("{}: {}", device["path"], device["state"]);
        listed.map(state).collect()
    }

    /// What both nodes say of all devices.
    pub(super) fn devices(&mut self, accounts: Accounts) -> Devices {
        let apis = [self.api(0), self.api(1)];
        let mut handles = BTreeMap::new();
        for api in &apis {
            let listed = ask(&["device", "list", "--api", api]);
            let listed = listed.as_array().unwrap().iter();
            let text = |device: &Value, field: &str| device[field].as_str().unwrap().to_owned();
            let served = listed.filter(|device| device["standing"] == "in_service");
            handles.extend(served.map(|device| (text(device, "path"), text(device, "handle"))));
        }
        let rows = ask(&["device", "registry", "--api", &apis[0]]);
        let rows = rows.as_array().unwrap();
        let moves = rows.iter().map(|row| row["handovers"].as_u64().unwrap());
        Devices {
            accounts,
            handles,
            moves: moves.sum(),
            registered: rows.len(),
            apis,
        }
    }

    /// Stops both, and has their folders checked.
    pub(super) fn stop(self) {
        for (place, node) in self.places.iter().zip(self.running) {
            assert!(node.expect("a running node").terminate().success());
            let (code, report) = json(["fsck", "--data", place.data(), "--json"]);
            assert_eq!((code, &report["clean"]), (0, &value!(true)), "{report}");
        }
    }
}

impl Devices {
    /// The account of the device at a path, and where its readings are told.
    pub(super) fn at(&self, path: &str) -> (&Account, &[String; 2]) {
        let handle = self.handles.get(path);
        let account = handle.and_then(|handle| self.accounts.get(handle));
        let account = account.unwrap_or_else(|| panic!("no device at {path}"));
        (account, &self.apis)
    }
}
