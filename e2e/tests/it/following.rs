//! A nurse follows what was granted to her as it comes, and gives it back.

use anyhow::{Result, ensure};
use e2e::browser::{Browser, PAGE_FITS};
use e2e::cli::{self, Node};

use crate::people::{register, sign_in};
use crate::requests::{open_row, shown, somebody};

const SIZES: [(u32, u32); 2] = [(390, 844), (1280, 720)];
const EMERGENCY: &str = "permit(principal, action, resource) when { context.emergency };";

/// Goal: what is granted from now on comes by itself, as numbers and as a plot; when it ends, no value stays on the
/// screen, and the block that ended it stands there. Method: Chromium; somebody who wears a simulated sensor.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_followed_leaves_the_screen_when_it_ends() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let node = Node::start(&folder.path().join("data"), &["--demo=1"])?;
    let subject = somebody(&node.address).await?;
    let file = folder.path().join("emergency");
    std::fs::write(&file, EMERGENCY)?;
    let file = file.display().to_string();
    let put = [
        "policy",
        "put",
        "emergency",
        &file,
        "--api",
        &node.address,
        "--json",
    ];
    cli::fogward_json(put)?;
    let browser = Browser::start(folder.path()).await?;
    browser.page.open(&node.address).await?;
    let followed = follow(&browser, &subject).await;
    let failure = cli::picture("requests-live-failure")?;
    browser.page.explain(followed, &failure).await?;
    drop(browser);
    node.stop()
}

async fn follow(browser: &Browser, subject: &str) -> Result<()> {
    let page = &browser.page;
    let mut anna = register(page, "anna", None).await?;
    page.click("enrolment-done").await?;
    sign_in(page, "anna", &mut anna).await?;
    let mut nina = register(page, "nina", Some("nurse")).await?;
    page.click("enrolment-done").await?;
    page.click("who").await?;
    page.click("lock").await?;
    page.click("door-somebody-else").await?;
    sign_in(page, "nina", &mut nina).await?;

    page.click("nav-requests").await?;
    page.type_into("ask-subject", subject).await?;
    page.find_css("[data-testid='ask-metric'][data-key='59408-5']")
        .await?
        .click()
        .await?;
    page.choose("ask-period", "-2").await?;
    page.click("ask-emergency").await?;
    page.type_into("ask-reason", "Found unconscious").await?;
    page.click("ask-send").await?;
    open_row(page, "Granted").await?;
    shown(page, "request-follow").await?;

    // It comes, and goes on.
    page.find_css("[data-testid='request-live'] .vital:not([data-value=''])")
        .await?;
    let readings = async || -> Result<u64> {
        let readings = page.attribute("request-live", "data-readings").await?;
        Ok(readings.unwrap_or_default().parse()?)
    };
    let before = readings().await?;
    page.until("more readings", || async {
        Ok((readings().await? > before + 2).then_some(()))
    })
    .await?;
    page.script("document.querySelector('[data-testid=request-live]').scrollIntoView()")
        .await?;
    browser.look("requests-live", &SIZES, PAGE_FITS).await?;

    // Given back: the values are gone, and why stands there.
    open_row(page, "Granted").await?;
    shown(page, "request-end").await?;
    let cut = page.text("request-cut").await?;
    ensure!(
        cut.contains("Ended at block") && cut.contains("Nothing after"),
        "{cut}"
    );
    let left =
        "return document.querySelectorAll('[data-testid=request-live] :is(.vital, canvas)').length";
    ensure!(page.script(left).await? == 0, "no value stays");
    page.script("document.querySelector('[data-testid=request-live]').scrollIntoView()")
        .await?;
    browser.look("requests-cut", &SIZES, PAGE_FITS).await
}
