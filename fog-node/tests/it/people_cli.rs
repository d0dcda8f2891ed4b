//! Goal: people are registered, sign in, and are kept apart on the command line, and a session is a file that
//! others cannot read. Method: the built program against its own node.

use std::path::Path;

use crate::desk::Desk;
use crate::program::{Running, wait_for};

/// A node, and somebody's place at it.
fn open(arguments: &[String]) -> (Running, Desk) {
    let folder = tempfile::tempdir().unwrap();
    let node = Running::start(&folder.path().join("data"), arguments);
    let desk = Desk::at(node.address(), folder);
    (node, desk)
}

#[test]
fn people_sign_in_on_the_command_line() {
    let (node, desk) = open(&["--demo=1".to_owned()]);
    assert_eq!(desk.run(&["devices"]).0, 0, "nobody is registered");
    let file = desk.passphrase("nina");
    let nurse = [
        "user",
        "add",
        "nina",
        "--role",
        "nurse",
        "--passphrase-file",
        &file,
    ];
    let (code, _, complaint) = desk.run(&nurse);
    assert!(code == 1 && complaint.contains("(PPL-03)"), "{complaint}");
    let mut anna = desk.add("anna", "admin", &["--name", "Anna B."]);
    assert_eq!(anna.person.name, "Anna B.");
    let (code, _, complaint) = desk.run(&["devices"]);
    assert!(code == 2 && complaint.contains("(AUTH-01)"), "{complaint}");
    let file = desk.passphrase("anna");
    let wrong = [
        "login",
        "anna",
        "--passphrase-file",
        &file,
        "--totp",
        "none",
    ];
    let (code, _, complaint) = desk.run(&wrong);
    assert!(code == 1 && complaint.contains("(AUTH-02)"), "{complaint}");
    desk.login(&mut anna);
    assert_private(&desk.state());
    assert_eq!(
        desk.run(&["devices"]).0,
        0,
        "the only one who has signed in"
    );

    let mut nina = desk.add("nina", "nurse", &[]);
    desk.login(&mut nina);
    let (code, _, complaint) = desk.run(&["devices"]);
    assert!(
        code == 2 && complaint.contains("(AUTH-01)"),
        "as whom? {complaint}"
    );
    assert_eq!(desk.run(&["devices", "--as", "nina"]).0, 0);
    let (code, _, complaint) = desk.run(&["user", "list", "--as", "nina"]);
    assert!(code == 1 && complaint.contains("(AUTH-04)"), "{complaint}");
    let (code, people, _) = desk.run(&["user", "list", "--as", "anna"]);
    assert_eq!((code, people.as_array().unwrap().len()), (0, 2));

    let roles = ["user", "roles", "nina", "nurse", "auditor", "--as", "anna"];
    let (code, person, complaint) = desk.run(&roles);
    assert_eq!(code, 0, "{complaint}");
    assert_eq!(person["roles"], serde_json::json!(["nurse", "auditor"]));
    let (code, person, _) = desk.run(&["user", "revoke", "nina", "--as", "anna"]);
    assert_eq!((code, &person["standing"]), (0, &"revoked".into()));
    let (code, _, complaint) = desk.run(&["devices", "--as", "nina"]);
    assert!(code == 2 && complaint.contains("(AUTH-01)"), "{complaint}");
    assert_eq!(desk.run(&["logout", "nina"]).0, 0);

    let new = desk.passphrase("annas new and long one");
    let rotate = [
        "user",
        "rotate",
        "--keys",
        "--passphrase-file",
        &file,
        "--new-passphrase-file",
        &new,
    ];
    let (code, person, complaint) = desk.run(&rotate);
    assert_eq!(code, 0, "{complaint}");
    assert_ne!(person["signing_key"], anna.person.signing_key.as_str());
    let (_, session, complaint) = desk.run(&["login", "anna", "--passphrase-file", &new]);
    assert_eq!(session["state"], "open", "{complaint}");
    let code = wait_for("a code", || anna.code_now());
    let (code, enrolment, complaint) = desk.run(&["user", "totp", "--totp", &code]);
    assert_eq!(
        (code, enrolment["recovery_codes"].as_array().unwrap().len()),
        (0, 10),
        "{complaint}"
    );
    assert_eq!(desk.run(&["logout", "anna"]).0, 0);
    assert_eq!(desk.run(&["devices"]).0, 2);
    assert!(node.terminate().success());
}

/// What nobody uses locks, and opens by the passphrase alone.
#[test]
fn an_idle_session_locks_and_login_opens_it() {
    let (node, desk) = open(&["--lock-after=1".to_owned()]);
    let mut anna = desk.add("anna", "admin", &[]);
    desk.login(&mut anna);
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let (code, _, complaint) = desk.run(&["status"]);
    assert!(code == 2 && complaint.contains("(AUTH-03)"), "{complaint}");
    let file = desk.passphrase("anna");
    let (code, session, complaint) = desk.run(&["login", "anna", "--passphrase-file", &file]);
    assert_eq!(
        (code, &session["state"]),
        (0, &"open".into()),
        "{complaint}"
    );
    assert!(node.terminate().success());
}

/// The one session there is can be read by its owner only.
fn assert_private(state: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = state.join("fogward").join("sessions");
    let files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(files.len(), 1);
    for (path, mode) in [(files[0].path(), 0o600), (folder, 0o700)] {
        let found = path.metadata().unwrap().permissions().mode();
        assert_eq!(found & 0o777, mode, "{}", path.display());
    }
}
