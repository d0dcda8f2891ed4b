//! The chore `fuzz`: coverage-guided fuzzing of the device codecs, on the stable compiler.
//!
//! libFuzzer needs to know which edges of the code an input reaches. The compiler's own coverage pass tells it
//! that without a nightly flag; what is left out for want of one is the address sanitizer, and the codecs have no
//! unsafe code. What was found goes on from run to run: the inputs that reached something new are kept below
//! cargo's target folder, and those that broke a target beside them.

use crate::process;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::{Command, ExitCode};

const TARGETS: [&str; 3] = ["serial", "gatt", "level0"];
const SECONDS: u32 = 60;
/// Counters and comparisons of every edge, as libFuzzer reads them.
const INSTRUMENTED: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// The chore: each target for so many seconds; fails upon the first input that breaks one.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let (seconds, targets) = parse(arguments)?;
    let workspace = Workspace::find()?;
    let triple = host_triple()?;
    println!("      Building the fuzz targets; the first time takes minutes");
    let mut build = workspace.cargo(&["build", "--locked", "--release", "--target", &triple]);
    build
        .current_dir(workspace.root.join("device-drivers/fuzz"))
        .env("CARGO_TARGET_DIR", &workspace.target)
        .env("RUSTFLAGS", INSTRUMENTED)
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    process::run(&mut build)?;
    let programs = workspace.target.join(triple).join("release");
    for target in targets {
        fuzz(&programs, target, seconds, &workspace.target.join("fuzz"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn fuzz(programs: &Path, target: &str, seconds: u32, folder: &Path) -> Result<()> {
    let corpus = folder.join(target);
    let why = || format!("cannot make {}", corpus.display());
    std::fs::create_dir_all(&corpus).with_context(why)?;
    let mut command = Command::new(programs.join(target));
    command
        .arg(&corpus)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/{target}-", folder.display()))
        // A codec that needs 512 MB or so long for a few kB has lost its bounds. The time is the wall's, and a
        // busy machine holds a process for a second.
        .args(["-timeout=20", "-rss_limit_mb=512", "-max_len=4096"])
        .args(["-print_final_stats=1", "-verbosity=0"]);
    println!("      {target}, {seconds} s");
    process::run(&mut command)
}

fn parse(arguments: &[String]) -> Result<(u32, Vec<&'static str>)> {
    let (mut seconds, mut targets) = (SECONDS, Vec::new());
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--seconds" {
            let number = rest.next().and_then(|number| number.parse().ok());
            seconds = number.context("`--seconds` takes a number")?;
        } else if let Some(target) = TARGETS.iter().find(|target| *target == argument) {
            targets.push(*target);
        } else {
            bail!("`fuzz` knows --seconds N and the targets {TARGETS:?}, not `{argument}`");
        }
    }
    if targets.is_empty() {
        targets = TARGETS.to_vec();
    }
    Ok((seconds, targets))
}

/// Named, so that what runs while building is not instrumented.
fn host_triple() -> Result<String> {
    let text = process::output(Command::new("rustc").arg("-vV"))?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc names no host")?.to_owned())
}

#[cfg(test)]
mod tests {
    //! The command line, and that each target named here is one that is built.
    use super::*;

    fn parsed(line: &str) -> Option<(u32, Vec<&'static str>)> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&words).ok()
    }

    #[test]
    fn targets_and_seconds_are_chosen() {
        assert_eq!(parsed(""), Some((SECONDS, TARGETS.to_vec())));
        assert_eq!(parsed("gatt --seconds 5"), Some((5, vec!["gatt"])));
        assert_eq!(parsed("--seconds"), None);
        assert_eq!(parsed("--seconds soon"), None);
        assert_eq!(parsed("kettle"), None);
    }

    #[test]
    fn each_target_is_a_program() {
        let manifest = include_str!("../../device-drivers/fuzz/Cargo.toml");
        let names: Vec<&str> = manifest
            .split("[[bin]]")
            .skip(1)
            .filter_map(|bin| bin.split('"').nth(1))
            .collect();
        assert_eq!(names, TARGETS);
    }
}
