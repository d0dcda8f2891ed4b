//! Serial lines played by the tests: pseudo terminals whose other end the node opens.

use std::fs::File;
use std::io::{Read as _, Write as _};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use crate::program::wait_for;

/// The sensor's end of a line.
pub(crate) struct Line {
    master: File,
    /// Path of the end that the node opens.
    pub(crate) path: String,
}

impl Line {
    /// A line with nothing on it.
    pub(crate) fn new() -> Self {
        // A node that is started meanwhile must not inherit it, or a plug that is pulled out stays in.
        let master =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        // Before the node sets the line up, it must not send the sensor's bytes back.
        let mut settings = tcgetattr(&master).unwrap();
        settings.make_raw();
        tcsetattr(&master, OptionalActions::Now, &settings).unwrap();
        fcntl_setfl(&master, fcntl_getfl(&master).unwrap() | OFlags::NONBLOCK).unwrap();
        Self {
            master: File::from(master),
            path,
        }
    }

    /// Sends bytes; what the line has no room for is lost, as on a real one.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _ = self.master.write(bytes);
    }

    /// Waits until nobody has the other end open.
    pub(crate) fn until_left(&self) {
        wait_for("the line to be left", || {
            let mut ends = [PollFd::new(&self.master, PollFlags::empty())];
            poll(&mut ends, Some(&Timespec::default())).unwrap();
            ends[0].revents().contains(PollFlags::HUP).then_some(())
        });
    }

    /// What the node has sent since.
    pub(crate) fn heard(&mut self) -> Vec<u8> {
        let mut bytes = [0; 4096];
        let count = self.master.read(&mut bytes).unwrap_or(0);
        bytes[..count].to_vec()
    }
}
