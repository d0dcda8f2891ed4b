//! Standard output and standard error. A reader that went away (`fogward … | head`) is no error.

use std::io::Write as _;

use anyhow::Context as _;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Prints text as it is.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    print_on(text).map(drop)
}

/// The same; whether anybody reads on.
pub(crate) fn print_on(text: &str) -> anyhow::Result<bool> {
    let mut out = std::io::stdout().lock();
    let done = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match done {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        done => done.map(|()| true).context("cannot write the answer"),
    }
}

/// Prints one JSON value on one line.
pub(crate) fn print_json<T: Serialize + ?Sized>(value: &T) -> anyhow::Result<()> {
    let mut text = serde_json::to_string(value)?;
    text.push('\n');
    print(&text)
}

/// Says on standard error what went wrong and why.
pub(crate) fn complain(error: &anyhow::Error) {
    // Where even standard error is closed, the exit code has to do.
    let _ = writeln!(std::io::stderr().lock(), "fogward: {error:#}");
}

/// A time in Unix milliseconds as a person reads it: UTC, to the millisecond.
pub(crate) fn time_words(millis: i64) -> String {
    let nanos = i128::from(millis) * 1_000_000;
    let time = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok();
    let words = time.and_then(|time| time.format(&Rfc3339).ok());
    words.unwrap_or_else(|| format!("{millis} ms"))
}

/// Bytes as a person reads them, in decimal units.
pub(crate) fn bytes_words(bytes: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 1000.0 && unit + 1 < units.len() {
        size /= 1000.0;
        unit += 1;
    }
    match unit {
        0 => format!("{bytes} B"),
        _ => format!("{size:.1} {}", units[unit]),
    }
}

#[cfg(test)]
mod tests {
    //! Goal: words for times and sizes. Method: examples.

    use super::*;

    #[test]
    fn times_and_sizes_read_well() {
        assert_eq!(time_words(1_700_000_000_123), "2023-11-14T22:13:20.123Z");
        assert_eq!(time_words(i64::MAX), format!("{} ms", i64::MAX));
        assert_eq!(bytes_words(999), "999 B");
        assert_eq!(bytes_words(1_500), "1.5 kB");
        assert_eq!(bytes_words(u64::MAX), "18446744.1 TB");
    }
}
