//! `fogward login` and `fogward logout`, and the sessions they keep for the other commands.
//!
//! A session is one file, `HOST_PORT-USER`, which its owner alone may read, in `fogward/sessions` below the
//! user's state folder: `$XDG_STATE_HOME`, else `~/.local/state`, else `%LOCALAPPDATA%`. It holds the
//! session's token: enough for as long as the session lasts, 12 hours, unless it is locked.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use fog_api::{SessionState, SessionView, SignIn, SignedIn, Unlock};

use super::Outcome;
use super::client::{Api, Question};
use super::output::{print, print_json, time_words};
use super::passphrase::{Passphrase, prompted};
use crate::keystore::{create_private_dir, write_private};

/// Digits of a token.
const TOKEN_DIGITS: usize = 64;

/// Where the sessions at one node are kept.
struct Kept {
    folder: PathBuf,
    node: String,
}

impl Kept {
    /// `None` where the user has no folder for them.
    fn of(base: &str) -> Option<Self> {
        let path = |name| std::env::var_os(name).filter(|path| !path.is_empty());
        let home = || Some(Path::new(&path("HOME")?).join(".local").join("state"));
        let state = path("XDG_STATE_HOME").map(PathBuf::from).or_else(home);
        let state = state.or_else(|| path("LOCALAPPDATA").map(PathBuf::from))?;
        let node = base.trim_start_matches("http://");
        let is_odd = |letter: char| !letter.is_ascii_alphanumeric() && letter != '.';
        Some(Self {
            folder: state.join("fogward").join("sessions"),
            node: node.replace(is_odd, "_"),
        })
    }

    fn must(base: &str) -> anyhow::Result<Self> {
        Self::of(base).context("there is no folder for sessions; set XDG_STATE_HOME")
    }

    fn file(&self, user: &str) -> anyhow::Result<PathBuf> {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
        if user.is_empty() || !user.chars().all(is_plain) {
            bail!("a login name has lowercase letters, digits, dots, hyphens and underscores");
        }
        Ok(self.folder.join(format!("{}-{user}", self.node)))
    }

    fn token(&self, user: &str) -> anyhow::Result<Option<String>> {
        let path = self.file(user)?;
        match std::fs::read_to_string(&path) {
            Ok(text) if text.trim().len() == TOKEN_DIGITS => Ok(Some(text.trim().to_owned())),
            Ok(_) => bail!("{} holds no session; delete it", path.display()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    fn keep(&self, user: &str, token: &str) -> anyhow::Result<()> {
        create_private_dir(&self.folder)?;
        let path = self.file(user)?;
        write_private(&path, token).with_context(|| format!("cannot write {}", path.display()))
    }

    fn forget(&self, user: &str) -> anyhow::Result<()> {
        let path = self.file(user)?;
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot delete {}", path.display()))
            }
            _ => Ok(()),
        }
    }

    /// Who has a session at this node.
    fn users(&self) -> Vec<String> {
        // Without the folder nobody has.
        let files = std::fs::read_dir(&self.folder).into_iter().flatten();
        let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
        let own = names.filter_map(|name| {
            let user = name.strip_prefix(&self.node)?.strip_prefix('-')?;
            Some(user.to_owned())
        });
        own.collect()
    }
}

/// The session of `user` at the node of this address; without a user, of the only one who has one there.
pub(super) fn find(base: &str, user: Option<&str>) -> anyhow::Result<Option<String>> {
    let kept = Kept::of(base);
    let Some(user) = user else {
        return match kept.as_ref().map(Kept::users).as_deref() {
            Some([only]) => Kept::must(base)?.token(only),
            _ => Ok(None),
        };
    };
    let token = Kept::must(base)?.token(user)?;
    let missing = || format!("{user} has not signed in at {base} here; see fogward login --help");
    token.map(Some).with_context(missing)
}

/// `fogward login`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Asks for the passphrase, unseen, and for a code of the authenticator app (or --totp); a \
                        recovery code does as well. A session that is only locked is opened by the passphrase \
                        alone. Other commands then take --as USER, or nothing where one person alone has \
                        signed in."
)]
pub(super) struct Login {
    #[command(flatten)]
    api: Api,
    /// The login name.
    #[arg(value_name = "USER")]
    person: String,
    #[command(flatten)]
    passphrase: Passphrase,
}

/// `fogward logout`
#[derive(Debug, clap::Args)]
pub(super) struct Logout {
    #[command(flatten)]
    api: Api,
    /// The login name.
    #[arg(value_name = "USER")]
    person: String,
}

impl Login {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let kept = Kept::must(self.api.base())?;
        let session = match kept.token(&self.person)? {
            Some(token) => self.go_on(token)?,
            None => None,
        };
        let session = session.map_or_else(|| self.sign_in(&kept), Ok)?;
        if self.api.json {
            print_json(&session)?;
        } else {
            let until = session.ends_at.map(time_words).unwrap_or_default();
            print(&format!("{} is signed in until {until}\n", self.person))?;
        }
        Ok(Outcome::Yes)
    }

    /// Goes on with the session that is kept, if it is still there; opens it if it is locked.
    fn go_on(&self, token: String) -> anyhow::Result<Option<SessionView>> {
        let api = self.api.with_session(Some(token));
        let session: SessionView = api.ask(&Question::path("/api/session"))?;
        match session.state {
            SessionState::Open => Ok(Some(session)),
            SessionState::Locked => {
                let passphrase = self.passphrase.ask(&self.question())?.to_string();
                let question = Question::path("/api/session/unlock");
                api.tell(&question, &Unlock { passphrase }).map(Some)
            }
            SessionState::SetUp | SessionState::SignedOut => Ok(None),
        }
    }

    fn sign_in(&self, kept: &Kept) -> anyhow::Result<SessionView> {
        let passphrase = self.passphrase.ask(&self.question())?;
        let code = match self.api.totp() {
            Some(code) => code.to_owned(),
            None => prompted("Code of the app")?.to_string(),
        };
        let asked = SignIn {
            login: self.person.clone(),
            passphrase: passphrase.to_string(),
            code,
            program: true,
        };
        let api = self.api.with_session(None);
        let signed: SignedIn = api.tell(&Question::path("/api/session"), &asked)?;
        let token = signed.token.context("the node gave no session")?;
        kept.keep(&self.person, &token)?;
        Ok(signed.session)
    }

    fn question(&self) -> String {
        format!("Passphrase of {}", self.person)
    }
}

impl Logout {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let kept = Kept::must(self.api.base())?;
        if let Some(token) = kept.token(&self.person)? {
            let api = self.api.with_session(Some(token));
            api.delete(&Question::path("/api/session"))?;
        }
        kept.forget(&self.person)?;
        if self.api.json {
            print_json(&serde_json::json!({ "signed_out": self.person }))?;
        } else {
            print(&format!("{} is signed out\n", self.person))?;
        }
        Ok(Outcome::Yes)
    }
}

#[cfg(test)]
mod tests {
    //! Goal: a session's file is named after node and user and nothing else. Method: examples.

    use super::*;

    #[test]
    fn files_are_named_after_node_and_user() {
        let kept = Kept {
            folder: "/s".into(),
            node: "127.0.0.1_7400".to_owned(),
        };
        let file = kept.file("anna.b").unwrap();
        assert_eq!(file, Path::new("/s/127.0.0.1_7400-anna.b"));
        for user in ["", "../x", "a/b", "a b", "ä"] {
            assert!(kept.file(user).is_err(), "{user}");
        }
    }
}
