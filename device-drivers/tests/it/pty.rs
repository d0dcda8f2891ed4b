//! A sensor played by a test: the master side of a pseudo terminal.

use nix::pty::openpty;
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use nix::unistd::ttyname;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The device's end of a line; dropping it unplugs the device.
pub(crate) struct Sensor {
    master: File,
    path: PathBuf,
}

impl Sensor {
    /// A device that is plugged in and silent.
    pub(crate) fn plug_in() -> Sensor {
        let pair = openpty(None, None).unwrap();
        let mut settings = tcgetattr(&pair.slave).unwrap();
        cfmakeraw(&mut settings);
        tcsetattr(&pair.slave, SetArg::TCSANOW, &settings).unwrap();
        let path = ttyname(&pair.slave).unwrap();
        let flags = nix::fcntl::OFlag::O_NONBLOCK;
        nix::fcntl::fcntl(&pair.master, nix::fcntl::FcntlArg::F_SETFL(flags)).unwrap();
        Sensor {
            master: File::from(pair.master),
            path,
        }
    }

    /// The host's end.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The device's end, once more.
    pub(crate) fn master(&self) -> File {
        self.master.try_clone().unwrap()
    }

    /// Sends bytes.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.master.write_all(bytes).unwrap();
    }

    /// Sends bytes; an error while the line is full.
    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let written = self.master.write(bytes)?;
        let mut rest = &bytes[written..];
        while !rest.is_empty() {
            match self.master.write(rest) {
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    std::thread::sleep(Duration::from_millis(1))
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// What the host sent within a time, until `is_enough`.
    pub(crate) async fn hear(
        &mut self,
        within: Duration,
        is_enough: impl Fn(&[u8]) -> bool,
    ) -> Vec<u8> {
        let until = tokio::time::Instant::now() + within;
        let mut heard = Vec::new();
        let mut bytes = [0; 256];
        while !is_enough(&heard) && tokio::time::Instant::now() < until {
            match self.master.read(&mut bytes) {
                Ok(length) => heard.extend(&bytes[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                Err(error) if error.raw_os_error() == Some(5) => {
                    tokio::time::sleep(Duration::from_millis(10)).await
                }
                Err(error) => panic!("the test's end of the line: {error}"),
            }
        }
        heard
    }
}
