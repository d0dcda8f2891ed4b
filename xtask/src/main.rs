//! Every chore of the project behind one command, `cargo xtask`.
//!
//! It exists so that a fresh machine needs two commands and no instructions:
//! `cargo xtask run` and `cargo xtask test` install what they need, say what
//! they do, and are fast the second time. It builds no product logic in: what
//! the product does lives in the other crates.
#![allow(
    clippy::print_stdout,
    reason = "a chore speaks to the person who started it"
)]

mod bundle;
mod checks;
mod firmware;
mod fuzz;
mod launch;
mod process;
mod progress;
mod system;
mod tally;
mod tidy;
mod tools;
mod town;
mod ward;
mod workspace;

use anyhow::{Result, bail};
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask COMMAND

  run [-- ARGS]        set everything up, build, and open the console; without a
                       display, start the same node headless and print its address.
                       ARGS go to the program: --demo[=N], --data DIR, --serial PATH=PROFILE
  consortium N [--data DIR]
                       build, start N joined headless nodes on this machine, print their
                       console addresses, stop them all upon Ctrl-C
  test [--only STEP]…  set everything up and run every check and test
  test --list          name the steps of `test`
  tidy                 only the rules about files and dependency edges
  firmware [--json]    build the example firmware of each device class, measure it in QEMU,
                       and fail if a budget is exceeded
  fuzz [--seconds N] [TARGET]…
                       feed the device codecs with what coverage finds, 60 s each
  ward [--seconds N] [--sensors N]
                       100 sensors that move between two nodes for half an hour: each reading
                       must have its fate
  bundle               only the console's wasm and assets, into ui/dist";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<ExitCode> {
    let Some((command, rest)) = arguments.split_first() else {
        println!("{USAGE}");
        return Ok(ExitCode::FAILURE);
    };
    match command.as_str() {
        "run" => launch::run(rest),
        "consortium" => town::run(rest),
        "test" => checks::test(rest),
        "tidy" => tidy::run(),
        "firmware" => firmware::run(rest),
        "fuzz" => fuzz::run(rest),
        "ward" => ward::run(rest),
        "bundle" => bundle::run(),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        other => bail!("there is no chore `{other}`\n\n{USAGE}"),
    }
}
