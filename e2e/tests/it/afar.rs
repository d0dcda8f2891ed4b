//! The console on another machine: over TLS, with the node's own certificate, and a session.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::browser::{Browser, PAGE_FITS};
use e2e::cli::{self, Node};
use e2e::page::Page;
use ledger_core::Digest;
use x509_parser::pem::parse_x509_pem;

use crate::people::{App, heading, register, sign_in};

const ENTER: &str = "\u{e007}";
const SIZES: [(u32, u32); 2] = [(390, 844), (1280, 720)];
/// An address of this machine that is not the one the token is for.
const DOOR: &str = "127.140.1.1:0";

/// Goal: the console works from another machine as it does here, with its live values and the wall; without a session
/// it shows nothing and is answered nothing, while nobody is registered it says where the first one is, and a browser that does not know the node's certificate opens nothing.
/// Method: Chromium twice: at the machine, where people are registered, and with the pin of the certificate, elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn the_console_works_from_another_machine() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let node = Node::start(&data, &["--demo=1", "--tls", DOOR])?;
    let door = node.afar.clone().context("it listens for others")?;

    let pin = pin(&data)?;
    let browser = Browser::start_pinned(folder.path(), &pin).await?;
    browser.page.open(&door).await?;
    let nobody = nobody_yet(&browser).await;
    let failure = cli::picture("afar-nobody-failure")?;
    browser.page.explain(nobody, &failure).await?;

    at_a_bed(&node)?;
    let here = Browser::start(folder.path()).await?;
    here.page.open(&node.address).await?;
    let people = registered(&here.page).await;
    let failure = cli::picture("afar-here-failure")?;
    let mut people = here.page.explain(people, &failure).await?;
    here.page.open(&door).await?;
    let warned = here.page.script("return location.href").await?;
    ensure!(
        warned == "chrome-error://chromewebdata/",
        "nobody vouches for the certificate: {warned}"
    );
    drop(here);

    browser.page.click("door-again").await?;
    let worked = work(&browser, &mut people).await;
    let failure = cli::picture("afar-failure")?;
    browser.page.explain(worked, &failure).await?;
    drop(browser);
    node.stop()
}

/// While nobody is registered it shows nothing, either, and says where the first one is.
async fn nobody_yet(browser: &Browser) -> Result<()> {
    let page = &browser.page;
    heading(page, "door-heading", "Nobody is registered yet").await?;
    let fields = "return document.querySelectorAll('input').length";
    ensure!(
        page.script(fields).await? == 0,
        "there is nobody to sign in"
    );
    nothing_is_shown(page).await?;
    browser.look("afar-nobody", &SIZES, PAGE_FITS).await
}

/// The device is at a bed of ward 3A.
fn at_a_bed(node: &Node) -> Result<()> {
    let api = ["--api", &node.address, "--json"];
    let devices = cli::fogward_json([&["device", "list"][..], &api].concat())?;
    let device = devices[0]["id"].as_str().context("a device")?;
    let place = ["device", "place", device, "--ward", "3A", "--bed", "1"];
    cli::fogward_json([&place[..], &api].concat()).map(drop)
}

/// What browsers know the node's key by.
fn pin(data: &Path) -> Result<String> {
    let pem = std::fs::read(data.join("tls/certificate.pem"))?;
    let (_, pem) = parse_x509_pem(&pem)?;
    let key = Digest::of(pem.parse_x509()?.public_key().raw);
    Ok(STANDARD.encode(key.as_bytes()))
}

struct People {
    nina: App,
    /// The administrator's, in the place of her app.
    recovery_code: String,
}

/// At the machine itself.
async fn registered(page: &Page) -> Result<People> {
    let mut anna = register(page, "anna", None).await?;
    let recovery_code = page.text("recovery-code").await?;
    page.click("enrolment-done").await?;
    sign_in(page, "anna", &mut anna).await?;
    let nina = register(page, "nina", Some("nurse")).await?;
    page.click("enrolment-done").await?;
    Ok(People {
        nina,
        recovery_code,
    })
}

async fn work(browser: &Browser, people: &mut People) -> Result<()> {
    let page = &browser.page;
    heading(page, "door-heading", "Sign in").await?;
    nothing_is_shown(page).await?;
    browser.look("afar-sign-in", &SIZES, PAGE_FITS).await?;

    sign_in(page, "nina", &mut people.nina).await?;
    browser.look("afar-overview", &SIZES, PAGE_FITS).await?;
    page.click("nav-devices").await?;
    let device = page.find_css("[data-testid=device-row] a").await?;
    device.click().await?;
    values_come(page, "vital").await?;
    browser.look("afar-device", &SIZES, PAGE_FITS).await?;
    page.script("location.hash = '#/wall'").await?;
    values_come(page, "wall-figure").await?;
    browser.look("afar-wall", &SIZES, PAGE_FITS).await?;
    page.click("wall-leave").await?;

    page.click("who").await?;
    page.click("lock").await?;
    let locked = "nina of ward 3, enter your passphrase";
    heading(page, "door-heading", locked).await?;
    nothing_is_shown(page).await?;
    page.type_into("door-passphrase", &format!("nina knows four words{ENTER}"))
        .await?;
    page.find("who").await?;
    page.find("device-row").await?;

    page.click("who").await?;
    page.click("lock").await?;
    page.click("door-somebody-else").await?;
    page.type_into("door-login", "anna").await?;
    page.type_into("door-passphrase", "anna knows four words")
        .await?;
    page.type_into("door-code", &format!("{}{ENTER}", people.recovery_code))
        .await?;
    page.click("nav-people").await?;
    heading(page, "page-heading", "2 people may sign in").await
}

/// Nothing of the ward is on screen, and the page is answered nothing.
async fn nothing_is_shown(page: &Page) -> Result<()> {
    let shown = "return document.querySelectorAll('.rail, [data-testid=device-row]').length";
    ensure!(page.script(shown).await? == 0, "it shows nothing");
    for path in ["/api/devices", "/api/status", "/api/events"] {
        let asked = format!("return fetch('{path}').then(answer => answer.status)");
        let status = page.script(&asked).await?;
        ensure!(status == 401, "{path}: {status}");
    }
    Ok(())
}

/// The numbers with this test id, or one that begins so, change by themselves.
async fn values_come(page: &Page, id: &str) -> Result<()> {
    let values = format!(
        "return [...document.querySelectorAll('[data-testid^={id}]')].map(one => one.dataset.value).join(' ').trim()"
    );
    let first = page
        .until("a value", || async {
            let values = page.script(&values).await?;
            Ok(Some(values).filter(|values| *values != ""))
        })
        .await?;
    page.until("another value", || async {
        Ok((page.script(&values).await? != first).then_some(()))
    })
    .await
}
