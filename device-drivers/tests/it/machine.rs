//! A microcontroller with the example firmware, in QEMU, on the master side of a pseudo terminal.
//!
//! ```text
//! firmware ── UART0 ── QEMU ── pipes ── [pump: records, mutes, injects] ── pty ── driver
//! ```
//!
//! The firmware is what `cargo xtask` built and names in `FOGWARD_FIRMWARE`; without it, it is built
//! here. Without QEMU or the target the tests fail: they are never skipped.

use crate::pty::Sensor as Line;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

/// A running machine; ends with this value.
pub(crate) struct Machine {
    child: Child,
    line: Line,
    folder: tempfile::TempDir,
    sent: Arc<Mutex<Vec<u8>>>,
    is_muted: Arc<AtomicBool>,
    is_over: Arc<AtomicBool>,
}

impl Machine {
    /// A machine with the firmware of a class, which waits for [`Machine::run`].
    pub(crate) fn load(class: &str) -> Machine {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new("qemu-system-arm")
            .args(["-M", "lm3s6965evb", "-display", "none", "-monitor", "none"])
            .args(["-S", "-serial", "stdio", "-kernel"])
            .arg(images().join(class))
            .arg("-qmp")
            .arg(format!("unix:{},server=on,wait=off", socket(folder.path())))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("qemu-system-arm is needed: `cargo xtask test` installs it");
        let line = Line::plug_in();
        let is_muted = Arc::new(AtomicBool::new(false));
        let is_over = Arc::new(AtomicBool::new(false));
        let sent = Arc::new(Mutex::new(Vec::new()));
        to_host(
            child.stdout.take().unwrap(),
            line.master(),
            sent.clone(),
            is_muted.clone(),
        );
        to_device(line.master(), child.stdin.take().unwrap(), is_over.clone());
        Machine {
            child,
            line,
            folder,
            sent,
            is_muted,
            is_over,
        }
    }

    /// The host's end of the line.
    pub(crate) fn path(&self) -> &Path {
        self.line.path()
    }

    /// Cuts the way from the device to the host, or mends it. Bytes sent in between are gone.
    pub(crate) fn mute(&self, is_muted: bool) {
        self.is_muted.store(is_muted, Ordering::SeqCst);
    }

    /// Puts bytes on the line, as an attacker on it would.
    pub(crate) fn inject(&mut self, bytes: &[u8]) {
        self.line.send(bytes);
    }

    /// How many whole frames the device has sent so far.
    pub(crate) fn frames(&self) -> Vec<Vec<u8>> {
        let sent = self.sent.lock().unwrap();
        let mut runs: Vec<&[u8]> = sent.split(|byte| *byte == 0).collect();
        // What follows the last zero byte is not whole yet.
        runs.pop();
        let whole = runs.into_iter().filter(|run| !run.is_empty());
        whole.map(<[u8]>::to_vec).collect()
    }

    /// Waits until the device has sent `count` frames.
    pub(crate) async fn sends(&self, count: usize) {
        let until = tokio::time::Instant::now() + PATIENCE;
        while self.frames().len() < count {
            assert!(
                tokio::time::Instant::now() < until,
                "the firmware is silent"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Switches it on.
    pub(crate) fn run(&self) {
        self.command("cont");
    }

    /// Resets the processor; what stands for its flash keeps what it holds.
    pub(crate) fn reset(&self) {
        self.command("system_reset");
    }

    fn command(&self, command: &str) {
        let mut stream = self.monitor();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut answers = BufReader::new(stream.try_clone().unwrap());
        answers.read_line(&mut String::new()).unwrap();
        for command in ["qmp_capabilities", command] {
            writeln!(stream, "{{\"execute\": \"{command}\"}}").unwrap();
            let mut answer = String::new();
            // Events may come before the answer.
            while !answer.contains("\"return\"") {
                answer.clear();
                let length = answers.read_line(&mut answer).unwrap();
                assert!(length > 0, "QEMU ended");
                assert!(!answer.contains("\"error\""), "{answer}");
            }
        }
    }

    /// QEMU's monitor, which is there a moment after QEMU was started.
    fn monitor(&self) -> UnixStream {
        let until = std::time::Instant::now() + PATIENCE;
        loop {
            match UnixStream::connect(socket(self.folder.path())) {
                Ok(stream) => return stream,
                Err(error) => assert!(std::time::Instant::now() < until, "{error}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ends when the machine does.
fn to_host(
    mut from: impl Read + Send + 'static,
    mut to: std::fs::File,
    sent: Arc<Mutex<Vec<u8>>>,
    is_muted: Arc<AtomicBool>,
) {
    std::thread::spawn(move || {
        let mut bytes = [0; 256];
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            sent.lock().unwrap().extend(&bytes[..length]);
            if is_muted.load(Ordering::SeqCst) {
                continue;
            }
            // A line that nobody reads is full at some time; what comes then is lost, as on a wire.
            let _ = to.write_all(&bytes[..length]);
        }
    });
}

fn to_device(
    mut from: std::fs::File,
    mut to: impl Write + Send + 'static,
    is_over: Arc<AtomicBool>,
) {
    std::thread::spawn(move || {
        let mut bytes = [0; 256];
        while !is_over.load(Ordering::SeqCst) {
            match from.read(&mut bytes) {
                Ok(length) => {
                    if to
                        .write_all(&bytes[..length])
                        .and_then(|()| to.flush())
                        .is_err()
                    {
                        return;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                // No host has the line open.
                Err(_) => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    });
}

fn socket(folder: &Path) -> String {
    folder.join("qmp").display().to_string()
}

/// The folder with the firmware of each class.
fn images() -> &'static Path {
    static IMAGES: OnceLock<PathBuf> = OnceLock::new();
    IMAGES.get_or_init(|| match std::env::var_os("FOGWARD_FIRMWARE") {
        Some(folder) => folder.into(),
        None => build(),
    })
}

fn build() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("firmware");
    let folder = target.join("images");
    std::fs::create_dir_all(&folder).unwrap();
    // Each test may be a process of its own; two builds would take each other's programs.
    let lock = std::fs::File::create(target.join("lock")).unwrap();
    lock.lock().unwrap();
    for class in ["ultra-light", "low-cost", "signing"] {
        for (features, image) in [
            (class.to_owned(), class.to_owned()),
            (format!("{class},pairing"), format!("pairing-{class}")),
        ] {
            let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
                .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("firmware"))
                .args(["build", "--locked", "--quiet", "--release", "--bin", class])
                .args(["--features", &features])
                .env("CARGO_TARGET_DIR", &target)
                .env_remove("RUSTFLAGS")
                .env_remove("CARGO_ENCODED_RUSTFLAGS")
                .status()
                .unwrap();
            assert!(
                status.success(),
                "the firmware needs `rustup target add thumbv7m-none-eabi`"
            );
            let built = target.join("thumbv7m-none-eabi/release").join(class);
            // Whole at once: another test may be starting this image.
            let whole = folder.join(format!("{image}.{}", std::process::id()));
            std::fs::copy(built, &whole).unwrap();
            std::fs::rename(whole, folder.join(image)).unwrap();
        }
    }
    folder
}
