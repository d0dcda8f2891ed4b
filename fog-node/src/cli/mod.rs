//! The command line `fogward`: the node as a service, questions to a running one, and offline checks.
//!
//! | Exit code | Meaning |
//! |---|---|
//! | 0 | yes: done, valid, clean |
//! | 1 | no: invalid, not clean, or the node refused what was asked |
//! | 2 | cannot tell: wrong use, no node there, or a file cannot be read |
//!
//! Answers go to standard output, as tables for people or with `--json` as one JSON value for programs;
//! errors and the log go to standard error. The names of commands, options and JSON keys are a contract.

mod access;
mod access_follow;
mod access_read;
mod archive;
mod ask;
mod audit;
mod backup;
mod check;
pub(crate) mod client;
mod consent;
mod consortium;
mod device;
mod device_bluetooth;
mod device_ledger;
mod device_provision;
mod device_roaming;
mod erase;
mod keys;
mod light;
pub(crate) mod output;
mod passphrase;
mod patient;
mod patient_team;
mod policy;
mod policy_history;
mod run;
mod selftest;
mod session;
mod simulate;
mod snapshot;
mod store;
mod table;
mod user;

pub(crate) use passphrase::first_line;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::bench;

/// Fogward: a fog node that seals what sensors measure and proves it on a consortium's ledger.
#[derive(Debug, Parser)]
#[command(name = "fogward", version, propagate_version = true)]
#[command(
    after_help = "Exit codes: 0 yes, 1 no, 2 cannot tell. Times are Unix milliseconds in JSON and \
                        UTC in tables; ages and durations are milliseconds. FOGWARD_LOG sets the log, \
                        such as FOGWARD_LOG=debug."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a node without a screen until SIGTERM or Ctrl-C.
    Run(run::Run),
    /// Sign in at a running node, or open a locked session.
    Login(session::Login),
    /// End a session.
    Logout(session::Logout),
    /// Register, list, change and revoke the people of a running node.
    User(user::User),
    /// Show a running node: height, tip, finality, devices, backlog, disk.
    Status(ask::Status),
    /// List a running node's devices and their gap ledgers.
    Devices(device::List),
    /// Pair, list, change and unpair devices.
    Device(device::Device),
    /// Write down patients, say what they wear, and list what was measured of them.
    Patient(patient::Patient),
    /// Erase all of a patient, or the readings of a device, for good.
    Erase(erase::Erase),
    /// List a device's newest readings and how far they are.
    Readings(ask::Readings),
    /// List the newest blocks.
    Blocks(ask::Blocks),
    /// Save the proof file of a final reading.
    Proof(ask::Proof),
    /// Save the genesis file that proofs are verified against.
    Genesis(ask::Genesis),
    /// Follow the chain from its genesis by headers alone, trusting no node.
    Light(light::Light),
    /// Verify a proof file or an audit bundle against a genesis file, a commissioning record, or a certificate of erasure,
    /// with no node and no network.
    Verify(check::Verify),
    /// Check everything a stopped node keeps: every root, signature, seal and counter.
    Fsck(check::Fsck),
    /// Delete old transactions of a stopped node's replica and give the space back to the disk.
    Prune(store::Prune),
    /// Save transactions as files before they are pruned, or put them back.
    Archive(archive::Archive),
    /// Save the state at the newest block as files, or start a node from them.
    Snapshot(snapshot::Snapshot),
    /// Seal the keys of a stopped node under a passphrase or in the system's keyring, or unseal them.
    Keys(keys::Keys),
    /// Save a whole node, stopped or running, as one sealed file.
    Backup(backup::Backup),
    /// Make a node's folder of a backup.
    Restore(backup::Restore),
    /// Found a consortium, invite, join, look, propose, vote.
    Consortium(consortium::Consortium),
    /// Say who may see which part of the organisation's data, and look what that means.
    Policy(policy::Policy),
    /// Ask for a part of somebody's data, and decide about such requests.
    Access(access::Access),
    /// Read the access log, or export a part of it that anybody can verify.
    Audit(audit::Audit),
    /// Simulate a consortium from seeds: everything goes wrong, and no invariant may break.
    Simulate(simulate::Simulate),
    /// Measure this machine with the real parts, in a temporary data folder.
    Bench(bench::Bench),
}

/// What a command found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Done, valid, clean.
    Yes,
    /// Invalid, not clean, refused.
    No,
    /// It could not be found out.
    CannotTell,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Yes => 0,
            Outcome::No => 1,
            Outcome::CannotTell => 2,
        })
    }
}

/// The tree of commands, as the process's arguments are read.
#[must_use]
pub fn command() -> clap::Command {
    <Arguments as clap::CommandFactory>::command()
}

/// Runs the command that the process's arguments name.
#[must_use]
pub fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Run(run) => run.run(),
        Command::Login(login) => login.run(),
        Command::Logout(logout) => logout.run(),
        Command::User(user) => user.run(),
        Command::Status(ask) => ask.run(),
        Command::Devices(list) => list.run(),
        Command::Device(device) => device.run(),
        Command::Patient(patient) => patient.run(),
        Command::Erase(erase) => erase.run(),
        Command::Readings(ask) => ask.run(),
        Command::Blocks(ask) => ask.run(),
        Command::Proof(ask) => ask.run(),
        Command::Genesis(ask) => ask.run(),
        Command::Light(light) => light.run(),
        Command::Verify(verify) => verify.run(),
        Command::Fsck(fsck) => fsck.run(),
        Command::Prune(prune) => prune.run(),
        Command::Archive(archive) => archive.run(),
        Command::Snapshot(snapshot) => snapshot.run(),
        Command::Keys(keys) => keys.run(),
        Command::Backup(backup) => backup.run(),
        Command::Restore(restore) => restore.run(),
        Command::Consortium(consortium) => consortium.run(),
        Command::Policy(policy) => policy.run(),
        Command::Access(access) => access.run(),
        Command::Audit(audit) => audit.run(),
        Command::Simulate(simulate) => simulate.run(),
        Command::Bench(bench) => bench.run(),
    };
    let outcome = done.unwrap_or_else(|error| {
        output::complain(&error);
        match error.downcast_ref::<client::Refused>() {
            Some(refused) if refused.is_answer() => Outcome::No,
            _ => Outcome::CannotTell,
        }
    });
    outcome.into()
}

#[cfg(test)]
mod tests {
    //! Goal: the command line is one clap accepts. Method: clap's own check.

    #[test]
    fn the_arguments_are_consistent() {
        super::command().debug_assert();
    }
}
