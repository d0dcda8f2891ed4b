//! Other programs: run them, read them, or run them and read along.
//!
//! Each function fails with the command line it ran, so that a person can
//! repeat it by hand.

use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::thread;

/// Runs a program that talks to the terminal itself.
pub fn run(command: &mut Command) -> Result<()> {
    let line = line(command);
    let status = command
        .status()
        .with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` ended with {status}");
    }
    Ok(())
}

/// Runs a program and answers with what it printed on standard output.
pub fn output(command: &mut Command) -> Result<String> {
    let line = line(command);
    answer(command)?.with_context(|| format!("`{line}` said no"))
}

/// The same of a program that says no by ending with 1: `None` then, and its reason is shown.
pub fn answer(command: &mut Command) -> Result<Option<String>> {
    let line = line(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{line}`"))?;
    if output.status.code() == Some(1) {
        eprintln!("{}", String::from_utf8_lossy(&output.stderr).trim());
        return Ok(None);
    }
    if !output.status.success() {
        bail!(
            "`{line}` ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let text = String::from_utf8(output.stdout);
    text.map(Some)
        .with_context(|| format!("`{line}` printed no UTF-8"))
}

/// Whether a program can be started and ends well; prints nothing.
pub fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What a program that was read along did.
#[derive(Debug)]
pub struct ReadAlong {
    /// Whether it ended well.
    pub success: bool,
    /// Everything it printed on both streams, in about the order it came.
    pub text: String,
}

/// Runs a program, shows what it prints, and keeps a copy.
pub fn run_and_read(command: &mut Command) -> Result<ReadAlong> {
    let line = line(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{line}`"))?;
    let output = child.stdout.take().map(|pipe| copy(pipe, Stream::Output));
    let errors = child.stderr.take().map(|pipe| copy(pipe, Stream::Errors));
    let status = child
        .wait()
        .with_context(|| format!("lost sight of `{line}`"))?;
    let mut text = String::new();
    for reader in [errors, output].into_iter().flatten() {
        text.push_str(&reader.join().unwrap_or_default());
    }
    Ok(ReadAlong {
        success: status.success(),
        text,
    })
}

#[derive(Clone, Copy)]
enum Stream {
    Output,
    Errors,
}

fn copy(pipe: impl Read + Send + 'static, stream: Stream) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut kept = String::new();
        let mut bytes = Vec::new();
        while let Ok(1..) = reader.read_until(b'\n', &mut bytes) {
            // A closed terminal does not stop the work.
            let _ = match stream {
                Stream::Output => std::io::stdout().write_all(&bytes),
                Stream::Errors => std::io::stderr().write_all(&bytes),
            };
            kept.push_str(&String::from_utf8_lossy(&bytes));
            bytes.clear();
        }
        kept
    })
}

/// The command as a person would type it.
pub fn line(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    //! Programs that end well and ill, through each way of running them.
    use super::*;

    #[test]
    fn a_program_that_fails_is_an_error_that_names_it() {
        let error = run(Command::new("sh").args(["-c", "exit 3"])).unwrap_err();
        assert!(error.to_string().contains("sh -c exit 3"), "{error}");
        assert!(!succeeds(&mut Command::new("false")));
        assert!(output(&mut Command::new("no-such-program-here")).is_err());
    }

    #[test]
    fn reading_along_keeps_both_streams_and_the_outcome() {
        let read = run_and_read(Command::new("sh").args(["-c", "echo out; echo err >&2; exit 1"]))
            .unwrap();
        assert!(!read.success);
        assert!(read.text.contains("out\n") && read.text.contains("err\n"));
    }
}
