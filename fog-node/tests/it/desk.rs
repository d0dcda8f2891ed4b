//! Somebody's place at a node: where sessions are kept, and the program asked as one of the people there.

use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Printing, fogward_signed, text, wait_for};
use crate::signing::Human;

/// A node's address, and a folder of sessions and passphrases.
pub(crate) struct Desk {
    address: String,
    folder: TempDir,
}

impl Desk {
    pub(crate) fn at(address: String, folder: TempDir) -> Self {
        Self { address, folder }
    }

    /// At a node that somebody else holds.
    pub(crate) fn new(address: &str) -> Self {
        Self::at(address.to_owned(), tempfile::tempdir().unwrap())
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// The exit code, what was printed, and what was complained about.
    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, Value, String) {
        let api = ["--api", &self.address, "--json"];
        let output = fogward_signed(&self.state(), arguments.iter().chain(&api));
        let said = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code().unwrap(), said, text(&output.stderr))
    }

    /// What a command printed that must do what it is asked.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Value {
        let (code, said, complaint) = self.run(arguments);
        assert_eq!(code, 0, "{arguments:?}: {complaint}");
        said
    }

    /// A command that prints until it ends.
    pub(crate) fn printing(&self, arguments: &[&str]) -> Printing {
        let api = ["--api", &self.address, "--json"];
        Printing::start(&self.state(), arguments.iter().chain(&api))
    }

    pub(crate) fn passphrase(&self, human: &str) -> String {
        let path = self.folder.path().join(human);
        std::fs::write(&path, format!("{human} knows four words\n")).unwrap();
        path.display().to_string()
    }

    pub(crate) fn add(&self, login: &str, role: &str, more: &[&str]) -> Human {
        let file = self.passphrase(login);
        let asked = ["user", "add", login, "--role", role, "--passphrase-file"];
        let enrolment = self.ask(&[&asked[..], &[&file], more].concat());
        Human::of(serde_json::from_value(enrolment).unwrap(), "")
    }

    pub(crate) fn login(&self, human: &mut Human) {
        let code = wait_for("a code", || human.code_now());
        self.login_with(human, &code);
    }

    /// Signs in without waiting for the app's next code.
    pub(crate) fn login_by_recovery(&self, human: &mut Human) {
        let code = human.recovery_codes.pop().unwrap();
        self.login_with(human, &code);
    }

    fn login_with(&self, human: &Human, code: &str) {
        let login = human.person.login.as_str();
        let file = self.passphrase(login);
        let asked = ["login", login, "--passphrase-file", &file, "--totp", code];
        assert_eq!(self.ask(&asked)["state"], "open");
    }
}
