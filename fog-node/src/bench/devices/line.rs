//! A serial line of the bench: a pseudo terminal of which the bench holds the sensor's end.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// The sensor's end of a line.
pub(in crate::bench) struct Line {
    master: File,
    path: PathBuf,
}

impl Line {
    /// A line with nothing on it, raw from the start: it never sends the sensor's bytes back.
    pub(in crate::bench) fn plug_in() -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let path = OsString::from_vec(ptsname(&master, Vec::new())?.into_bytes()).into();
        let mut settings = tcgetattr(&master)?;
        settings.make_raw();
        tcsetattr(&master, OptionalActions::Now, &settings)?;
        fcntl_setfl(&master, fcntl_getfl(&master)? | OFlags::NONBLOCK)?;
        Ok(Self {
            master: File::from(master),
            path,
        })
    }

    /// The end that the node opens.
    pub(in crate::bench) fn path(&self) -> &Path {
        &self.path
    }

    /// Sends a frame whole, or fails: a node that does not read its lines is not worth measuring.
    pub(in crate::bench) fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        self.master.write_all(frame)
    }

    /// Waits until the node has sent something; false if it has not in this time.
    pub(in crate::bench) fn wait(&self, time: Duration) -> io::Result<bool> {
        let mut fds = [PollFd::new(&self.master, PollFlags::IN)];
        let timeout = Timespec::try_from(time).map_err(io::Error::other)?;
        poll(&mut fds, Some(&timeout))?;
        if fds[0].revents().contains(PollFlags::IN) {
            return Ok(true);
        }
        if !fds[0].revents().is_empty() {
            // Nobody has the other end open, and the system says so at once.
            std::thread::sleep(time);
        }
        Ok(false)
    }

    /// What the node has sent since, as far as it fits; nothing while the node has not opened its end.
    pub(in crate::bench) fn heard<'a>(&mut self, bytes: &'a mut [u8]) -> io::Result<&'a [u8]> {
        /// What the master's end reads while nobody has the other one open (EIO).
        const NOBODY: i32 = 5;
        match self.master.read(bytes) {
            Ok(length) => Ok(bytes.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(&[]),
            Err(error) if error.raw_os_error() == Some(NOBODY) => Ok(&[]),
            Err(error) => Err(error),
        }
    }
}
