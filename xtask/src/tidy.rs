//! The chore `tidy`: rules about the sources that no compiler checks.
//!
//! Each rule is a plain function from text to findings, so its tests can show
//! that it finds what it should. The rules stand in four files: dependency
//! edges, source files, the lock file, the threat model.

mod edges;
mod lockfile;
mod sources;
mod threats;

use crate::process;
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// The chore: prints what it found and fails if that is anything.
pub fn run() -> Result<ExitCode> {
    let tidy = check(&Workspace::find()?)?;
    Ok(if tidy {
        println!("tidy");
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Whether every rule holds; prints each breach.
pub fn check(workspace: &Workspace) -> Result<bool> {
    let mut findings = edges::check(workspace)?;
    for path in files(workspace)? {
        // A file of another kind than text, or one just removed, has no rules.
        let Ok(text) = std::fs::read_to_string(workspace.root.join(&path)) else {
            continue;
        };
        findings.extend(sources::check(&path, &text));
        if path == threats::PATH {
            let read = |path: &str| std::fs::read_to_string(workspace.root.join(path)).ok();
            findings.extend(threats::check(&text, read));
        }
        if path.ends_with("Cargo.lock") {
            findings.extend(lockfile::check(&text));
        }
    }
    for finding in &findings {
        println!("      {finding}");
    }
    Ok(findings.is_empty())
}

/// Every file that git tracks or would track.
fn files(workspace: &Workspace) -> Result<Vec<String>> {
    let listing = process::output(Command::new("git").current_dir(&workspace.root).args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "-z",
    ]))
    .context("tidy reads the list of files from git")?;
    let mut files: Vec<String> = listing
        .split_terminator('\0')
        .filter(|path| PathBuf::from(path).file_name().is_some())
        .map(str::to_owned)
        .collect();
    files.sort();
    files.dedup();
    Ok(files)
}
