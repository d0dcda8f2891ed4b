//! A level-0 device by Bluetooth that has only its one-time code: the firmware's own code behind the two
//! characteristics of the Nordic UART Service, played by the fake. Its flash is what it has stored.

use crate::bus::{HEART_RATE, HEART_RATE_MEASUREMENT, SENSOR, SOON, config};
use bluez_fake::{Fake, lock};
use device_drivers::ble::provision;
use device_drivers::{HostKey, PairingKey, ProvisionError, Provisioned, ReasonCode};
use fogward_level0::{
    Authentication, Chunk, DeviceId, DeviceKey, FrameReader, HmacKey, MAX_WIRE, Offer, Outgoing,
    PairingCode, Provisioning, Sensor, SigningKey, Unpaired,
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const ADAPTER: &str = "AA:AA:AA:00:00:01";
const SERVICE: &str = "6e400001-b5a3-f393-e0a9-e50e24dcca9e";
const RX: &str = "6e400002-b5a3-f393-e0a9-e50e24dcca9e";
const TX: &str = "6e400003-b5a3-f393-e0a9-e50e24dcca9e";
const SMALLEST_MTU: u16 = 23;
/// A write's operation and handle.
const HEAD: u16 = 3;
/// So long a test waits for what is not to come.
const SHORT: Duration = Duration::from_millis(1_500);
const SIGNING_SECRET: [u8; 32] = [0x33; 32];

fn code() -> PairingCode {
    PairingCode::from_bytes([9; 16])
}

fn fresh() -> Provisioning {
    Provisioning::new(&code(), PairingKey::from_bytes([0x5a; 32]))
}

/// A device, switched on.
struct Pod {
    fake: Fake,
    class: Authentication,
    mtu: u16,
    unpaired: Unpaired,
    ears: FrameReader,
    /// How many written pieces went through its ears.
    pieces: usize,
    /// Its flash.
    key: Option<Vec<u8>>,
    epoch: u32,
    /// Lets the link fall once it has stored its key, before it could prove it.
    drops_with_key: bool,
    /// Says nothing at all.
    is_mute: bool,
}

impl Pod {
    async fn on(class: Authentication, mtu: u16) -> Pod {
        let fake = Fake::start().await;
        fake.plug_in("hci0", ADAPTER, true).await;
        let line = vec![
            (TX.to_owned(), vec!["notify"]),
            (RX.to_owned(), vec!["write-without-response"]),
        ];
        fake.appear_with("hci0", SENSOR, SERVICE.to_owned(), line, mtu)
            .await;
        Pod {
            fake,
            class,
            mtu,
            unpaired: Unpaired::new(DeviceId([8; 8]), &code(), 1),
            ears: FrameReader::default(),
            pieces: 0,
            key: None,
            epoch: 1,
            drops_with_key: false,
            is_mute: false,
        }
    }

    /// Hears, and says what is due, again and again.
    async fn play(&mut self) {
        loop {
            sleep(Duration::from_millis(50)).await;
            if !self.fake.is_connected("hci0", SENSOR).await || self.is_mute {
                continue;
            }
            let had_key = self.key.is_some();
            self.hear();
            if self.drops_with_key && !had_key && self.key.is_some() {
                self.drops_with_key = false;
                self.fake.drop_link("hci0", SENSOR).await;
                continue;
            }
            let frame = self.due();
            for piece in frame.chunks(usize::from(self.mtu - HEAD)) {
                self.fake.notify("hci0", SENSOR, piece).await;
            }
        }
    }

    fn hear(&mut self) {
        let written = lock(&self.fake.script).written[self.pieces..].to_vec();
        self.pieces += written.len();
        for byte in written.into_iter().flat_map(|(.., piece)| piece) {
            if let Some(Chunk::Frame(frame)) = self.ears.push(byte)
                && let Ok(key) = self.unpaired.open(frame)
            {
                self.key.get_or_insert(key.to_vec());
            }
        }
    }

    /// An offer, or once it has a key a frame under it.
    fn due(&mut self) -> Vec<u8> {
        let mut wire = [0; MAX_WIRE];
        let length = match &self.key {
            None => {
                let offer = match self.class {
                    Authentication::HmacTag => Offer::HmacTag,
                    Authentication::Signature => {
                        Offer::Signature(SigningKey::new(&SIGNING_SECRET, [0; 16]).public_key())
                    }
                    _ => Offer::AsconTag,
                };
                self.unpaired.offer(&offer, &mut wire).unwrap()
            }
            Some(key) => {
                self.epoch += 1;
                let pairing = |key: &[u8]| PairingKey::from_bytes(key.try_into().unwrap());
                match self.class {
                    Authentication::HmacTag => {
                        seal(HmacKey::new(&pairing(key)), self.epoch, &mut wire)
                    }
                    Authentication::Signature => {
                        let host = key.as_slice().try_into().unwrap();
                        let key = SigningKey::new(&SIGNING_SECRET, host);
                        seal(key, self.epoch, &mut wire)
                    }
                    _ => seal(pairing(key), self.epoch, &mut wire),
                }
            }
        };
        wire[..length].to_vec()
    }

    /// The host's try, while the device plays.
    async fn tried(
        &mut self,
        pairing: Provisioning,
        stored: &mut Option<HostKey>,
        within: Duration,
    ) -> Result<Provisioned, ProvisionError> {
        let store = |_, key: HostKey| {
            *stored = Some(key);
            std::future::ready(true)
        };
        let config = config();
        let tried = provision(&config, pairing, store, within);
        let ended = tokio::select! {
            ended = tried => ended,
            () = self.play() => unreachable!("it plays for ever"),
        };
        let is_held = self.fake.is_connected("hci0", SENSOR).await;
        assert!(!is_held, "the device is let go");
        ended
    }
}

fn seal<K: DeviceKey>(key: K, epoch: u32, wire: &mut [u8]) -> usize {
    let reading = Outgoing::Readings {
        time_millis: None,
        readings: &[],
    };
    Sensor::new(DeviceId([8; 8]), key, epoch)
        .seal(&reading, wire)
        .unwrap()
}

fn link_reason(ended: Result<Provisioned, ProvisionError>) -> ReasonCode {
    match ended.unwrap_err() {
        ProvisionError::Link(reason) => reason.code,
        other => panic!("{other}"),
    }
}

/// Goal: a device of each class gets its key by radio and proves it, in pieces that fit, and its code is good
/// once. Method: the smallest MTU and a usual one; then another key for the same code.
pub(crate) async fn a_code_gives_each_class_its_key_over_gatt() {
    for (class, mtu) in [
        (Authentication::AsconTag, SMALLEST_MTU),
        (Authentication::HmacTag, 247),
        (Authentication::Signature, SMALLEST_MTU),
    ] {
        let mut pod = Pod::on(class, mtu).await;
        let mut stored = None;
        let paired = pod.tried(fresh(), &mut stored, SOON).await.unwrap();
        assert_eq!(paired.device_id, DeviceId([8; 8]));
        assert_eq!(paired.key.authentication(), class);
        assert_eq!(paired.key.expose(), stored.take().unwrap().expose());
        let pieces = lock(&pod.fake.script).written.clone();
        let longest = pieces.iter().map(|(.., piece)| piece.len()).max();
        assert!(longest <= Some(usize::from(mtu - HEAD)), "{longest:?}");

        let late = Provisioning::new(&code(), PairingKey::from_bytes([7; 32]));
        let refused = pod.tried(late, &mut stored, SOON).await;
        assert_eq!(refused.unwrap_err(), ProvisionError::Spent);
        assert!(stored.is_none(), "{class:?}");
    }
}

/// Goal: what is no device of this code is named, and is sent no key. Method: another code, a device that says
/// nothing, one without the service, one that wants a bond first, and one that is not there.
pub(crate) async fn a_wrong_device_is_named_and_gets_no_key() {
    let mut pod = Pod::on(Authentication::AsconTag, 247).await;
    let mut stored = None;
    let other = PairingCode::from_bytes([1; 16]);
    let wrong = Provisioning::new(&other, PairingKey::from_bytes([0x5a; 32]));
    let refused = pod.tried(wrong, &mut stored, SOON).await;
    assert_eq!(refused.unwrap_err(), ProvisionError::NotThisCode);
    pod.is_mute = true;
    let silent = pod.tried(fresh(), &mut stored, SHORT).await;
    assert_eq!(silent.unwrap_err(), ProvisionError::Silent);
    lock(&pod.fake.script).refuses_notify = true;
    let locked = pod.tried(fresh(), &mut stored, SOON).await;
    assert_eq!(link_reason(locked), ReasonCode::PairingNeeded);
    pod.fake.vanish("hci0", SENSOR).await;
    let gone = pod.tried(fresh(), &mut stored, SOON).await;
    assert_eq!(link_reason(gone), ReasonCode::DeviceNotFound);
    pod.fake
        .appear("hci0", SENSOR, HEART_RATE, HEART_RATE_MEASUREMENT)
        .await;
    let another = pod.tried(fresh(), &mut stored, SOON).await;
    assert_eq!(link_reason(another), ReasonCode::NoKnownProfile);
    assert!(lock(&pod.fake.script).written.is_empty());
    assert!(stored.is_none());
}

/// Goal: a link that falls in the middle costs nothing: the same code goes on with the same key. Method: the
/// key's first piece cannot be written; then the link falls once the device has stored the key, before it
/// proves it.
pub(crate) async fn a_link_that_falls_in_the_exchange_costs_nothing() {
    let mut pod = Pod::on(Authentication::AsconTag, SMALLEST_MTU).await;
    let mut stored = None;
    lock(&pod.fake.script).refuses_writes = true;
    let refused = pod.tried(fresh(), &mut stored, SOON).await;
    assert_eq!(link_reason(refused), ReasonCode::PairingNeeded);
    let kept = stored.clone().expect("it was stored before it was sent");
    assert!(pod.key.is_none());
    lock(&pod.fake.script).refuses_writes = false;

    pod.drops_with_key = true;
    let again = Provisioning::resume(&code(), kept.clone());
    let fallen = pod.tried(again, &mut stored, SOON).await;
    assert_eq!(link_reason(fallen), ReasonCode::ConnectionLost);
    assert!(pod.key.is_some());

    let again = Provisioning::resume(&code(), kept.clone());
    let paired = pod.tried(again, &mut stored, SOON).await.unwrap();
    assert_eq!(paired.key.expose(), kept.expose());
    assert_eq!(pod.key.as_deref(), Some(&kept.expose()[..]));
}

/// Goal: a try that is given up lets the device go. Method: it is dropped while it waits for a mute one.
pub(crate) async fn a_try_that_is_given_up_lets_the_device_go() {
    let pod = Pod::on(Authentication::AsconTag, 247).await;
    let begun = tokio::spawn(async {
        let stored = |_, _| std::future::ready(true);
        provision(&config(), fresh(), stored, SOON).await
    });
    let until = async |connected: bool| {
        let begun = Instant::now();
        while pod.fake.is_connected("hci0", SENSOR).await != connected {
            assert!(begun.elapsed() < SOON, "connected: {}", !connected);
            sleep(Duration::from_millis(10)).await;
        }
    };
    until(true).await;
    begun.abort();
    until(false).await;
}
