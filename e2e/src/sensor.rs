//! A sensor at the far end of a serial line: a pty whose other end the product opens.
//!
//! Bytes are written at the sensor's own pace whether or not somebody listens, and
//! are lost when nobody does, as on a real line.

use anyhow::{Context, Result};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A sensor that repeats what `packet` makes until it is unplugged (dropped).
#[derive(Debug)]
pub struct Sensor {
    path: PathBuf,
    unplugged: Arc<AtomicBool>,
    writer: Option<JoinHandle<()>>,
}

impl Sensor {
    /// Plugs a sensor in that sends `packet(n)`, n = 0, 1, 2 …, every `period`.
    pub fn plug_in(
        period: Duration,
        mut packet: impl FnMut(u64) -> Vec<u8> + Send + 'static,
    ) -> Result<Self> {
        let line = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).context("no pty to be had")?;
        grantpt(&line)?;
        unlockpt(&line)?;
        let path = PathBuf::from(
            ptsname(&line, Vec::new())?
                .into_string()
                .context("the pty's name is no text")?,
        );
        without_echo(&line)?;
        fcntl_setfl(&line, fcntl_getfl(&line)? | OFlags::NONBLOCK)?;
        let unplugged = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&unplugged);
        let writer = thread::spawn(move || {
            for count in 0.. {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                // A full line loses what is written to it.
                let _ = rustix::io::write(&line, &packet(count));
                thread::sleep(period);
            }
        });
        Ok(Self {
            path,
            unplugged,
            writer: Some(writer),
        })
    }

    /// The path under which the product opens it.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Sensor {
    fn drop(&mut self) {
        self.unplugged.store(true, Ordering::Relaxed);
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

/// Before the product sets the line up, it must not send the sensor's bytes back.
fn without_echo(line: &OwnedFd) -> Result<()> {
    let mut settings = tcgetattr(line)?;
    settings.make_raw();
    Ok(tcsetattr(line, OptionalActions::Now, &settings)?)
}

#[cfg(test)]
mod tests {
    //! The other end, read as a file.
    use super::*;
    use std::io::Read;

    #[test]
    fn packets_arrive_in_order() {
        let sensor = Sensor::plug_in(Duration::from_millis(5), |n| vec![(n % 251) as u8]).unwrap();
        let mut end = std::fs::File::open(sensor.path()).unwrap();
        let mut bytes = [0; 20];
        end.read_exact(&mut bytes).unwrap();
        assert!(bytes.windows(2).all(|pair| pair[1] == (pair[0] + 1) % 251));
    }
}
