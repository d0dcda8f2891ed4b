//! Goal: other machines reach the node over TLS and its own certificate alone, and nothing of it without a session, not
//! even while nobody is registered; who is slow or silent keeps nobody out. Method: the program itself, asked over an
//! address of its own by the command line, and by connections that say nothing, little or something else.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::desk::Desk;
use crate::program::{Running, fogward, fogward_signed, text};

/// An address of this machine that is not the one the token is for.
const HOST: &str = "127.44.3.1";

struct Ward {
    node: Running,
    ready: Value,
}

impl Ward {
    fn start(data: &Path) -> Self {
        let node = Running::start(data, &["--tls".into(), format!("{HOST}:0")]);
        let ready = node.ready();
        Self { node, ready }
    }

    fn here(&self) -> &str {
        self.ready["api"].as_str().unwrap()
    }

    fn afar(&self) -> &str {
        self.ready["tls"]["api"][0].as_str().unwrap()
    }

    /// Where it listens for other machines.
    fn socket(&self) -> &str {
        let address = self.afar().strip_prefix("https://").unwrap();
        address.strip_suffix('/').unwrap()
    }
}

/// The exit code, what was printed and what was complained about, asked from another machine.
fn ask(desk: &Desk, ward: &Ward, ca: &Path, arguments: &[&str]) -> (i32, Value, String) {
    let ca = ca.to_str().unwrap();
    let more = ["--api", ward.afar(), "--ca", ca, "--json"];
    let output = fogward_signed(&desk.state(), arguments.iter().chain(&more));
    let said = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code().unwrap(), said, text(&output.stderr))
}

#[test]
fn other_machines_need_the_certificate_and_a_session() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let ward = Ward::start(&data);
    let ca = data.join("tls/certificate.pem");
    let desk = Desk::new(ward.here());

    // Nobody is registered: here all is open, there nothing, and nobody becomes the first from afar.
    desk.ask(&["device", "list"]);
    let (code, _, complaint) = ask(&desk, &ward, &ca, &["device", "list"]);
    assert!(code != 0 && complaint.contains("(AUTH-01)"), "{complaint}");
    let file = desk.passphrase("mallory");
    let first = [
        "user",
        "add",
        "mallory",
        "--role",
        "admin",
        "--passphrase-file",
        &file,
    ];
    let (code, _, complaint) = ask(&desk, &ward, &ca, &first);
    assert!(code != 0 && complaint.contains("(AUTH-01)"), "{complaint}");

    // Somebody who is registered signs in there, and may what her role may.
    let mut anna = desk.add("anna", "admin", &[]);
    let (code, _, complaint) = ask(&desk, &ward, &ca, &["user", "list"]);
    assert!(code != 0 && complaint.contains("(AUTH-01)"), "{complaint}");
    let file = desk.passphrase("anna");
    let recovery = anna.recovery_codes.pop().unwrap();
    let login = [
        "login",
        "anna",
        "--passphrase-file",
        &file,
        "--totp",
        &recovery,
    ];
    let (code, said, complaint) = ask(&desk, &ward, &ca, &login);
    assert_eq!((code, &said["state"]), (0, &"open".into()), "{complaint}");
    let (code, people, complaint) = ask(&desk, &ward, &ca, &["user", "list"]);
    assert_eq!(
        (code, &people[0]["login"]),
        (0, &"anna".into()),
        "{complaint}"
    );

    // Another certificate is not trusted, nor one that nobody vouches for.
    let other = folder.path().join("other");
    let stranger = Ward::start(&other);
    let theirs = other.join("tls/certificate.pem");
    let (code, _, complaint) = ask(&desk, &ward, &theirs, &["user", "list"]);
    assert!(
        code != 0 && complaint.contains("cannot be reached"),
        "{complaint}"
    );
    let unpinned = fogward(["user", "list", "--api", ward.afar()]);
    assert!(!unpinned.status.success());
    assert!(stranger.node.terminate().success());

    // It stays the same over a restart.
    let before = ward.ready["tls"]["fingerprint"].clone();
    assert!(ward.node.terminate().success());
    let ward = Ward::start(&data);
    assert_eq!(ward.ready["tls"]["fingerprint"], before);
    assert!(ward.node.terminate().success());
}

#[test]
fn who_is_slow_silent_or_not_encrypted_keeps_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let ward = Ward::start(&data);
    let ca = data.join("tls/certificate.pem");
    let desk = Desk::new(ward.here());

    // As many as there is room for, who say nothing: they are gone after the time that a handshake may take.
    let mut silent: Vec<_> = (0..256)
        .map(|_| TcpStream::connect(ward.socket()).unwrap())
        .collect();
    let since = Instant::now();
    let (code, _, complaint) = ask(&desk, &ward, &ca, &["device", "list"]);
    assert!(code != 0 && complaint.contains("(AUTH-01)"), "{complaint}");
    assert!(
        since.elapsed() < Duration::from_secs(20),
        "{:?}",
        since.elapsed()
    );
    for stream in &mut silent {
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        assert!(
            !matches!(stream.read(&mut [0]), Ok(1..)),
            "it is hung up on"
        );
    }

    // Without TLS there is no answer in HTTP.
    let mut plain = TcpStream::connect(ward.socket()).unwrap();
    plain
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    plain
        .write_all(b"GET /api/status HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    assert!(ward.node.terminate().success());

    // An address that is open to all needs names for the certificate; a key that is not the certificate's is refused.
    for arguments in [
        &["--tls", "0.0.0.0:0"][..],
        &[
            "--tls",
            "127.44.3.1:0",
            "--tls-cert",
            ca.to_str().unwrap(),
            "--tls-key",
            ca.to_str().unwrap(),
        ],
    ] {
        let run = [
            "run",
            "--api",
            "127.0.0.1:0",
            "--data",
            data.to_str().unwrap(),
        ];
        let output = fogward(run.iter().chain(arguments));
        assert!(!output.status.success(), "{arguments:?}");
    }
}
