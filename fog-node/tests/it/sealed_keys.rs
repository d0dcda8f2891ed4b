//! Goal: a node whose keys are sealed is the same node, starts with what opens them and with nothing else, and loses
//! nothing by being sealed and unsealed; what a backup holds opens elsewhere. Method: the program itself, with a
//! passphrase in a file, and with the keyring of a desktop: gnome-keyring on a bus of the test's own.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use bluez_fake::Daemon;
use serde_json::Value;

use crate::access::is_clean;
use crate::program::{Running, fogward_in, wait_for};

const FILES: [&str; 4] = ["node.key", "validator.key", "admin.key", "vault.key"];
const SEALED: &str = "sealed.json";

/// A node's folder, and the variables of who starts it.
struct Place<'a> {
    data: &'a Path,
    variables: Vec<(&'a str, &'a str)>,
}

impl Place<'_> {
    /// Starts the node and stops it; its key, and how many readings are final.
    fn run(&self) -> (Value, u64) {
        let arguments = ["--demo=1".to_owned(), "--batch-age-ms=100".to_owned()];
        let node = Running::start_in(&self.variables, self.data, &arguments);
        let api = node.address();
        let (mut key, mut finals) = (Value::Null, 0);
        wait_for("final readings", || {
            let (_, status, _) = self.ask(&["status", "--api", &api]);
            finals = status["gap"]["final"].as_u64()?;
            key = status["node_id"].clone();
            (finals > 10).then_some(())
        });
        assert!(key.is_string());
        assert!(node.terminate().success());
        (key, finals)
    }

    fn ask(&self, arguments: &[&str]) -> (i32, Value, String) {
        let json: &[&str] = match arguments {
            ["run", ..] => &["--api", "127.0.0.1:0"],
            _ => &["--json"],
        };
        fogward_in(&self.variables, &[arguments, json].concat())
    }

    /// Of the stopped node's folder.
    fn of_data(&self, arguments: &[&str]) -> (i32, String) {
        let data = ["--data", self.data.to_str().unwrap()];
        let (code, said, complaint) = self.ask(&[arguments, &data].concat());
        (code, format!("{said} {complaint}"))
    }

    fn does(&self, arguments: &[&str]) {
        let (code, said) = self.of_data(arguments);
        assert_eq!(code, 0, "{arguments:?}: {said}");
    }

    fn refuses(&self, arguments: &[&str], why: &str) {
        let (code, said) = self.of_data(arguments);
        assert!(
            code != 0 && said.contains(why),
            "{arguments:?}: {code} {said}"
        );
    }

    /// Whether the keys are files, or sealed; never both.
    fn is_sealed(&self) -> bool {
        let is_there = |name: &str| self.data.join("keys").join(name).exists();
        let is_sealed = is_there(SEALED);
        for name in FILES {
            assert_eq!(is_there(name), !is_sealed, "{name}");
        }
        is_sealed
    }
}

fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn keys_open_under_a_passphrase() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let words = written(folder.path(), "words", "four words in a row\nnot this\n");
    let wrong = written(folder.path(), "wrong", "five words in a row\n");
    let bare = Place {
        data: &data,
        variables: Vec::new(),
    };
    let with = |file| Place {
        data: &data,
        variables: vec![("FOGWARD_KEYS_PASSPHRASE_FILE", file)],
    };
    let (key, finals) = bare.run();
    assert!(!bare.is_sealed());
    bare.refuses(&["keys", "unseal"], "not sealed");
    let short = written(folder.path(), "short", "eleven char\n");
    bare.refuses(
        &["keys", "seal", "--passphrase-file", &short],
        "12 characters",
    );
    assert!(!bare.is_sealed());
    bare.does(&["keys", "seal", "--passphrase-file", &words]);
    assert!(bare.is_sealed());
    let again = ["keys", "seal", "--passphrase-file", words.as_str()];
    bare.refuses(&again, "sealed already");

    // What needs them says what it needs.
    bare.refuses(&["run"], "FOGWARD_KEYS_PASSPHRASE_FILE");
    bare.refuses(&["fsck"], "FOGWARD_KEYS_PASSPHRASE_FILE");
    with(&wrong).refuses(&["run"], "passphrase of the node's keys is another");
    with("/nowhere").refuses(&["fsck"], "cannot read /nowhere");
    let place = with(&words);
    let (same, more) = place.run();
    assert!(same == key && more >= finals);
    assert!(place.is_sealed());
    place.does(&["fsck"]);

    // A backup opens under its own passphrase, wherever it is put.
    let [file, back] = ["backup", "back"].map(|name| folder.path().join(name));
    let other = written(folder.path(), "other", "of the backup alone");
    let to = file.to_str().unwrap();
    place.does(&["backup", "-o", to, "--passphrase-file", &other]);
    let restored = Place {
        data: &back,
        variables: Vec::new(),
    };
    restored.does(&["restore", to, "--passphrase-file", &other]);
    assert!(!restored.is_sealed());
    assert_eq!(restored.run().0, key);

    // Killed while they were sealed or unsealed, both are there: what is sealed counts.
    std::fs::write(data.join("keys/node.key"), "0".repeat(64)).unwrap();
    assert_eq!(place.run().0, key);
    assert!(place.is_sealed());
    place.does(&["keys", "unseal"]);
    assert!(!place.is_sealed());
    assert_eq!(bare.run().0, key);
    is_clean(&data);
}

/// A desktop with a keyring, whose user signs in with a password: a bus and the keyring's daemon.
struct Desktop {
    bus: Daemon,
    keyring: Child,
}

impl Desktop {
    fn of(home: &Path) -> Self {
        let bus = Daemon::start();
        let mut keyring = Command::new("gnome-keyring-daemon")
            .args(["--foreground", "--components=secrets", "--unlock"])
            .env("DBUS_SESSION_BUS_ADDRESS", &bus.address)
            .env("XDG_RUNTIME_DIR", home)
            .env("XDG_DATA_HOME", home)
            .env("HOME", home)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-keyring-daemon, from the package gnome-keyring");
        let mut input = keyring.stdin.take().unwrap();
        input.write_all(b"the password of the desktop").unwrap();
        drop(input);
        // Who asked for it before it is there would have the bus start another one.
        wait_for("the keyring", || {
            let mut asked = Command::new("dbus-send");
            asked.arg(format!("--bus={}", bus.address));
            asked.args(["--print-reply", "--dest=org.freedesktop.DBus", "/"]);
            asked.arg("org.freedesktop.DBus.NameHasOwner");
            let answer = asked.arg("string:org.freedesktop.secrets").output();
            let answer = String::from_utf8(answer.unwrap().stdout).unwrap();
            answer.contains("boolean true").then_some(())
        });
        Self { bus, keyring }
    }

    fn variables(&self) -> Vec<(&str, &str)> {
        vec![("DBUS_SESSION_BUS_ADDRESS", &self.bus.address)]
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        let _ = self.keyring.kill();
        let _ = self.keyring.wait();
    }
}

#[test]
fn keys_open_with_the_keyring_of_a_desktop() {
    let folder = tempfile::tempdir().unwrap();
    let (data, home) = (folder.path().join("data"), folder.path().join("home"));
    std::fs::create_dir(&home).unwrap();
    let nowhere = Place {
        data: &data,
        variables: vec![("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")],
    };
    let (key, _) = nowhere.run();
    nowhere.refuses(&["keys", "seal", "--keyring"], "takes no secret");
    assert!(!nowhere.is_sealed());

    let desktop = Desktop::of(&home);
    let place = Place {
        data: &data,
        variables: desktop.variables(),
    };
    place.does(&["keys", "seal", "--keyring"]);
    assert!(place.is_sealed());
    assert_eq!(place.run().0, key);
    place.does(&["fsck"]);
    nowhere.refuses(&["run"], "does not give it");
    assert!(nowhere.is_sealed());
    drop(desktop);

    // The user signs in again; then at a desktop that is not hers.
    let desktop = Desktop::of(&home);
    let place = Place {
        data: &data,
        variables: desktop.variables(),
    };
    assert_eq!(place.run().0, key);
    let elsewhere = folder.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let strangers = Desktop::of(&elsewhere);
    let stranger = Place {
        data: &data,
        variables: strangers.variables(),
    };
    stranger.refuses(&["fsck"], "does not give it");
    place.does(&["keys", "unseal"]);
    assert!(!nowhere.is_sealed());
    assert_eq!(nowhere.run().0, key);
}
