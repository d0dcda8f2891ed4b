//! Embeds the console's bundle (`ui/dist`) into the node, so that one program serves one version of both.
//!
//! Writes `console_files.rs`: each file's path, content and strong entity tag. A node built before the
//! bundle has none and says so on its page; `cargo xtask bundle` makes the bundle.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use sha2::{Digest as _, Sha256};

fn main() -> Result<(), Box<dyn Error>> {
    let dist = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../ui/dist");
    // A path that does not exist would make every build start over.
    if dist.parent().is_some_and(Path::exists) {
        fs::create_dir_all(&dist)?;
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", dist.display());
    let mut files = Vec::new();
    if dist.join("index.html").exists() {
        list(&dist, &mut files)?;
    }
    // The node looks files up by name, so the order is that of the names as text, in which
    // `fonts.css` comes before `fonts/…`; as paths it is the other way round.
    let mut named = BTreeMap::new();
    for file in files {
        let name = file
            .strip_prefix(&dist)?
            .to_string_lossy()
            .replace('\\', "/");
        named.insert(name, file.canonicalize()?);
    }
    let mut code = String::from("&[\n");
    for (name, path) in named {
        let tag = hex::encode(&Sha256::digest(fs::read(&path)?)[..16]);
        let path = path.to_string_lossy();
        writeln!(
            code,
            "    ConsoleFile {{ path: {name:?}, tag: \"\\\"{tag}\\\"\", bytes: include_bytes!({path:?}) }},"
        )?;
    }
    code.push_str("]\n");
    fs::write(
        PathBuf::from(env::var("OUT_DIR")?).join("console_files.rs"),
        code,
    )?;
    Ok(())
}

/// Adds every file below `folder` but those whose name starts with a dot.
fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.file_type()?.is_dir() {
            list(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}
