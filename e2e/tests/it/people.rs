//! People who sign in at a shared window: the first administrator, a nurse beside her, and a lock between them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use e2e::browser::{Browser, PAGE_FITS};
use e2e::cli::{self, Node};
use e2e::page::Page;
use totp_rs::{Builder, Secret, Totp};

const ENTER: &str = "\u{e007}";
const SIZES: [(u32, u32); 2] = [(390, 844), (1280, 720)];

/// Goal: once an administrator is registered nobody sees anything without signing in; a locked window shows
/// nothing and opens by the passphrase; a nurse signs in beside her and is not shown what is not hers. Method:
/// Chromium on a simulated ward, an authenticator app made of the address that is shown once.
#[tokio::test(flavor = "multi_thread")]
async fn people_share_a_window() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let node = Node::start(&folder.path().join("data"), &["--demo=2"])?;
    let browser = Browser::start(folder.path()).await?;
    browser.page.open(&node.address).await?;
    let shared = share(&browser).await;
    let failure = cli::picture("people-failure")?;
    browser.page.explain(shared, &failure).await?;
    drop(browser);
    node.stop()
}

/// Somebody's authenticator app.
pub(crate) struct App {
    totp: Totp,
    last_step: u64,
}

impl App {
    /// Takes what is shown once and says that it is kept.
    async fn enrol(page: &Page) -> Result<Self> {
        page.find("enrolment-qr").await?;
        let codes = "return document.querySelectorAll('[data-testid=recovery-code]').length";
        ensure!(page.script(codes).await? == 10);
        let address =
            "return document.querySelector('[data-testid=enrolment-address]').textContent";
        let address = page.script(address).await?;
        let address = address.as_str().context("an address is shown")?;
        let secret = address.split("secret=").nth(1).unwrap_or_default();
        let secret = secret.split('&').next().unwrap_or_default();
        let secret = Secret::try_from_base32(secret)?;
        let totp = Builder::new().with_secret(secret).build()?;
        Ok(Self { totp, last_step: 0 })
    }

    /// The code that is shown now, or the next one if that was used.
    pub(super) async fn code(&mut self) -> Result<String> {
        loop {
            let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / 30;
            let step = now.max(self.last_step + 1);
            if step <= now + 1 {
                self.last_step = step;
                return Ok(self.totp.generate(step * 30).to_string());
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

pub(crate) async fn register(page: &Page, login: &str, role: Option<&str>) -> Result<App> {
    page.click("nav-people").await?;
    page.type_into("person-login", login).await?;
    page.type_into("person-name", &format!("{login} of ward 3"))
        .await?;
    if let Some(role) = role {
        let check = format!("[data-testid='person-role'][data-key='{role}']");
        page.find_css(&check).await?.click().await?;
    }
    let words = format!("{login} knows four words");
    page.type_into("person-passphrase", &words).await?;
    page.type_into("person-again", &format!("{words}{ENTER}"))
        .await?;
    App::enrol(page).await
}

pub(crate) async fn sign_in(page: &Page, login: &str, app: &mut App) -> Result<()> {
    page.type_into("door-login", login).await?;
    let words = format!("{login} knows four words");
    page.type_into("door-passphrase", &words).await?;
    let code = app.code().await?;
    page.type_into("door-code", &format!("{code}{ENTER}"))
        .await?;
    page.find("who").await.map(drop)
}

/// Registers an administrator, who has these roles besides, and by her somebody with a role, who signs in at the same
/// window; the apps of both.
pub(crate) async fn two_people(
    page: &Page,
    (admin, besides): (&str, Option<&str>),
    (login, role): (&str, &str),
) -> Result<[App; 2]> {
    let mut first = register(page, admin, besides).await?;
    page.click("enrolment-done").await?;
    sign_in(page, admin, &mut first).await?;
    let mut second = register(page, login, Some(role)).await?;
    page.click("enrolment-done").await?;
    page.click("who").await?;
    page.click("lock").await?;
    page.click("door-somebody-else").await?;
    sign_in(page, login, &mut second).await?;
    Ok([first, second])
}

/// The session at this window is locked, and somebody who is signed in at it, too, opens the other one.
pub(crate) async fn somebody_else(page: &Page, login: &str) -> Result<()> {
    page.click("who").await?;
    page.click("lock").await?;
    page.click("door-other").await?;
    let door = format!("{login} of ward 3, enter your passphrase");
    heading(page, "door-heading", &door).await?;
    let words = format!("{login} knows four words{ENTER}");
    page.type_into("door-passphrase", &words).await?;
    page.find("who").await.map(drop)
}

pub(crate) async fn heading(page: &Page, id: &str, expected: &str) -> Result<()> {
    page.until(&format!("the heading `{expected}`"), || async {
        let said = page.text(id).await.unwrap_or_default();
        Ok((said == expected).then_some(()))
    })
    .await
}

async fn share(browser: &Browser) -> Result<()> {
    let page = &browser.page;
    page.click("nav-people").await?;
    heading(page, "page-heading", "Nobody is registered yet").await?;
    browser.look("people-none", &SIZES, PAGE_FITS).await?;
    let mut anna = register(page, "anna", None).await?;
    browser.look("people-enrolled", &SIZES, PAGE_FITS).await?;
    page.click("enrolment-done").await?;
    heading(page, "door-heading", "Sign in").await?;
    browser.look("door-sign-in", &SIZES, PAGE_FITS).await?;
    page.type_into("door-login", "anna").await?;
    page.type_into("door-passphrase", "not her words").await?;
    page.type_into("door-code", &format!("000000{ENTER}"))
        .await?;
    page.find_css("[data-code='AUTH-02']").await?;
    page.script("location.reload()").await?;
    sign_in(page, "anna", &mut anna).await?;

    let mut nina = register(page, "nina", Some("nurse")).await?;
    page.click("enrolment-done").await?;
    page.find_css("[data-testid='person-row'][data-login='nina']")
        .await?;
    heading(page, "page-heading", "2 people may sign in").await?;
    browser.look("people", &SIZES, PAGE_FITS).await?;

    page.click("who").await?;
    page.click("lock").await?;
    heading(
        page,
        "door-heading",
        "anna of ward 3, enter your passphrase",
    )
    .await?;
    browser.look("door-locked", &SIZES, PAGE_FITS).await?;
    let devices = "return document.querySelectorAll('[data-testid=device-row], .rail').length";
    ensure!(
        page.script(devices).await? == 0,
        "a locked window shows nothing"
    );
    page.type_into("door-passphrase", &format!("anna knows four words{ENTER}"))
        .await?;
    page.find("who").await?;
    heading(page, "page-heading", "2 people may sign in").await?;

    page.click("who").await?;
    page.click("lock").await?;
    page.click("door-somebody-else").await?;
    sign_in(page, "nina", &mut nina).await?;
    page.find("not-for-you").await?;
    let menu = page.find("nav-people").await?;
    ensure!(!menu.is_displayed().await?, "the menu shows what is hers");
    browser.look("not-for-you", &SIZES, PAGE_FITS).await?;
    page.click("nav-devices").await?;
    page.find("device-row").await?;
    page.click("who").await?;
    page.click("sign-out").await?;
    heading(
        page,
        "door-heading",
        "anna of ward 3, enter your passphrase",
    )
    .await
}
