//! For tests: the real BlueZ with virtual sensors around it, and no radio.
//!
//! ```text
//!  test ──D-Bus, a Unix socket──▶ stage.py ──127.0.0.1──▶ QEMU guest: dbus-daemon, bluetoothd,
//!    └────requests, one a line──▶    │  ▲                  Linux's own Bluetooth host stack
//!                                    │  └─ HCI, a virtual serial console ─┘
//!                                    └ controllers and sensors (bumble), one simulated link
//! ```
//!
//! [`Rig::start`] boots the guest and answers with the address of its system bus. The sensors
//! pair, measure, drop and forget when they are told to. The stage ends with its standard input,
//! and the guest with the stage, so nothing outlives the test, however it ends.
//!
//! It needs Debian on x86-64 and the packages that `cargo xtask test` installs. What it makes of
//! them (a kernel's files, an initramfs, a Python environment) is kept beside cargo's output and made
//! again when a recipe changes. It leaves out real radio: ranges, interference, and timing.

mod sensor;
mod stock;

pub use sensor::{Sensor, SensorState};

use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use stock::Stock;

/// Longer than a guest on a busy machine of two cores takes to boot.
const BOOT_AT_MOST: Duration = Duration::from_secs(120);
/// The stage answers within 15 s, or says that it could not.
const ANSWER_AT_MOST: Duration = Duration::from_secs(20);
const END_AT_MOST: Duration = Duration::from_secs(5);
const LINES_SHOWN: usize = 40;

/// Why there is no rig, or why it did not do as told.
#[derive(Debug, thiserror::Error)]
pub enum RigError {
    /// A file or a program was not to be had.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// The system's answer.
        error: std::io::Error,
    },
    /// A program that prepares the rig failed.
    #[error("`{program}` failed: {output}")]
    Program {
        /// Its name.
        program: String,
        /// What it printed.
        output: String,
    },
    /// The machine lacks what the rig is made of.
    #[error("the rig cannot be built here: {0}")]
    Unsuited(String),
    /// The guest ended; the last lines of its console.
    #[error("the guest ended:\n{0}")]
    GuestEnded(String),
    /// The stage ended; the last lines of its errors.
    #[error("the stage ended:\n{0}")]
    StageEnded(String),
    /// No answer in time.
    #[error("no answer within {0:?}")]
    Silent(Duration),
    /// The stage could not do what it was asked.
    #[error("the stage says: {0}")]
    Refused(String),
}

pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> RigError {
    let what = what.into();
    move |error| RigError::Io { what, error }
}

/// A running guest and its sensors. Dropping it ends them.
#[derive(Debug)]
pub struct Rig {
    stage: Child,
    line: Mutex<Line>,
    bus: PathBuf,
    boot: Duration,
    _folder: tempfile::TempDir,
}

#[derive(Debug)]
struct Line {
    requests: Option<ChildStdin>,
    answers: Receiver<Value>,
    log: PathBuf,
}

impl Rig {
    /// Prepares what is missing, boots the guest, and waits until its adapter is on.
    ///
    /// # Errors
    /// If the machine lacks a package, a preparation fails, or the guest does not come up; the
    /// error carries the end of the guest's console.
    pub fn start() -> Result<Rig, RigError> {
        let stock = Stock::prepare()?;
        let begun = Instant::now();
        let folder = tempfile::tempdir().map_err(io("a temporary folder"))?;
        let hci = folder.path().join("hci");
        let bus = folder.path().join("bus");
        let port = free_port()?;
        let log = folder.path().join("log");
        let errors = std::fs::File::create(&log).map_err(io("the stage's log"))?;
        let mut command = Command::new(stock.python());
        command
            .args(["-B", "-u"])
            .arg(stock.stage())
            .args([&hci, &bus])
            .arg(port.to_string())
            .args(stock.guest(&hci, port, &user()?));
        let mut stage = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .map_err(io("cannot start the stage"))?;
        let (sender, answers) = channel();
        if let Some(output) = stage.stdout.take() {
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    let said = serde_json::from_str(&line).unwrap_or(Value::String(line));
                    if sender.send(said).is_err() {
                        break;
                    }
                }
            });
        }
        let mut rig = Rig {
            line: Mutex::new(Line {
                requests: stage.stdin.take(),
                answers,
                log,
            }),
            stage,
            bus,
            boot: Duration::ZERO,
            _folder: folder,
        };
        rig.line
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .hear(BOOT_AT_MOST)?;
        rig.boot = begun.elapsed();
        Ok(rig)
    }

    /// The guest's system bus, in the form of `DBUS_SYSTEM_BUS_ADDRESS`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("unix:path={}", self.bus.display())
    }

    /// How long it took from the start of the guest until its adapter was on.
    #[must_use]
    pub const fn boot(&self) -> Duration {
        self.boot
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn ask(&self, request: &Value) -> Result<Value, RigError> {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        let requests = line.requests.as_mut();
        let requests = requests.ok_or(RigError::Silent(Duration::ZERO))?;
        writeln!(requests, "{request}").map_err(io("the stage is gone"))?;
        line.hear(ANSWER_AT_MOST)
    }
}

impl Line {
    fn hear(&mut self, at_most: Duration) -> Result<Value, RigError> {
        let mut said = match self.answers.recv_timeout(at_most) {
            Ok(said) => said,
            Err(RecvTimeoutError::Timeout) => return Err(RigError::Silent(at_most)),
            Err(RecvTimeoutError::Disconnected) => {
                let log = std::fs::read_to_string(&self.log).unwrap_or_default();
                let lines: Vec<&str> = log.lines().rev().take(LINES_SHOWN).collect();
                let end = lines.into_iter().rev().collect::<Vec<_>>().join("\n");
                return Err(RigError::StageEnded(end));
            }
        };
        if let Some(console) = said["ended"].as_str() {
            return Err(RigError::GuestEnded(console.to_owned()));
        }
        if let Some(error) = said["error"].as_str() {
            return Err(RigError::Refused(error.to_owned()));
        }
        Ok(said["ok"].take())
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        let line = self.line.get_mut().unwrap_or_else(PoisonError::into_inner);
        line.requests = None;
        let until = Instant::now() + END_AT_MOST;
        while Instant::now() < until {
            if matches!(self.stage.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.stage.kill();
        let _ = self.stage.wait();
    }
}

/// A port that was free a moment ago.
fn free_port() -> Result<u16, RigError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(io("no free port"))
}

/// The user id that this program's D-Bus clients will name.
fn user() -> Result<String, RigError> {
    Ok(stock::run(Command::new("id").arg("-u"))?.trim().to_owned())
}
