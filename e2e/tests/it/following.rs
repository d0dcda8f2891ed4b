//! A nurse follows what was granted to her as it comes, and gives it back.

use std::path::Path;

use anyhow::{Result, ensure};
use e2e::browser::{Browser, PAGE_FITS};
use e2e::cli::{self, Node};
use e2e::desktop::Desktop;
use e2e::page::Page;

use crate::desktop;
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
    let subject = granted_in_emergencies(&node, folder.path()).await?;
    let browser = Browser::start(folder.path()).await?;
    browser.page.open(&node.address).await?;
    let look = async |name: &str| {
        browser
            .look(&format!("requests-{name}"), &SIZES, PAGE_FITS)
            .await
    };
    let followed = follow(&browser.page, &subject, look).await;
    let failure = cli::picture("requests-live-failure")?;
    browser.page.explain(followed, &failure).await?;
    drop(browser);
    node.stop()
}

/// Goal: the same in the desktop window, where what comes has another way. Method: the same steps in the real window, on
/// the folder of a node that was prepared before.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_followed_leaves_the_desktop_window_when_it_ends() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let node = Node::start(&data, &["--demo=1"])?;
    let subject = granted_in_emergencies(&node, folder.path()).await?;
    node.stop()?;
    let window = Desktop::start(&data, folder.path(), &["--demo=1"]).await?;
    let look = async |name: &str| {
        let file = cli::picture(&format!("desktop-{name}"))?;
        window.page.picture(&file).await
    };
    let followed = follow(&window.page, &subject, look).await;
    let failure = cli::picture("desktop-live-failure")?;
    window.page.explain(followed, &failure).await?;
    desktop::stop(&window).await
}

/// Somebody whose data anybody is granted in an emergency; her handle.
async fn granted_in_emergencies(node: &Node, folder: &Path) -> Result<String> {
    let subject = somebody(&node.address).await?;
    let file = folder.join("emergency");
    std::fs::write(&file, EMERGENCY)?;
    let file = file.display().to_string();
    let put = ["policy", "put", "emergency", &file];
    let api = ["--api", &node.address, "--json"];
    cli::fogward_json([&put[..], &api].concat())?;
    Ok(subject)
}

/// The steps; `look` is given the name of what is on the screen.
async fn follow(page: &Page, subject: &str, look: impl AsyncFn(&str) -> Result<()>) -> Result<()> {
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
    // The desktop window is lower than the form.
    page.script(
        "document.querySelector('[data-testid=ask-send]').scrollIntoView({ block: 'center' })",
    )
    .await?;
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
    look("live").await?;

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
    look("cut").await
}
