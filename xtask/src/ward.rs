//! The chore `ward`: the long run of `fog-node/tests/it/moving_ward`, half an hour with 100 sensors unless asked
//! otherwise. The same test runs short among all others; here it has no time limit, and prints what it counted.

use crate::process;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use std::process::ExitCode;

const SECONDS: u32 = 1_800;
const SENSORS: u32 = 100;

/// The chore: fails if a reading has no fate, or two.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let (seconds, sensors) = parse(arguments)?;
    let test = ["test", "--locked", "-p", "fog-node", "--test", "it"];
    let mut command = Workspace::find()?.cargo(&test);
    command
        .args(["moving_ward", "--", "--nocapture"])
        .env("FOGWARD_WARD_SECONDS", seconds.to_string())
        .env("FOGWARD_WARD_SENSORS", sensors.to_string());
    process::run(&mut command)?;
    Ok(ExitCode::SUCCESS)
}

fn parse(arguments: &[String]) -> Result<(u32, u32)> {
    let (mut seconds, mut sensors) = (SECONDS, SENSORS);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let option = match argument.as_str() {
            "--seconds" => &mut seconds,
            "--sensors" => &mut sensors,
            _ => bail!("`ward` knows --seconds N and --sensors N, not `{argument}`"),
        };
        let number = rest.next().and_then(|number| number.parse().ok());
        *option = number.with_context(|| format!("`{argument}` takes a number"))?;
    }
    Ok((seconds, sensors))
}
