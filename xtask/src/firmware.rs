//! The chore `firmware`: builds the example firmware of each class and holds it to its budget.
//!
//! Nothing is estimated that can be measured: flash is what the linker put into the image
//! (`arm-none-eabi-size -A`), RAM is the static data and the deepest stack of the firmware at work
//! in QEMU, instructions are counted there by SysTick. The milliseconds are an estimate, see
//! [`budget`]. The budgets are for a device with its key from the factory; what
//! pairing over the line adds is told beside. It leaves out silicon.

mod budget;
mod emulator;

use crate::process;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use budget::{CLASSES, Measured, RAM, Sections, exceeded};
use emulator::{Emulator, Pace};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

/// Where the tests of the drivers find the built firmware.
pub const FOLDER_VARIABLE: &str = "FOGWARD_FIRMWARE";

/// SysTick ticks each 80 ns of virtual time, an instruction takes 1 ns of it.
const INSTRUCTIONS_PER_TICK: u64 = 80;
/// What the RAM is filled with before the start.
const PAINT: u8 = 0xcc;
/// Frames to hear before each one that is told.
const FRAMES_BEFORE: usize = 3;
/// Frames to hear at last, before the stack is looked at.
const FRAMES_AFTER: usize = 6;
const PATIENCE: Duration = Duration::from_secs(60);

/// The chore: prints a table, or JSON, and fails if a budget is exceeded.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let as_json = match arguments {
        [] => false,
        [only] if only == "--json" => true,
        _ => bail!("`firmware` knows --json"),
    };
    crate::system::prepare_firmware()?;
    let workspace = Workspace::find()?;
    let (report, excesses) = measure_all(&workspace)?;
    if as_json {
        println!("{report:#}");
    } else {
        print_table(&report);
    }
    for excess in &excesses {
        eprintln!("{excess}");
    }
    Ok(if excesses.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The budget test: whether every class keeps within its budget; prints what does not. Before it,
/// what the root's workspace is checked for, because the firmware is no member of it.
pub fn check(workspace: &Workspace) -> Result<bool> {
    process::run(cargo(workspace, &["fmt", "--check"]).args(["--", "--quiet"]))?;
    for class in &CLASSES {
        for features in [class.name.to_owned(), format!("{},pairing", class.name)] {
            let mut clippy = cargo(workspace, &["clippy", "--locked", "--quiet", "--release"]);
            clippy.args(["--bin", class.name, "--bin", "measure", "--features"]);
            process::run(clippy.args([&features, "--", "-D", "warnings"]))?;
        }
    }
    let (report, excesses) = measure_all(workspace)?;
    print_table(&report);
    for excess in &excesses {
        println!("      {excess}");
    }
    Ok(excesses.is_empty())
}

/// The folder with the firmware of each class, built; for the tests of the drivers.
pub fn build_all(workspace: &Workspace) -> Result<PathBuf> {
    let folder = target(workspace).join("images");
    std::fs::create_dir_all(&folder)?;
    for class in &CLASSES {
        let name = class.name;
        for (program, features, image) in [
            (name, name.to_owned(), name.to_owned()),
            (name, format!("{name},pairing"), format!("pairing-{name}")),
            ("measure", name.to_owned(), format!("measure-{name}")),
        ] {
            let built = build(workspace, program, &features)?;
            std::fs::copy(&built, folder.join(image))?;
        }
    }
    Ok(folder)
}

fn build(workspace: &Workspace, program: &str, features: &str) -> Result<PathBuf> {
    let arguments = ["build", "--locked", "--quiet", "--release", "--bin"];
    let mut command = cargo(workspace, &arguments);
    process::run(command.args([program, "--features", features]))?;
    let release = target(workspace).join("thumbv7m-none-eabi/release");
    Ok(release.join(program))
}

fn target(workspace: &Workspace) -> PathBuf {
    workspace.target.join("firmware")
}

/// A cargo command that runs in the firmware's workspace.
fn cargo(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = workspace.cargo(arguments);
    command
        .current_dir(workspace.root.join("device-drivers/firmware"))
        .env("CARGO_TARGET_DIR", target(workspace))
        // Flags from outside would replace those that the firmware is linked with.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    command
}

fn measure_all(workspace: &Workspace) -> Result<(Value, Vec<String>)> {
    let folder = build_all(workspace)?;
    let document = std::fs::read_to_string(workspace.root.join("docs/level0-protocol.md"))?;
    let mut rows = Vec::new();
    let mut excesses = Vec::new();
    for class in &CLASSES {
        let read = |name: &&str| vector(&document, name);
        let ack: Vec<_> = class.ack.iter().map(read).collect::<Result<_>>()?;
        let key = vector(&document, class.key)?;
        let key_and_ack: Vec<_> = [key].into_iter().chain(ack.clone()).collect();
        let why = || format!("cannot measure the class {}", class.name);
        let image = |kind: &str| folder.join(format!("{kind}{}", class.name));
        let (flash_bytes, ram_bytes) = memory(&image(""), &ack).with_context(why)?;
        let paired = memory(&image("pairing-"), &key_and_ack).with_context(why)?;
        let measured = Measured {
            flash_bytes,
            ram_bytes,
            auth_instructions: instructions(&image("measure-")).with_context(why)?,
        };
        excesses.extend(exceeded(class, &measured));
        rows.push(json!({
            "class": class.name,
            "flash_bytes_with_pairing": paired.0,
            "ram_bytes_with_pairing": paired.1,
            "flash_bytes": measured.flash_bytes,
            "flash_budget_bytes": class.flash_bytes,
            "ram_bytes": measured.ram_bytes,
            "ram_budget_bytes": class.ram_bytes,
            "auth_instructions": measured.auth_instructions,
            "auth_ms_at_48mhz": (measured.auth_ms() * 1_000.0).round() / 1_000.0,
            "auth_budget_ms": class.auth_ms,
        }));
    }
    Ok((Value::Array(rows), excesses))
}

/// Bytes of flash of an image, and of RAM while it measures, sends and hears `told`.
fn memory(image: &Path, told: &[Vec<u8>]) -> Result<(usize, usize)> {
    let listing = process::output(Command::new("arm-none-eabi-size").arg("-A").arg(image))?;
    let sections = Sections::read(&listing)?;
    let stack_bytes = stack(image, &sections, told)?;
    Ok((sections.flash_bytes, sections.static_bytes + stack_bytes))
}

/// The deepest stack.
fn stack(image: &Path, sections: &Sections, told: &[Vec<u8>]) -> Result<usize> {
    let painted = RAM.start + sections.static_bytes.next_multiple_of(16)..RAM.end;
    let paint = (painted.start, vec![PAINT; painted.len()]);
    let mut emulator = Emulator::start(image, Pace::RealTime, Some(&paint))?;
    let frames = |bytes: &[u8]| {
        let runs = bytes.split(|byte| *byte == 0);
        runs.filter(|run| !run.is_empty()).count()
    };
    let mut wanted = FRAMES_BEFORE;
    for frame in told {
        emulator.hear_until(PATIENCE, |bytes| frames(bytes) >= wanted)?;
        emulator.say(frame)?;
        wanted += FRAMES_BEFORE;
    }
    wanted += FRAMES_AFTER;
    emulator.hear_until(PATIENCE, |bytes| frames(bytes) >= wanted)?;
    let memory = emulator.memory(painted.start, painted.len())?;
    let untouched = memory.iter().take_while(|byte| **byte == PAINT).count();
    if untouched == 0 || untouched == memory.len() {
        bail!("the stack cannot be told from the paint");
    }
    Ok(memory.len() - untouched)
}

/// Instructions of one proof, without those of the loop around it.
fn instructions(image: &Path) -> Result<u64> {
    let mut emulator = Emulator::start(image, Pace::OneInstructionPerNano, None)?;
    let is_over = |bytes: &[u8]| bytes.ends_with(b"end\n");
    let text = String::from_utf8(emulator.hear_until(PATIENCE, is_over)?)?;
    let ticks = |name: &str| -> Result<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let digits = line.with_context(|| format!("no line `{name}` in {text:?}"))?;
        Ok(digits.trim().parse()?)
    };
    let (proof, none) = (ticks("proof")?, ticks("none")?);
    let ticks = proof.checked_sub(none).filter(|ticks| *ticks > 0);
    let ticks = ticks.context("a proof took no time")?;
    Ok(ticks * INSTRUCTIONS_PER_TICK)
}

/// The bytes of a vector of the protocol's document.
fn vector(document: &str, name: &str) -> Result<Vec<u8>> {
    let section = document.split(&format!("### {name}\n")).nth(1);
    let block = section.and_then(|section| section.split("```").nth(1));
    let block = block.with_context(|| format!("docs/level0-protocol.md has no {name}"))?;
    block
        .split_whitespace()
        .filter(|word| *word != "text")
        .map(|word| u8::from_str_radix(word, 16).context("not a byte"))
        .collect()
}

fn print_table(report: &Value) {
    const COLUMNS: [&str; 10] = [
        "class",
        "flash_bytes",
        "flash_budget_bytes",
        "ram_bytes",
        "ram_budget_bytes",
        "auth_instructions",
        "auth_ms_at_48mhz",
        "auth_budget_ms",
        "flash_bytes_with_pairing",
        "ram_bytes_with_pairing",
    ];
    println!(
        "      class        flash B   most  RAM B   most  instructions     ms  most  with pairing: flash B   RAM B"
    );
    for row in report.as_array().into_iter().flatten() {
        let [
            class,
            flash,
            most_flash,
            ram,
            most_ram,
            instructions,
            ms,
            most_ms,
            pairing_flash,
            pairing_ram,
        ] = COLUMNS.map(|column| row[column].to_string().replace('"', ""));
        println!(
            "      {class:<12} {flash:>7} {most_flash:>6} {ram:>6} {most_ram:>6} {instructions:>13} {ms:>6} {most_ms:>5} {pairing_flash:>22} {pairing_ram:>7}"
        );
    }
}

#[cfg(test)]
mod tests {
    //! Where the vectors are found.
    use super::*;

    #[test]
    fn a_vector_is_found_by_its_heading() {
        let document = "### Vector 1: A\n\nwords\n\n```text\n00 0b ff\n```\n### Vector 2: B\n";
        assert_eq!(vector(document, "Vector 1: A").unwrap(), [0, 0x0b, 0xff]);
        assert!(vector(document, "Vector 2: B").is_err());
        assert!(vector(document, "Vector 3").is_err());
    }
}
