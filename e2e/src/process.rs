//! Programs that live as long as the value that started them.
//!
//! Drivers start browsers, and browsers start helpers: dropping a [`Program`] ends
//! it and everything below it, so that a failed test leaves nothing behind.

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How long a program may take to end after it was asked to.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running program and its descendants.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
}

impl Program {
    /// Starts a program without input; what it says goes to the test's own output.
    pub fn start(command: &mut Command) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self { name, child })
    }

    /// Starts a program and waits for the first line that it prints.
    pub fn start_and_read(command: &mut Command, patience: Duration) -> Result<(Self, String)> {
        let mut program = Self::start(command.stdout(Stdio::piped()))?;
        let output = program
            .child
            .stdout
            .take()
            .context("the program has no output")?;
        let (sender, receiver) = mpsc::channel();
        // Reads on to the end, so that the program never blocks on a full pipe.
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        match receiver.recv_timeout(patience) {
            Ok(line) => Ok((program, line)),
            Err(_) => bail!("{} printed no line within {patience:?}", program.name),
        }
    }

    /// Asks the program to end, as a service supervisor does, and waits for it.
    pub fn terminate(self) -> Result<ExitStatus> {
        signal(self.child.id(), Signal::TERM);
        self.wait(PATIENCE)
    }

    /// Ends the program at once, whatever it is at.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Waits until the program ends by itself.
    pub fn wait(mut self, patience: Duration) -> Result<ExitStatus> {
        let began = Instant::now();
        while began.elapsed() < patience {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(20));
        }
        bail!("{} still ran after {patience:?}", self.name)
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The process ids of everything below this program.
    pub fn descendants(&self) -> Vec<u32> {
        descendants(self.child.id())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let below = descendants(self.child.id());
        signal(self.child.id(), Signal::TERM);
        for pid in &below {
            signal(*pid, Signal::TERM);
        }
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let gone = !matches!(self.child.try_wait(), Ok(None));
            if gone && below.iter().all(|pid| !is_running(*pid)) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        for pid in below.into_iter().chain([self.child.id()]) {
            signal(pid, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

/// Asks one process to end.
pub fn terminate(pid: u32) {
    signal(pid, Signal::TERM);
}

/// Whether a process exists and is more than a zombie.
pub fn is_running(pid: u32) -> bool {
    status(pid).is_some_and(|(state, _)| state != 'Z')
}

/// The name of a process's program, if it runs.
pub fn name(pid: u32) -> Option<String> {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(name.trim().to_owned())
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// The process ids of everything below a process.
pub fn descendants(root: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, status(pid)?.1)))
        .collect();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        let children = parents.iter().filter(|(_, of)| *of == parent);
        found.extend(children.map(|(pid, _)| *pid));
        next += 1;
    }
    found.split_off(1)
}

/// State and parent of a process, from `/proc/PID/stat`.
fn status(pid: u32) -> Option<(char, u32)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in the middle may hold spaces and brackets; what follows its last bracket does not.
    let mut fields = text.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?.chars().next()?;
    Some((state, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    //! A small family of shells.
    use super::*;

    #[test]
    fn everything_below_ends_with_the_program() {
        let mut command = Command::new("sh");
        // The innermost says that it is there: who is still to be started could not be ended.
        command.args([
            "-c",
            "sleep 600 & sh -c 'sleep 600 & echo ready; wait' & wait",
        ]);
        let (program, line) =
            Program::start_and_read(&mut command, Duration::from_secs(10)).unwrap();
        assert_eq!(line, "ready");
        let below = program.descendants();
        assert!(!below.is_empty());
        drop(program);
        assert!(below.iter().all(|pid| !is_running(*pid)));
    }

    #[test]
    fn a_silent_program_is_given_up() {
        let mut command = Command::new("sleep");
        let result = Program::start_and_read(command.arg("600"), Duration::from_millis(50));
        assert!(result.is_err());
    }
}
