//! A wearable that speaks level-0 over Bluetooth is paired by its key or its code, and the adapter is tested with it.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bluez_fake::{Daemon, Fake, lock};
use e2e::browser::{Browser, PAGE_FITS};
use e2e::cli::{self, Node};
use e2e::page::Page;
use fogward_level0::{
    Chunk, DeviceId, FrameReader, MAX_WIRE, Offer, Outgoing, PairingCode, PairingKey, Reading,
    Sensor, Unpaired, metric, quality,
};
use tempfile::TempDir;
use tokio::task::JoinHandle;

const ADDRESS: &str = "C4:F2:17:1A:1D:BB";
/// The Nordic UART Service; what the device is written, and what it notifies.
const SERVICE: &str = "6e400001-b5a3-f393-e0a9-e50e24dcca9e";
const RX: &str = "6e400002-b5a3-f393-e0a9-e50e24dcca9e";
const TX: &str = "6e400003-b5a3-f393-e0a9-e50e24dcca9e";
const KEY: [u8; 32] = [0x5a; 32];
/// So much as a frame needs, and more than most.
const MTU: u16 = 247;
/// Vector 12 of the protocol (`docs/level0-protocol.md`).
const CODE: &str = "000G-40R4-0M30-E209-185G-R38E-1W0H";
const DEVICE: DeviceId = DeviceId([7; 8]);
const PULSE: &str = "61";
const MEASURED: Outgoing<'_> = Outgoing::Readings {
    time_millis: None,
    readings: &[Reading {
        metric: metric::HEART_RATE,
        quality: quality::GOOD,
        mantissa: 61,
        exponent: 0,
    }],
};
/// A pairing takes a nurse less than this.
const PAIRED_WITHIN: Duration = Duration::from_secs(60);
/// Keys of a keyboard, as WebDriver names them.
const TAB: &str = "\u{e004}";
const BACK_TAB: &str = "\u{e008}\u{e004}";
const RETURN: &str = "\u{e007}";
const LEFT: &str = "\u{e012}";
const RIGHT: &str = "\u{e014}";
/// Sizes of a phone and a desk.
const SIZES: [(u32, u32); 2] = [(390, 844), (1280, 800)];

/// Goal: a level-0 sensor in the inbox is paired by its key on the keyboard alone, and its proven values are shown;
/// a mistyped key and a mistyped code are told at once; the adapter's self-test shows its progress, its figures,
/// a record that verifies, and the older ones. Method: the firmware's own frames behind a fake BlueZ; Chromium.
#[tokio::test(flavor = "multi_thread")]
async fn a_wearable_is_paired_by_its_key() -> Result<()> {
    let stage = Stage::with(Wearable::with_key()).await?;
    let shown = async {
        pair_by_key(&stage.browser).await?;
        test_adapter(&stage.browser, &stage.folder.path().join("downloads")).await
    };
    let shown = shown.await;
    stage.end(shown).await
}

/// Goal: the same with one that has only its one-time code. Method: the same, with the device side of the pairing.
#[tokio::test(flavor = "multi_thread")]
async fn a_wearable_is_paired_by_its_code() -> Result<()> {
    let stage = Stage::with(Wearable::with_code()?).await?;
    let paired = pair_by_code(&stage.browser).await;
    stage.end(paired).await
}

/// A node with a fake BlueZ, a wearable near it, and a browser. What is first ends first.
struct Stage {
    browser: Browser,
    node: Node,
    folder: TempDir,
    worn: JoinHandle<()>,
    _bus: Daemon,
}

impl Stage {
    async fn with(wearable: Wearable) -> Result<Self> {
        let bus = Daemon::start();
        let air = Fake::start_on(&bus.address).await;
        let worn = tokio::spawn(wear(air, wearable));
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(cli::program("fogward")?);
        command
            .env("DBUS_SYSTEM_BUS_ADDRESS", &bus.address)
            .args(["run", "--api", "127.0.0.1:0", "--ble", "--data"])
            .arg(folder.path().join("data"));
        let node = Node::from_command(&mut command)?;
        let browser = Browser::start(&folder.path().join("downloads")).await?;
        browser.page.open(&node.address).await?;
        Ok(Self {
            browser,
            node,
            folder,
            worn,
            _bus: bus,
        })
    }

    async fn end(self, shown: Result<()>) -> Result<()> {
        let failure = cli::picture("wearable-failure")?;
        self.browser.page.explain(shown, &failure).await?;
        drop(self.browser);
        self.node.stop()?;
        self.worn.abort();
        Ok(())
    }
}

/// The device side of the protocol: with a key, or offering itself until it has one.
struct Wearable {
    reader: FrameReader,
    unpaired: Option<Unpaired>,
    sensor: Option<Sensor>,
}

impl Wearable {
    fn with_key() -> Self {
        Self {
            reader: FrameReader::default(),
            unpaired: None,
            sensor: Some(Sensor::new(DEVICE, PairingKey::from_bytes(KEY), 1)),
        }
    }

    fn with_code() -> Result<Self> {
        let code: PairingCode = CODE.parse().ok().context("no code")?;
        Ok(Self {
            reader: FrameReader::default(),
            unpaired: Some(Unpaired::new(DEVICE, &code, 1)),
            sensor: None,
        })
    }

    /// Hears, and says what is due.
    fn round(&mut self, heard: &[u8]) -> Option<Vec<u8>> {
        for &byte in heard {
            if let (Some(Chunk::Frame(frame)), Some(unpaired)) =
                (self.reader.push(byte), &mut self.unpaired)
                && let Ok(key) = unpaired.open(frame)
            {
                let key = PairingKey::from_bytes(key.try_into().ok()?);
                self.sensor = Some(Sensor::new(DEVICE, key, 1));
            }
        }
        let mut wire = [0; MAX_WIRE];
        let length = match (&mut self.sensor, &mut self.unpaired) {
            (Some(sensor), _) => sensor.seal(&MEASURED, &mut wire),
            (None, unpaired) => unpaired.as_mut()?.offer(&Offer::AsconTag, &mut wire),
        };
        Some(wire.get(..length.ok()?)?.to_vec())
    }
}

/// Advertises until it is connected, and speaks five times a second then.
async fn wear(air: Fake, mut wearable: Wearable) {
    air.plug_in("hci0", "AA:AA:AA:00:00:01", true).await;
    let line = vec![
        (TX.to_owned(), vec!["notify"]),
        (RX.to_owned(), vec!["write-without-response"]),
    ];
    air.appear_with("hci0", ADDRESS, SERVICE.to_owned(), line, MTU)
        .await;
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        if !air.is_connected("hci0", ADDRESS).await {
            air.advertise("hci0", ADDRESS).await;
            continue;
        }
        let written = std::mem::take(&mut lock(&air.script).written);
        let heard: Vec<u8> = written.into_iter().flat_map(|(.., piece)| piece).collect();
        if let Some(wire) = wearable.round(&heard) {
            air.notify("hci0", ADDRESS, &wire).await;
        }
    }
}

/// Opens the pairing of the wearable in the inbox, by the return key; the first thing asked has the focus.
async fn open_pairing(browser: &Browser) -> Result<()> {
    let page = &browser.page;
    page.script("location.hash = '#/devices'").await?;
    let found = format!("[data-testid=inbox-found][data-address='{ADDRESS}']");
    page.find_css(&found).await?;
    browser.look("wearable-inbox", &SIZES, PAGE_FITS).await?;
    let link = format!("{found} [data-testid=inbox-pair]");
    page.find_css(&link).await?.send_keys(RETURN).await?;
    page.until_attribute("ble-stage", "data-stage", "line")
        .await?;
    until_focused(page, "the ways to pair", "input[name=ble-way]").await
}

/// Nobody wears it yet; its values are on its page.
async fn finish(page: &Page) -> Result<()> {
    until_focused(page, "who wears it", "[data-testid=ble-subject]").await?;
    page.press(RETURN).await?;
    page.until_attribute("vital-8867-4", "data-value", PULSE)
        .await
}

async fn pair_by_code(browser: &Browser) -> Result<()> {
    let page = &browser.page;
    open_pairing(browser).await?;
    page.press(RIGHT).await?;
    page.press(TAB).await?;
    until_focused(page, "the code", "[data-testid=pair-code]").await?;
    let letters: String = CODE.to_lowercase().replace('-', "");
    page.press(&letters).await?;
    page.until("the code to be right", || async {
        let next = page.find("pair-code-next").await?;
        Ok(next.is_enabled().await?.then_some(()))
    })
    .await?;
    page.press(RETURN).await?;
    page.find("pair-progress").await?;
    page.until_attribute("ble-stage", "data-stage", "paired")
        .await?;
    finish(page).await
}

async fn pair_by_key(browser: &Browser) -> Result<()> {
    let page = &browser.page;
    let begun = Instant::now();
    open_pairing(browser).await?;

    // A code with a letter that is not right, on the way.
    page.press(RIGHT).await?;
    page.press(TAB).await?;
    until_focused(page, "the code", "[data-testid=pair-code]").await?;
    page.press(&"0".repeat(27)).await?;
    page.press("1").await?;
    page.find_css(".note[data-code=DEV-20]").await?;
    browser.look("wearable-code", &SIZES, PAGE_FITS).await?;
    page.press(BACK_TAB).await?;
    page.press(LEFT).await?;
    page.press(TAB).await?;

    let key = hex::encode(KEY);
    until_focused(page, "the key", "[data-testid=pair-key]").await?;
    let (all_but_one, last) = key.split_at(key.len() - 1);
    page.press(all_but_one).await?;
    page.until_attribute("pair-key", "aria-invalid", "true")
        .await?;
    ensure!(!page.find("pair-listen").await?.is_enabled().await?);
    page.press(last).await?;
    browser.look("wearable-key", &SIZES, PAGE_FITS).await?;
    page.press(RETURN).await?;
    page.until_attribute("ble-stage", "data-stage", "paired")
        .await?;
    browser.look("wearable-paired", &SIZES, PAGE_FITS).await?;
    finish(page).await?;
    let took = begun.elapsed();
    ensure!(took < PAIRED_WITHIN, "it took {took:?}");
    browser.look("wearable-device", &SIZES, PAGE_FITS).await
}

async fn test_adapter(browser: &Browser, downloads: &Path) -> Result<()> {
    let page = &browser.page;
    page.script("location.hash = '#/devices'").await?;
    page.find_css("[data-testid=adapter][data-adapter=hci0]")
        .await?;
    for records in 1..=2 {
        page.click("device-test").await?;
        page.find("self-test-progress").await?;
        if records == 1 {
            browser.look("adapter-running", &SIZES, PAGE_FITS).await?;
        }
        page.until("the test's end", || async {
            let figures = "return document.querySelector('[data-testid=self-test-progress]') ? 0 : \
                document.querySelectorAll('[data-testid=commissioning-figure]').length";
            Ok((page.script(figures).await? == 5).then_some(()))
        })
        .await?;
    }
    // The node keeps them: they are there at the next visit.
    page.script("location.hash = '#/proofs'").await?;
    page.script("location.hash = '#/devices'").await?;
    // One device cannot show what five at once would.
    page.until_attribute("commissioning", "data-outcome", "Incomplete")
        .await?;
    let tries = "[data-check=two-tries][data-verdict=Reached]";
    page.find_css(tries).await?;
    page.click("commissionings-open").await?;
    page.find("commissioning-older").await?;
    page.script("document.querySelector('[data-testid=commissionings-open]').scrollIntoView()")
        .await?;
    browser.look("adapter-tested", &SIZES, PAGE_FITS).await?;

    page.click("commissioning-save").await?;
    let file = page
        .until("the saved record", || async {
            let files = std::fs::read_dir(downloads)?.flatten();
            let mut files = files.map(|file| file.path());
            Ok(files.find(|file| file.extension().is_some_and(|end| end == "json")))
        })
        .await?;
    let verified = cli::fogward_json([
        "verify".as_ref(),
        file.as_os_str(),
        "--commissioning".as_ref(),
        "--json".as_ref(),
    ])?;
    ensure!(verified["valid"] == true, "{verified}");
    ensure!(verified["record"]["kind"] == "adapter", "{verified}");
    Ok(())
}

/// Waits until the focus is on an element that a selector picks.
async fn until_focused(page: &Page, what: &str, selector: &str) -> Result<()> {
    let script = format!("return document.activeElement.matches(\"{selector}\")");
    let focused = page.until(what, || async {
        Ok((page.script(&script).await? == true).then_some(()))
    });
    focused.await.context("the focus is elsewhere")
}
