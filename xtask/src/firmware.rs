//! The chore `firmware`: builds the example firmware of each class and holds it to its budget.
//!
//! Nothing is estimated that can be measured: flash is what the linker put into the image
//! (`arm-none-eabi-size -A`), RAM is the static data and the deepest stack of the firmware at work
//! in QEMU, instructions are counted there by SysTick. The milliseconds are an estimate, see
//! [`CYCLES_PER_INSTRUCTION`]. The budgets are for a device with its key from the factory; what
//! pairing over the line adds to its flash is told beside. It leaves out silicon.

mod emulator;

use crate::process;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use emulator::{Emulator, Pace};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

/// Where the tests of the drivers find the built firmware.
pub const FOLDER_VARIABLE: &str = "FOGWARD_FIRMWARE";

/// A Cortex-M3 takes one cycle for most instructions, two for a load, up to seven for a long
/// multiplication, and refills its pipeline at a taken branch. The mixes measured so far came to 1.6
/// to 2.4; this is the worst of them, without wait states of the flash.
const CYCLES_PER_INSTRUCTION: f64 = 2.4;
/// The frequency for which the milliseconds are given.
const HERTZ: f64 = 48e6;
/// SysTick ticks each 80 ns of virtual time, an instruction takes 1 ns of it.
const INSTRUCTIONS_PER_TICK: u64 = 80;
/// Where the RAM begins, and what of it is the linker's (`memory.x`).
const RAM: std::ops::Range<usize> = 0x2000_0000..0x2000_F800;
/// What the RAM is filled with before the start.
const PAINT: u8 = 0xcc;
/// Frames to hear before the stack is looked at: a Hello, and readings with and without a clock.
const FRAMES: usize = 12;
/// After so many of them, the device is spoken to.
const SPOKEN_TO_AFTER: usize = 4;
const PATIENCE: Duration = Duration::from_secs(60);

/// A class, its budget, and a frame that its example device takes.
struct Class {
    name: &'static str,
    flash_bytes: usize,
    ram_bytes: usize,
    auth_ms: f64,
    /// Heading of a vector in `docs/level0-protocol.md`, whose keys the examples have.
    hears: Option<&'static str>,
}

const CLASSES: [Class; 3] = [
    Class {
        name: "ultra-light",
        flash_bytes: 4_096,
        ram_bytes: 256,
        auth_ms: 1.0,
        hears: None,
    },
    Class {
        name: "low-cost",
        flash_bytes: 4_096,
        ram_bytes: 2_048,
        auth_ms: 1.0,
        hears: Some("Vector 7: Ack, low-cost"),
    },
    Class {
        name: "signing",
        flash_bytes: 20_480,
        ram_bytes: 8_192,
        auth_ms: 100.0,
        hears: Some("Vector 9: Ack, signing"),
    },
];

/// What one class takes.
#[derive(Debug, Clone, Copy)]
struct Measured {
    flash_bytes: usize,
    ram_bytes: usize,
    auth_instructions: u64,
}

impl Measured {
    fn auth_ms(&self) -> f64 {
        self.auth_instructions as f64 * CYCLES_PER_INSTRUCTION / HERTZ * 1_000.0
    }
}

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
        let heard = class
            .hears
            .map(|name| vector(&document, name))
            .transpose()?;
        let measured = measure(&folder, class, heard.as_deref())
            .with_context(|| format!("cannot measure the class {}", class.name))?;
        excesses.extend(exceeded(class, &measured));
        let with_pairing = sections(&folder.join(format!("pairing-{}", class.name)))?;
        rows.push(json!({
            "class": class.name,
            "flash_bytes_with_pairing": with_pairing.flash_bytes,
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

fn measure(folder: &Path, class: &Class, heard: Option<&[u8]>) -> Result<Measured> {
    let image = folder.join(class.name);
    let sections = sections(&image)?;
    let stack_bytes = stack(&image, &sections, heard)?;
    let counter = folder.join(format!("measure-{}", class.name));
    Ok(Measured {
        flash_bytes: sections.flash_bytes,
        ram_bytes: sections.static_bytes + stack_bytes,
        auth_instructions: instructions(&counter)?,
    })
}

/// Each part of the budget that is exceeded, in words.
fn exceeded(class: &Class, measured: &Measured) -> Vec<String> {
    let mut found = Vec::new();
    let mut hold = |what: &str, is: f64, most: f64| {
        if is > most {
            let class = class.name;
            found.push(format!("{class}: {what}, {is} of {most} at most"));
        }
    };
    hold(
        "bytes of flash",
        measured.flash_bytes as f64,
        class.flash_bytes as f64,
    );
    hold(
        "bytes of RAM",
        measured.ram_bytes as f64,
        class.ram_bytes as f64,
    );
    hold(
        "ms for a proof at 48 MHz",
        measured.auth_ms(),
        class.auth_ms,
    );
    found
}

fn sections(image: &Path) -> Result<Sections> {
    let listing = process::output(Command::new("arm-none-eabi-size").arg("-A").arg(image))?;
    Sections::read(&listing)
}

/// What the linker made.
#[derive(Debug, PartialEq, Eq)]
struct Sections {
    /// Vectors, code, constants, and what the static data begins as.
    flash_bytes: usize,
    /// Static data.
    static_bytes: usize,
}

impl Sections {
    /// Reads the listing of `arm-none-eabi-size -A`. A section with an address counts, wherever it
    /// lies, so a new one is never overlooked.
    fn read(listing: &str) -> Result<Sections> {
        let mut sections = Sections {
            flash_bytes: 0,
            static_bytes: 0,
        };
        let mut seen = 0;
        for line in listing.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [name, size, address] = words.as_slice() else {
                continue;
            };
            let (Ok(size), Ok(address)) = (size.parse::<usize>(), address.parse::<usize>()) else {
                continue;
            };
            let is_note = name.starts_with(".comment")
                || name.starts_with(".debug")
                || name.starts_with(".ARM.attributes");
            if is_note {
                continue;
            }
            seen += 1;
            if RAM.contains(&address) {
                sections.static_bytes += size;
                // Data that begins as something other than zero lies in flash, too.
                if *name == ".data" {
                    sections.flash_bytes += size;
                }
            } else {
                sections.flash_bytes += size;
            }
        }
        if seen == 0 || sections.flash_bytes == 0 {
            bail!("arm-none-eabi-size listed no section");
        }
        Ok(sections)
    }
}

/// The deepest stack of a firmware that measures, sends and hears.
fn stack(image: &Path, sections: &Sections, heard: Option<&[u8]>) -> Result<usize> {
    let painted = RAM.start + sections.static_bytes.next_multiple_of(16)..RAM.end;
    let paint = (painted.start, vec![PAINT; painted.len()]);
    let mut emulator = Emulator::start(image, Pace::RealTime, Some(&paint))?;
    let frames = |bytes: &[u8]| {
        bytes
            .split(|byte| *byte == 0)
            .filter(|run| !run.is_empty())
            .count()
    };
    emulator.hear_until(PATIENCE, |bytes| frames(bytes) >= SPOKEN_TO_AFTER)?;
    if let Some(heard) = heard {
        emulator.say(heard)?;
    }
    emulator.hear_until(PATIENCE, |bytes| frames(bytes) >= FRAMES)?;
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
    const COLUMNS: [&str; 9] = [
        "class",
        "flash_bytes",
        "flash_budget_bytes",
        "ram_bytes",
        "ram_budget_bytes",
        "auth_instructions",
        "auth_ms_at_48mhz",
        "auth_budget_ms",
        "flash_bytes_with_pairing",
    ];
    println!(
        "      class        flash B   most  RAM B   most  instructions     ms  most  flash B with pairing"
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
            pairing,
        ] = COLUMNS.map(|column| row[column].to_string().replace('"', ""));
        println!(
            "      {class:<12} {flash:>7} {most_flash:>6} {ram:>6} {most_ram:>6} {instructions:>13} {ms:>6} {most_ms:>5} {pairing:>21}"
        );
    }
}

#[cfg(test)]
mod tests {
    //! The sums and the bounds, on small listings and on one byte too many.
    use super::*;

    const LISTING: &str = "image  :\nsection   size  addr\n.vector_table  68  0\n.text  100  68\n\
        .rodata  10  168\n.data  4  536870912\n.bss  8  536870916\n.comment  139  0\nTotal  329\n";

    #[test]
    fn sections_are_added_up() {
        let sections = Sections::read(LISTING).unwrap();
        let expected = Sections {
            flash_bytes: 182,
            static_bytes: 12,
        };
        assert_eq!(sections, expected);
        assert!(Sections::read("no listing").is_err());
    }

    #[test]
    fn one_byte_too_many_is_named() {
        let class = &CLASSES[0];
        let just = Measured {
            flash_bytes: class.flash_bytes,
            ram_bytes: class.ram_bytes,
            auth_instructions: 20_000,
        };
        assert_eq!(exceeded(class, &just), Vec::<String>::new());
        for (over, word) in [
            (
                Measured {
                    flash_bytes: class.flash_bytes + 1,
                    ..just
                },
                "flash",
            ),
            (
                Measured {
                    ram_bytes: class.ram_bytes + 1,
                    ..just
                },
                "RAM",
            ),
            (
                Measured {
                    auth_instructions: 20_001,
                    ..just
                },
                "proof",
            ),
        ] {
            let found = exceeded(class, &over);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].starts_with("ultra-light") && found[0].contains(word));
        }
    }

    #[test]
    fn a_vector_is_found_by_its_heading() {
        let document = "### Vector 1: A\n\nwords\n\n```text\n00 0b ff\n```\n### Vector 2: B\n";
        assert_eq!(vector(document, "Vector 1: A").unwrap(), [0, 0x0b, 0xff]);
        assert!(vector(document, "Vector 2: B").is_err());
        assert!(vector(document, "Vector 3").is_err());
    }
}
