//! A microcontroller in QEMU: its line, and its memory seen from outside.
//!
//! The firmware need not know that it is watched: the RAM is painted by the loader before the start
//! and read back through QEMU's monitor protocol (QMP). It leaves out debugging.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How the emulated time goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As on the wall.
    RealTime,
    /// Each instruction takes one nanosecond.
    OneInstructionPerNano,
}

/// A running machine; ends with this value.
pub struct Emulator {
    child: Child,
    line: ChildStdin,
    heard: Receiver<Vec<u8>>,
    kept: Vec<u8>,
    folder: PathBuf,
}

impl Emulator {
    /// Starts `image`; `paint` is an address and what the memory holds there at first.
    pub fn start(image: &Path, pace: Pace, paint: Option<&(usize, Vec<u8>)>) -> Result<Emulator> {
        let folder = own_folder()?;
        let mut command = Command::new("qemu-system-arm");
        command
            .args(["-M", "lm3s6965evb", "-display", "none", "-monitor", "none"])
            .args(["-serial", "stdio", "-kernel"])
            .arg(image)
            .arg("-qmp")
            .arg(format!("unix:{},server=on,wait=off", socket(&folder)));
        if pace == Pace::OneInstructionPerNano {
            command.args(["-icount", "shift=0"]);
        }
        if let Some((address, bytes)) = paint {
            let file = folder.join("paint");
            std::fs::write(&file, bytes)?;
            let loader = format!(
                "loader,file={},addr={address:#x},force-raw=on",
                file.display()
            );
            command.args(["-device", &loader]);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start qemu-system-arm")?;
        let line = child.stdin.take().context("the line has no input")?;
        let mut output = child.stdout.take().context("the line has no output")?;
        let (sender, heard) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 512];
            while let Ok(length @ 1..) = output.read(&mut bytes) {
                if sender.send(bytes[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        Ok(Emulator {
            child,
            line,
            heard,
            kept: Vec::new(),
            folder,
        })
    }

    /// Sends bytes to the machine.
    pub fn say(&mut self, bytes: &[u8]) -> Result<()> {
        self.line.write_all(bytes)?;
        Ok(self.line.flush()?)
    }

    /// Hears the machine until `is_enough` of everything since the start.
    pub fn hear_until(
        &mut self,
        within: Duration,
        is_enough: impl Fn(&[u8]) -> bool,
    ) -> Result<Vec<u8>> {
        let until = Instant::now() + within;
        while !is_enough(&self.kept) {
            let left = until.saturating_duration_since(Instant::now());
            match self.heard.recv_timeout(left) {
                Ok(bytes) => self.kept.extend(bytes),
                Err(RecvTimeoutError::Timeout) => bail!(
                    "after {} s the firmware had sent {} bytes, not enough",
                    within.as_secs(),
                    self.kept.len()
                ),
                Err(RecvTimeoutError::Disconnected) => bail!("qemu-system-arm ended"),
            }
        }
        Ok(self.kept.clone())
    }

    /// Reads memory of the machine, which goes on running.
    pub fn memory(&self, address: usize, bytes: usize) -> Result<Vec<u8>> {
        let file = self.folder.join("memory");
        let mut stream = UnixStream::connect(socket(&self.folder))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut answers = BufReader::new(stream.try_clone()?);
        answers.read_line(&mut String::new())?;
        let save = json!({"val": address, "size": bytes, "filename": file.display().to_string()});
        for (name, arguments) in [("qmp_capabilities", json!({})), ("pmemsave", save)] {
            let asked = json!({"execute": name, "arguments": arguments});
            stream.write_all(format!("{asked}\n").as_bytes())?;
            answer(&mut answers)?;
        }
        let memory = std::fs::read(&file)?;
        if memory.len() != bytes {
            bail!("QEMU saved {} bytes of {bytes}", memory.len());
        }
        Ok(memory)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The answer to a command; events in between are passed over.
fn answer(answers: &mut impl BufRead) -> Result<()> {
    for _ in 0..100 {
        let mut line = String::new();
        answers.read_line(&mut line)?;
        let value: Value = serde_json::from_str(&line).context("QMP answered no JSON")?;
        if let Some(error) = value.get("error") {
            bail!("QMP said no: {error}");
        }
        if value.get("return").is_some() {
            return Ok(());
        }
    }
    bail!("QMP did not answer")
}

/// A folder with a short name: that of a Unix socket has 107 bytes at most.
fn own_folder() -> Result<PathBuf> {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let name = format!("fogward-qemu-{}-{number}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn socket(folder: &Path) -> String {
    folder.join("qmp").display().to_string()
}
