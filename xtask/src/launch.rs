//! The chore `run`: set up, build for release, start the console.
//!
//! Where there is a display it starts the desktop console, elsewhere the
//! headless node, which prints the address of the same console. The program
//! takes this process's place, so signals and the exit code are its own.

use crate::bundle;
use crate::process;
use crate::progress::Progress;
use crate::system::{self, Purpose};
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Sets everything up, builds, and becomes the console or the node.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let mut progress = Progress::new(4);
    progress.step("Checking the system", || system::prepare(Purpose::Run))?;
    progress.step(
        "Building the console's wasm (about 4 min the first time)",
        || bundle::build(&workspace),
    )?;
    progress.step(
        "Building the node and the desktop shell (about 10 min the first time)",
        || {
            process::run(&mut workspace.cargo(&[
                "build",
                "--locked",
                "--release",
                "--package",
                "fog-node",
                "--package",
                "fogward-console",
                "--bins",
            ]))
        },
    )?;
    let display = has_display();
    let mut command = program(&workspace, display, arguments)?;
    progress.step(&format!("Starting {}", process::line(&command)), || {
        if !display {
            println!(
                "      There is no display, so this is the node without a screen. Open the address that\n      \
                 follows as \"api\" in a browser on this machine: it shows the same console. Ctrl-C stops."
            );
        }
    });
    become_program(&mut command)
}

fn has_display() -> bool {
    !cfg!(target_os = "linux")
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

fn program(workspace: &Workspace, display: bool, arguments: &[String]) -> Result<Command> {
    let passed: Vec<&String> = match arguments.split_first() {
        Some((first, rest)) if first == "--" => rest.iter().collect(),
        _ => arguments.iter().collect(),
    };
    let folder = workspace.target.join("release");
    let mut command = if display {
        let mut console = Command::new(folder.join("fogward-console"));
        if cfg!(target_os = "linux") && !Path::new("/dev/dri").exists() {
            // Without a graphics card WebKit's buffer sharing copies every frame: a tenth of the frames.
            console.env("WEBKIT_DISABLE_DMABUF_RENDERER", "1");
        }
        console
    } else {
        let mut headless = Command::new(folder.join("fogward"));
        headless.arg("run");
        headless
    };
    let names_data = |argument: &&String| *argument == "--data" || argument.starts_with("--data=");
    if !passed.iter().any(names_data) {
        command.arg("--data").arg(data_folder()?);
    }
    command.args(passed);
    Ok(command)
}

/// The user's data folder, as the XDG base directory specification has it.
pub(crate) fn data_folder() -> Result<PathBuf> {
    let given = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let base = match given.filter(|path| path.is_absolute()) {
        Some(path) => path,
        None => PathBuf::from(
            std::env::var_os("HOME")
                .or_else(|| std::env::var_os("USERPROFILE"))
                .context("there is no home folder; please name one with --data")?,
        )
        .join(".local/share"),
    };
    Ok(base.join("fogward"))
}

#[cfg(unix)]
fn become_program(command: &mut Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(error).with_context(|| format!("cannot start `{}`", process::line(command)))
}

#[cfg(not(unix))]
fn become_program(command: &mut Command) -> Result<ExitCode> {
    process::run(command)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    //! Which program starts, with which arguments.
    use super::*;

    fn started(display: bool, arguments: &[&str]) -> String {
        let workspace = Workspace {
            root: "/checkout".into(),
            target: "/checkout/target".into(),
        };
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        process::line(&program(&workspace, display, &arguments).unwrap())
    }

    #[test]
    fn the_display_decides_and_arguments_pass_through() {
        assert_eq!(
            started(true, &["--", "--demo", "--data", "here"]),
            "/checkout/target/release/fogward-console --demo --data here"
        );
        assert_eq!(
            started(false, &["--demo=3", "--data=here"]),
            "/checkout/target/release/fogward run --demo=3 --data=here"
        );
    }

    #[test]
    fn a_data_folder_is_named_when_the_caller_names_none() {
        let line = started(false, &["--demo"]);
        assert!(line.contains("run --data "), "{line}");
        assert!(line.ends_with("fogward --demo"), "{line}");
    }
}
