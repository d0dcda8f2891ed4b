//! The console's bundle: `fogward-ui` as wasm, its JavaScript glue and its assets.
//!
//! ```text
//! ui/src     ──cargo──▶ fogward_ui.wasm ──wasm-bindgen──▶ ui/dist/fogward_ui.js, fogward_ui_bg.wasm
//! ui/assets  ──copied as they are────────────────────────▶ ui/dist/…
//! ```
//!
//! wasm-bindgen runs as a library, at the version that `Cargo.lock` holds, so no
//! tool is fetched. Files that did not change are not written again: the desktop
//! shell embeds the folder and would be rebuilt for nothing.

use crate::process;
use crate::progress::Progress;
use crate::system::{self, Purpose};
use crate::workspace::Workspace;
use anyhow::{Context, Result, anyhow};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::UNIX_EPOCH;
use wasm_bindgen_cli_support::Bindgen;

/// Lies beside the bundle and says what it was made from.
const STAMP: &str = ".made-from";

/// The chore `bundle`.
pub fn run() -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let mut progress = Progress::new(2);
    progress.step("Checking the system", || system::prepare(Purpose::Run))?;
    progress.step("Building the console's wasm", || build(&workspace))?;
    Ok(ExitCode::SUCCESS)
}

/// Brings `ui/dist` up to date.
pub fn build(workspace: &Workspace) -> Result<()> {
    process::run(&mut workspace.cargo(&[
        "build",
        "--locked",
        "--package",
        "fogward-ui",
        "--target",
        "wasm32-unknown-unknown",
        "--profile",
        "console",
    ]))?;
    let wasm = workspace
        .target
        .join("wasm32-unknown-unknown/console/fogward_ui.wasm");
    let dist = workspace.root.join("ui/dist");
    let mut files = glue(&wasm, &dist)?;
    copy_assets(&workspace.root.join("ui/assets"), &dist, &mut files)?;
    remove_others(&dist, &dist, &files)
}

/// Runs wasm-bindgen unless the bundle is already made from this very wasm file.
fn glue(wasm: &Path, dist: &Path) -> Result<BTreeSet<PathBuf>> {
    let files: BTreeSet<PathBuf> = [STAMP, "fogward_ui.js", "fogward_ui_bg.wasm"]
        .into_iter()
        .map(|name| dist.join(name))
        .collect();
    let stamp = stamp(wasm)?;
    let fresh = fs::read_to_string(dist.join(STAMP)).is_ok_and(|kept| kept == stamp);
    if fresh && files.iter().all(|file| file.exists()) {
        return Ok(files);
    }
    fs::create_dir_all(dist).context("cannot make ui/dist")?;
    Bindgen::new()
        .input_path(wasm)
        .web(true)
        .and_then(|bindgen| {
            // Names are for debuggers; without them the file is a third smaller.
            bindgen
                .typescript(false)
                .remove_name_section(true)
                .remove_producers_section(true)
                .generate(dist)
        })
        .map_err(|error| anyhow!("wasm-bindgen refused {}: {error:#}", wasm.display()))?;
    // Snippets are further JavaScript files that dependencies bring along.
    let mut all = files;
    list(&dist.join("snippets"), &mut all)?;
    fs::write(dist.join(STAMP), stamp).context("cannot note what the bundle was made from")?;
    Ok(all)
}

fn stamp(wasm: &Path) -> Result<String> {
    let about = fs::metadata(wasm).with_context(|| format!("there is no {}", wasm.display()))?;
    let changed = about
        .modified()?
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Ok(format!(
        "{} bytes, {} ns\n",
        about.len(),
        changed.as_nanos()
    ))
}

fn copy_assets(assets: &Path, dist: &Path, files: &mut BTreeSet<PathBuf>) -> Result<()> {
    let mut sources = BTreeSet::new();
    list(assets, &mut sources)?;
    for source in sources {
        let target = dist.join(source.strip_prefix(assets)?);
        copy_if_changed(&source, &target)
            .with_context(|| format!("cannot copy {}", source.display()))?;
        files.insert(target);
    }
    Ok(())
}

fn copy_if_changed(source: &Path, target: &Path) -> Result<()> {
    let bytes = fs::read(source)?;
    if fs::read(target).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(fs::write(target, bytes)?)
}

/// Adds every file under `folder`; a folder that does not exist has none.
fn list(folder: &Path, files: &mut BTreeSet<PathBuf>) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.insert(path);
        }
    }
    Ok(())
}

/// Removes what an earlier bundle held and this one does not.
fn remove_others(folder: &Path, dist: &Path, wanted: &BTreeSet<PathBuf>) -> Result<()> {
    let mut found = BTreeSet::new();
    list(folder, &mut found)?;
    let snippets = dist.join("snippets");
    for file in found.difference(wanted) {
        if !file.starts_with(&snippets) {
            fs::remove_file(file).with_context(|| format!("cannot remove {}", file.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    //! Copying and cleaning, in a folder of its own.
    use super::*;

    #[test]
    fn assets_are_copied_once_and_leftovers_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (assets, dist) = (folder.path().join("assets"), folder.path().join("dist"));
        fs::create_dir_all(assets.join("fonts")).unwrap();
        fs::create_dir_all(&dist).unwrap();
        fs::write(assets.join("index.html"), "new").unwrap();
        fs::write(assets.join("fonts/face.woff2"), "face").unwrap();
        fs::write(dist.join("old.css"), "gone").unwrap();

        let mut files = BTreeSet::new();
        copy_assets(&assets, &dist, &mut files).unwrap();
        remove_others(&dist, &dist, &files).unwrap();
        assert_eq!(fs::read_to_string(dist.join("index.html")).unwrap(), "new");
        assert!(dist.join("fonts/face.woff2").exists());
        assert!(!dist.join("old.css").exists());

        let written = |name: &str| fs::metadata(dist.join(name)).unwrap().modified().unwrap();
        let before = written("index.html");
        copy_assets(&assets, &dist, &mut files).unwrap();
        assert_eq!(written("index.html"), before, "an equal file is left alone");
    }
}
