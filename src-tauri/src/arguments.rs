//! The command line of the desktop console: what `fogward run` takes, as far as a
//! window needs it.

use anyhow::Context as _;
use clap::Parser;
use fog_node::{NodeConfig, SerialDevice};
use std::path::PathBuf;
use tracing_subscriber::EnvFilter;

/// Fogward's console: a window, and a fog node in the same program.
#[derive(Debug, Parser)]
#[command(name = "fogward-console", version)]
pub struct Arguments {
    /// Folder that holds everything the node keeps; without it, `fogward` in the user's data folder.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Pair the serial sensor at PATH, which speaks PROFILE; nothing is done where it is paired already.
    #[arg(long, value_name = "PATH=PROFILE", value_parser = parse_serial)]
    serial: Vec<SerialDevice>,
    /// Add N simulated devices (6 without a number, at most 200) unless there are any.
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "6",
          value_parser = clap::value_parser!(u16).range(1..=200))]
    demo: Option<u16>,
}

impl Arguments {
    /// The node that the command line describes; `user_data` is where a user's data goes.
    pub fn config(self, user_data: Option<PathBuf>) -> anyhow::Result<NodeConfig> {
        let data_dir = self
            .data
            .or_else(|| Some(user_data?.join("fogward")))
            .context("there is no folder for the user's data; please name one with --data")?;
        Ok(NodeConfig {
            serial: self.serial,
            demo: self.demo,
            ..NodeConfig::new(data_dir)
        })
    }
}

/// What is logged: `FOGWARD_LOG`, or warnings and the node's own notes.
pub fn log_filter() -> EnvFilter {
    EnvFilter::try_from_env("FOGWARD_LOG")
        .unwrap_or_else(|_| EnvFilter::new("warn,fog_node=info,device_drivers=info"))
}

/// Splits at the last `=`, since a path may have one and a profile has none.
fn parse_serial(text: &str) -> anyhow::Result<SerialDevice> {
    let (path, profile) = text
        .rsplit_once('=')
        .filter(|(path, _)| !path.is_empty())
        .context("expected PATH=PROFILE")?;
    Ok(SerialDevice {
        path: path.into(),
        profile: profile.parse()?,
        key: None,
    })
}

#[cfg(test)]
mod tests {
    //! Command lines as the chores and a person write them.
    use super::*;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_flags_of_the_node_are_understood() {
        let plain = parse("fogward-console").unwrap();
        assert!(plain.data.is_none() && plain.demo.is_none());
        assert_eq!(parse("fogward-console --demo").unwrap().demo, Some(6));
        assert_eq!(parse("fogward-console --demo=9").unwrap().demo, Some(9));
        let serial = parse("fogward-console --data here --serial a=b=nonin-oem3").unwrap();
        assert_eq!(serial.serial[0].path, PathBuf::from("a=b"));
    }

    #[test]
    fn nonsense_is_refused() {
        for line in [
            "fogward-console --demo=0",
            "fogward-console --demo=201",
            "fogward-console --serial nonin-oem3",
            "fogward-console --serial =nonin-oem3",
            "fogward-console --serial a=no-such-profile",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
