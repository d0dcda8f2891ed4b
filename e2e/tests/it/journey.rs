//! The journey that both forms of the console allow: from a bare port to a saved proof.

use crate::feed::Oximeter;
use anyhow::{Context, Result};
use e2e::page::Page;
use std::path::{Path, PathBuf};

/// LOINC codes of what an oximeter measures.
const SPO2: &str = "59408-5";
const PULSE: &str = "8889-8";

/// A reading whose proof was saved.
pub struct Proven {
    /// Its id, as the console names it.
    pub reading: String,
    /// The node's id of the device.
    pub device: String,
    /// The saved file.
    pub file: PathBuf,
}

/// Pairs `oximeter` in three steps, follows its value, and saves the proof of one reading.
pub async fn pair_and_prove(page: &Page, oximeter: &Oximeter, downloads: &Path) -> Result<Proven> {
    pair(page, oximeter).await?;

    // What the sensor measures is what the screen says, also when it changes.
    page.until_attribute(&vital(SPO2), "data-value", "97")
        .await?;
    page.until_attribute(&vital(PULSE), "data-value", "64")
        .await?;
    oximeter.set_spo2(93);
    page.until_attribute(&vital(SPO2), "data-value", "93")
        .await?;

    let device = fragment(page).await?;
    let device = device.trim_start_matches("#/devices/").to_owned();
    let reading = open_proof(page).await?;
    let file = check_and_save(page, downloads).await?;
    Ok(Proven {
        reading,
        device,
        file,
    })
}

/// Pairs `oximeter` in three steps, in a console with an open session or with nobody registered.
pub(crate) async fn pair(page: &Page, oximeter: &Oximeter) -> Result<()> {
    page.click("nav-devices").await?;
    page.click("pair-open").await?;
    let path = oximeter.sensor.path().display().to_string();
    page.type_into("pair-port-path", &path).await?;
    page.click("pair-port-next").await?;
    page.choose("pair-profile", oximeter.profile).await?;
    // The live preview, before anything is recorded.
    page.until_attribute(&vital(SPO2), "data-value", "97")
        .await?;
    page.click("pair-next").await?;
    page.click("pair-confirm").await?;
    page.until("the device's own page", || async {
        let place = fragment(page).await?;
        Ok(place.starts_with("#/devices/").then_some(()))
    })
    .await
}

/// Waits for a final reading of the changed value and follows its link; answers its id.
async fn open_proof(page: &Page) -> Result<String> {
    let link = format!(
        "[data-testid='reading-row'][data-code='{SPO2}'][data-value='93'][data-final='true'] \
         [data-testid='reading-proof']"
    );
    page.until("the page of a proof", || async {
        // New readings move the table: a link may be gone between seeing and clicking it.
        if let Ok(link) = page.find_css(&link).await {
            let _ = link.click().await;
        }
        let place = fragment(page).await?;
        Ok(place.strip_prefix("#/proofs/").map(str::to_owned))
    })
    .await
}

async fn check_and_save(page: &Page, downloads: &Path) -> Result<PathBuf> {
    page.until_attribute("proof-verdict", "data-verdict", "valid")
        .await?;
    page.click("proof-save").await?;
    page.until("a file among the downloads", || async {
        Ok(saved_file(downloads))
    })
    .await
}

/// The one complete file in the folder, if there is one.
fn saved_file(folder: &Path) -> Option<PathBuf> {
    std::fs::read_dir(folder)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| {
            let partial = path.extension().is_some_and(|end| end == "crdownload");
            let hidden = path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with('.'));
            !partial && !hidden && path.metadata().is_ok_and(|about| about.len() > 0)
        })
}

/// Where in the console the window is.
pub(crate) async fn fragment(page: &Page) -> Result<String> {
    let place = page.script("return location.hash").await?;
    place.as_str().map(str::to_owned).context("no fragment")
}

fn vital(code: &str) -> String {
    format!("vital-{code}")
}
