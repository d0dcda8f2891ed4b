//! What the system says of a process and its files.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

/// Ticks of `/proc/PID/stat` in a second: the same on every Linux, whatever the kernel's own rate.
const TICKS_PER_SECOND: f64 = 100.0;

/// Most memory this process ever held, in bytes.
pub(super) fn peak_rss_bytes() -> anyhow::Result<f64> {
    peak_rss_bytes_of("self")
}

/// Most memory a process ever held, in bytes; `process` is its number, or `self`.
pub(super) fn peak_rss_bytes_of(process: &str) -> anyhow::Result<f64> {
    memory(process, "VmHWM:")
}

/// Memory this process holds, in bytes.
pub(super) fn rss_bytes() -> anyhow::Result<f64> {
    rss_bytes_of("self")
}

/// Memory a process holds, in bytes; `process` is its number, or `self`.
pub(super) fn rss_bytes_of(process: &str) -> anyhow::Result<f64> {
    memory(process, "VmRSS:")
}

fn memory(process: &str, field: &str) -> anyhow::Result<f64> {
    let status = read(process, "status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix("kB"));
    let kilobytes: u64 = kilobytes.context("no memory in /proc")?.trim().parse()?;
    Ok(kilobytes as f64 * 1024.0)
}

fn read(process: &str, file: &str) -> anyhow::Result<String> {
    fs::read_to_string(format!("/proc/{process}/{file}")).context("no /proc: this needs Linux")
}

/// Bytes a process has had written to disk so far; `process` is its number, or `self`.
#[cfg(unix)]
pub(super) fn disk_bytes_of(process: &str) -> anyhow::Result<f64> {
    let io = read(process, "io")?;
    let bytes = io
        .lines()
        .find_map(|line| line.strip_prefix("write_bytes:"));
    let bytes: u64 = bytes.context("no bytes in /proc")?.trim().parse()?;
    Ok(bytes as f64)
}

/// Processor time of all threads of this process, in the program and in the system, in seconds.
pub(super) fn cpu_seconds() -> anyhow::Result<f64> {
    cpu_seconds_of("self")
}

/// The same of another process; `process` is its number.
pub(super) fn cpu_seconds_of(process: &str) -> anyhow::Result<f64> {
    let stat = read(process, "stat")?;
    // The name in the middle may hold anything; what follows its last bracket does not.
    let fields = stat.rsplit_once(") ").context("no fields in /proc")?.1;
    let field = |at: usize| -> anyhow::Result<u64> {
        Ok(fields
            .split(' ')
            .nth(at)
            .context("too few fields in /proc")?
            .parse()?)
    };
    // The fields 14 and 15 of proc(5), utime and stime; the state, field 3, is the first here.
    Ok((field(11)? + field(12)?) as f64 / TICKS_PER_SECOND)
}

/// Bytes of all files below `folder`.
pub(super) fn bytes_below(folder: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        bytes += match entry.metadata()? {
            about if about.is_dir() => bytes_below(&entry.path())?,
            about => about.len(),
        };
    }
    Ok(bytes)
}

/// Moves what SQLite keeps aside into the database files, so that their size is the truth.
pub(super) fn settle_files(data_dir: &Path) -> anyhow::Result<()> {
    for name in [crate::vault::VAULT_FILE, crate::node::REPLICA_FILE] {
        let connection = rusqlite::Connection::open(data_dir.join(name))?;
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    }
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    //! Goal: the figures are this process's. Method: use memory and time, and look.

    use super::*;

    #[test]
    fn memory_and_time_are_noticed() {
        let before = cpu_seconds().unwrap();
        let held = vec![1u8; 64 << 20];
        loop {
            let sum: u64 = held.iter().map(|byte| u64::from(*byte)).sum();
            assert_eq!(sum, 64 << 20);
            if cpu_seconds().unwrap() >= before + 0.05 {
                break;
            }
        }
        assert!(peak_rss_bytes().unwrap() > (64 << 20) as f64);
    }
}
