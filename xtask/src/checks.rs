//! The chore `test`: every check and test, one after another, and one closing line.
//!
//! A step that fails does not stop the others; the closing line adds up what the
//! test programs themselves reported. Everything native is built once, in one
//! profile; the console's wasm is built first because the desktop shell embeds it.

use crate::bundle;
use crate::firmware;
use crate::process;
use crate::progress::Progress;
use crate::system::{self, Purpose};
use crate::tally::Tally;
use crate::tidy;
use crate::tools::Tools;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::{Command, ExitCode};

struct Step {
    name: &'static str,
    title: &'static str,
    run: fn(&Workspace, &Tools) -> Result<Tally>,
}

const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        title: "Formatting",
        run: |workspace, _| check(&mut workspace.cargo(&["fmt", "--all", "--check"])),
    },
    Step {
        name: "tidy",
        title: "Files and dependency edges",
        run: |workspace, _| tidy::check(workspace).map(Tally::of_one),
    },
    Step {
        name: "typos",
        title: "Spelling",
        run: |workspace, tools| check(&mut tools.command(workspace, "typos")),
    },
    Step {
        name: "deny",
        title: "Licences, bans and sources of dependencies (advisories need a network database and are left out)",
        run: |workspace, tools| {
            // Two more workspaces are held to the same rules.
            for folder in ["", "device-drivers/firmware/", "device-drivers/fuzz/"] {
                let manifest = &format!("{folder}Cargo.toml");
                let mut command = tools.command(workspace, "cargo-deny");
                command.args(["--manifest-path", manifest, "--locked"]);
                command.args(["--config", "deny.toml", "check"]);
                command.args(["licenses", "bans", "sources"]);
                process::run(&mut command)?;
            }
            Ok(Tally::of_one(true))
        },
    },
    Step {
        name: "stranger",
        title: "A verifier written from docs/proof-format.md alone, on the example",
        run: |workspace, _| {
            let example = "docs/examples/example.fw";
            check(
                Command::new("python3")
                    .current_dir(&workspace.root)
                    .args(["-B", "docs/examples/verify_proof.py"])
                    .args(["proof", "genesis"].map(|kind| format!("{example}{kind}"))),
            )
        },
    },
    Step {
        name: "bundle",
        title: "The console's wasm (about 6 min the first time)",
        run: |workspace, _| bundle::build(workspace).map(|()| Tally::of_one(true)),
    },
    Step {
        name: "clippy",
        title: "Lints, native (about 6 min the first time)",
        run: |workspace, _| {
            let arguments = ["clippy", "--locked", "--workspace", "--all-targets", "--"];
            check(workspace.cargo(&arguments).args(["-D", "warnings"]))
        },
    },
    Step {
        name: "clippy-wasm",
        title: "Lints, wasm",
        run: |workspace, _| {
            let arguments = ["clippy", "--locked", "--package", "fogward-ui", "--target"];
            let target = ["wasm32-unknown-unknown", "--", "-D", "warnings"];
            check(workspace.cargo(&arguments).args(target))
        },
    },
    Step {
        name: "doc",
        title: "Documentation",
        run: |workspace, _| {
            let arguments = ["doc", "--locked", "--workspace", "--no-deps"];
            check(
                workspace
                    .cargo(&arguments)
                    .env("RUSTDOCFLAGS", "-D warnings"),
            )
        },
    },
    Step {
        name: "build",
        title: "The programs (about 12 min the first time)",
        run: |workspace, _| build_all(workspace).map(|()| Tally::of_one(true)),
    },
    Step {
        name: "firmware",
        title: "The example firmware within its budgets, measured in QEMU",
        run: |workspace, _| firmware::check(workspace).map(Tally::of_one),
    },
    Step {
        name: "unit",
        title: "Unit and integration tests",
        run: |workspace, tools| {
            let firmware = firmware::build_all(workspace)?;
            nextest(workspace, tools, "not package(e2e)", Some(&firmware))
        },
    },
    Step {
        name: "e2e",
        title: "End to end: the desktop window and the browser",
        run: |workspace, tools| {
            bundle::build(workspace)?;
            build_all(workspace)?;
            nextest(workspace, tools, "package(e2e)", None)
        },
    },
];

/// Runs the steps that `arguments` name, or all.
pub fn test(arguments: &[String]) -> Result<ExitCode> {
    if arguments.iter().any(|argument| argument == "--list") {
        for step in STEPS {
            println!("{:12} {}", step.name, step.title);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let chosen = choose(arguments)?;
    let workspace = Workspace::find()?;
    let mut progress = Progress::new(chosen.len() + 1);
    let tools = progress.step("Checking the system", || {
        system::prepare(Purpose::Test)?;
        Tools::prepare(&workspace)
    })?;

    let mut total = Tally::default();
    let mut failed = Vec::new();
    for step in chosen {
        let tally = progress.step(step.title, || {
            (step.run)(&workspace, &tools).unwrap_or_else(|error| {
                println!("      {error:#}");
                Tally::of_one(false)
            })
        });
        total = total.plus(tally);
        if tally.failed > 0 {
            failed.push(step.name);
        }
    }
    if !failed.is_empty() {
        println!("\nFailed: {}", failed.join(", "));
    }
    println!("\n{} passed, {} failed", total.passed, total.failed);
    Ok(if total.failed == 0 && total.passed > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The steps after each `--only`, in the order in which they always run.
fn choose(arguments: &[String]) -> Result<Vec<&'static Step>> {
    let mut names = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument != "--only" {
            bail!("`test` knows --only STEP and --list, not `{argument}`");
        }
        let given = rest.next().context("--only wants the name of a step")?;
        names.extend(given.split(','));
    }
    if let Some(name) = names
        .iter()
        .find(|name| !STEPS.iter().any(|step| step.name == **name))
    {
        bail!("there is no step `{name}`; `cargo xtask test --list` names them");
    }
    Ok(STEPS
        .iter()
        .filter(|step| names.is_empty() || names.contains(&step.name))
        .collect())
}

/// A program without tests of its own: it holds or it does not.
fn check(command: &mut Command) -> Result<Tally> {
    process::run(command).map(|()| Tally::of_one(true))
}

/// Everything native at once: one set of features, so nothing is built twice.
fn build_all(workspace: &Workspace) -> Result<()> {
    process::run(&mut workspace.cargo(&["build", "--locked", "--workspace", "--all-targets"]))
}

/// A program that counts its tests.
fn tests(command: &mut Command) -> Result<Tally> {
    let read = process::run_and_read(command)?;
    Ok(Tally::of_tests(read.success, &read.text))
}

fn nextest(
    workspace: &Workspace,
    tools: &Tools,
    filter: &str,
    firmware: Option<&Path>,
) -> Result<Tally> {
    let mut command = tools.nextest(workspace);
    if let Some(folder) = firmware {
        command.env(firmware::FOLDER_VARIABLE, folder);
    }
    command.args([
        "run",
        "--locked",
        "--workspace",
        "--no-fail-fast",
        "-E",
        filter,
    ]);
    tests(&mut command)
}

#[cfg(test)]
mod tests_of_choice {
    //! Which steps a command line picks.
    use super::*;

    fn names(arguments: &[&str]) -> Result<Vec<&'static str>> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        Ok(choose(&arguments)?.iter().map(|step| step.name).collect())
    }

    #[test]
    fn all_steps_run_unless_some_are_named() {
        assert_eq!(names(&[]).unwrap().len(), STEPS.len());
        assert_eq!(
            names(&["--only", "tidy", "--only", "fmt"]).unwrap(),
            ["fmt", "tidy"]
        );
        assert_eq!(names(&["--only", "unit,e2e"]).unwrap(), ["unit", "e2e"]);
    }

    #[test]
    fn unknown_words_are_refused() {
        assert!(names(&["--only", "everything"]).is_err());
        assert!(names(&["--only"]).is_err());
        assert!(names(&["unit"]).is_err());
    }
}
