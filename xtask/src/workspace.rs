//! Where things are: the checkout's root and cargo's target folder.
//!
//! Both are asked for at run time, never compiled in, so that a checkout can be
//! moved and a target folder shared.

use crate::process;
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The checkout and its build output.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// The folder of the workspace's `Cargo.toml`.
    pub root: PathBuf,
    /// Cargo's target folder, which `CARGO_TARGET_DIR` may have moved.
    pub target: PathBuf,
}

impl Workspace {
    /// Asks cargo where the workspace and its target folder are.
    pub fn find() -> Result<Self> {
        let metadata = metadata(&["--no-deps"], &start_folder()?)?;
        let folder = |key: &str| {
            metadata[key]
                .as_str()
                .map(PathBuf::from)
                .with_context(|| format!("cargo metadata says no {key}"))
        };
        Ok(Self {
            root: folder("workspace_root")?,
            target: folder("target_directory")?,
        })
    }

    /// A cargo command that runs in this workspace.
    pub fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = cargo();
        command.current_dir(&self.root).args(arguments);
        command
    }
}

/// `cargo metadata` with further arguments, parsed.
pub fn metadata(arguments: &[&str], folder: &Path) -> Result<Value> {
    let mut command = cargo();
    command
        .current_dir(folder)
        .args(["metadata", "--format-version", "1"])
        .args(arguments);
    let text = process::output(&mut command)?;
    serde_json::from_str(&text).context("cargo metadata printed no JSON")
}

/// Cargo, without what the one that started this program said of this package: build scripts that look at
/// it (that of `ring`) would run again each time a person builds without this program in between.
fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let said = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        if said {
            command.env_remove(name);
        }
    }
    command
}

/// Cargo names this package's folder when it starts it; otherwise the current one will do.
fn start_folder() -> Result<PathBuf> {
    match std::env::var_os("CARGO_MANIFEST_DIR") {
        Some(folder) => Ok(folder.into()),
        None => std::env::current_dir().context("there is no current folder"),
    }
}
