//! The built program `fogward`, run as a shell or a service supervisor runs it.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// How long a node may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(30);

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fogward"));
    command
        .stdin(Stdio::null())
        .env_remove("FOGWARD_API")
        .env_remove("FOGWARD_AS")
        .env_remove("FOGWARD_PASSPHRASE")
        .env_remove("FOGWARD_KEYS_PASSPHRASE_FILE")
        .env("FOGWARD_LOG", "warn");
    command
}

/// Runs `fogward` to its end.
pub(crate) fn fogward<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Output {
    command().args(arguments).output().unwrap()
}

/// The same, with these variables; the exit code, what was printed, and what was complained about.
pub(crate) fn fogward_in(variables: &[(&str, &str)], arguments: &[&str]) -> (i32, Value, String) {
    let mut command = command();
    command.envs(variables.iter().copied());
    let output = command.args(arguments).output().unwrap();
    let said = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code().unwrap(), said, text(&output.stderr))
}

/// The same, with the user's sessions in this folder.
pub(crate) fn fogward_signed<A: AsRef<OsStr>>(
    state: &Path,
    arguments: impl IntoIterator<Item = A>,
) -> Output {
    let mut command = command();
    command.env("XDG_STATE_HOME", state).args(arguments);
    command.output().unwrap()
}

/// The exit code and the JSON value printed.
pub(crate) fn json<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> (i32, Value) {
    let output = fogward(arguments);
    let value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {}{}", text(&output.stdout), text(&output.stderr))
    });
    (output.status.code().unwrap(), value)
}

/// The JSON value printed by a command that must do what it is asked.
pub(crate) fn ask(arguments: &[&str]) -> Value {
    let (code, answer) = json(arguments.iter().copied().chain(["--json"]));
    assert_eq!(code, 0, "{arguments:?}: {answer}");
    answer
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A command that prints one JSON value a line, as it comes; killed when dropped.
pub(crate) struct Printing {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Printing {
    /// Starts `fogward` with the user's sessions in this folder.
    pub(crate) fn start<A: AsRef<OsStr>>(
        state: &Path,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        let mut command = command();
        command.env("XDG_STATE_HOME", state).args(arguments);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = child.spawn().unwrap();
        let lines = lines_of(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// The next value; none once there are no more.
    pub(crate) fn next(&self) -> Option<Value> {
        match self.lines.recv_timeout(3 * PATIENCE) {
            Ok(line) => Some(serde_json::from_str(&line).unwrap()),
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("nothing more was printed"),
        }
    }

    /// The exit code of what has printed all, and its complaint.
    pub(crate) fn ended(mut self) -> (i32, String) {
        let mut complaint = String::new();
        let mut said = self.child.stderr.take().unwrap();
        said.read_to_string(&mut complaint).unwrap();
        (self.child.wait().unwrap().code().unwrap(), complaint)
    }
}

impl Drop for Printing {
    fn drop(&mut self) {
        // Gone already, most of the time.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of an output, as they come.
fn lines_of(output: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            // The test may be over.
            let _ = sender.send(line);
        }
    });
    lines
}

/// A node in a process of its own; killed when dropped.
pub(crate) struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Running {
    /// Starts `fogward run` on a free port; does not wait until it is ready.
    pub(crate) fn start(data: &Path, arguments: &[String]) -> Self {
        Self::spawn(command(), data, arguments)
    }

    /// The same, with a system bus at this address.
    pub(crate) fn start_on_bus(data: &Path, arguments: &[String], bus: &str) -> Self {
        Self::start_in(&[("DBUS_SYSTEM_BUS_ADDRESS", bus)], data, arguments)
    }

    /// The same, with these variables.
    pub(crate) fn start_in(variables: &[(&str, &str)], data: &Path, arguments: &[String]) -> Self {
        let mut command = command();
        command.envs(variables.iter().copied());
        Self::spawn(command, data, arguments)
    }

    fn spawn(mut command: Command, data: &Path, arguments: &[String]) -> Self {
        let mut child = command
            .args(["run", "--api", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = lines_of(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// What the node prints when it is ready.
    pub(crate) fn ready(&self) -> Value {
        let line = self
            .lines
            .recv_timeout(PATIENCE)
            .expect("the node gets ready");
        serde_json::from_str(&line).unwrap()
    }

    /// The address it prints when it is ready.
    pub(crate) fn address(&self) -> String {
        self.ready()["api"].as_str().unwrap().to_owned()
    }

    /// Asks it to end, as a service supervisor does, and waits.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(since.elapsed() < PATIENCE, "the node does not stop");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends it at once, as a power cut does (`kill -9`).
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Gone already, most of the time.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again and again until `answer` is there.
pub(crate) fn wait_for<T>(what: &str, mut answer: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(answer) = answer() {
            return answer;
        }
        assert!(since.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}
