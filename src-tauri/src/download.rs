//! Saves a file where the user's downloads go.
//!
//! The name comes from the console and is reduced to harmless characters; a file
//! that is already there is never overwritten.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Result, Write};
use std::path::{Path, PathBuf};

/// How many files of one name a folder may hold before saving gives up.
const MAX_COPIES: u32 = 1_000;

/// Writes `bytes` into `folder` under a name as near to `name` as can be, and says where.
pub fn save(folder: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let name = harmless(name);
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) => (stem, format!(".{extension}")),
        None => (name.as_str(), String::new()),
    };
    for copy in 1..=MAX_COPIES {
        let path = folder.join(match copy {
            1 => name.clone(),
            _ => format!("{stem}-{copy}{extension}"),
        });
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                file.write_all(bytes)?;
                file.sync_all()?;
                return Ok(path);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// Letters, digits, `.`, `-` and `_`; no leading or trailing dot; at most 120 characters.
fn harmless(name: &str) -> String {
    let kept: String = name
        .chars()
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | '_' => c,
            _ => '_',
        })
        .take(120)
        .collect();
    let kept = kept.trim_matches('.');
    if kept.is_empty() { "file" } else { kept }.to_owned()
}

#[cfg(test)]
mod tests {
    //! Names from hostile to plain, and a name that is taken.
    use super::*;

    #[test]
    fn names_cannot_leave_the_folder() {
        for (name, expected) in [
            ("reading-7.fwproof", "reading-7.fwproof"),
            ("../../etc/passwd", "_.._etc_passwd"),
            ("a b\u{0}c", "a_b_c"),
            ("..", "file"),
            ("", "file"),
        ] {
            assert_eq!(harmless(name), expected);
        }
        assert_eq!(harmless(&"x".repeat(500)).len(), 120);
    }

    #[test]
    fn a_taken_name_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let first = save(folder.path(), "p.fwproof", b"one").unwrap();
        let second = save(folder.path(), "p.fwproof", b"two").unwrap();
        assert_eq!(fs::read(first).unwrap(), b"one");
        assert_eq!(fs::read(&second).unwrap(), b"two");
        assert!(second.ends_with("p-2.fwproof"));
    }
}
