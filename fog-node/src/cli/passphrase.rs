//! Where a passphrase comes from: a file, a variable, or a person who types it unseen.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use zeroize::Zeroizing;

/// Longest passphrase file, in bytes.
const MAX_PASSPHRASE_BYTES: u64 = 4096;
/// The variable that may hold the passphrase.
const PASSPHRASE_VARIABLE: &str = "FOGWARD_PASSPHRASE";

/// Where the passphrase comes from.
#[derive(Debug, clap::Args)]
pub(super) struct Passphrase {
    /// File whose first line is the passphrase; `-` reads standard input. Without it, the passphrase is in
    /// the variable FOGWARD_PASSPHRASE, or is asked for where somebody is to sign in. At least 12 characters.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl Passphrase {
    /// From the file or the variable.
    pub(super) fn read(&self) -> anyhow::Result<Zeroizing<String>> {
        self.given()?.with_context(|| {
            format!("give a passphrase with --passphrase-file or in {PASSPHRASE_VARIABLE}")
        })
    }

    /// From the file, the variable, or the terminal, after this question.
    pub(super) fn ask(&self, question: &str) -> anyhow::Result<Zeroizing<String>> {
        self.given()?.map_or_else(|| prompted(question), Ok)
    }

    /// The same for a new one, which a person types twice.
    pub(super) fn ask_new(&self, question: &str) -> anyhow::Result<Zeroizing<String>> {
        self.given()?.map_or_else(|| prompted_twice(question), Ok)
    }

    fn given(&self) -> anyhow::Result<Option<Zeroizing<String>>> {
        match &self.passphrase_file {
            Some(path) => first_line(path).map(Some),
            None => Ok(std::env::var(PASSPHRASE_VARIABLE).ok().map(Zeroizing::new)),
        }
    }
}

/// The first line of a file; `-` is standard input.
pub(crate) fn first_line(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    let read = match path.to_str() {
        Some("-") => std::io::stdin()
            .take(MAX_PASSPHRASE_BYTES)
            .read_to_string(&mut text),
        _ => std::fs::File::open(path)
            .and_then(|file| file.take(MAX_PASSPHRASE_BYTES).read_to_string(&mut text)),
    };
    read.with_context(|| format!("cannot read {}", path.display()))?;
    match text.lines().next() {
        Some(line) => Ok(Zeroizing::new(line.to_owned())),
        None => bail!("{} is empty", path.display()),
    }
}

/// What a person types at the terminal, without it being shown.
pub(super) fn prompted(question: &str) -> anyhow::Result<Zeroizing<String>> {
    let typed = rpassword::prompt_password(format!("{question}: "));
    let typed = typed.context("there is no terminal to ask at; see --help for other ways")?;
    Ok(Zeroizing::new(typed))
}

/// The same, typed twice alike.
pub(super) fn prompted_twice(question: &str) -> anyhow::Result<Zeroizing<String>> {
    let typed = prompted(question)?;
    if *prompted("Once more")? != *typed {
        bail!("the two are not alike");
    }
    Ok(typed)
}
