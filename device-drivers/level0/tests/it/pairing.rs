//! Goal: from a one-time code to one key on both sides, whatever is lost and whoever is reset at any
//! moment, and nothing for anybody without the code. Method: both state machines with a line and
//! power that fail at will; the key they end with is compared.

use crate::DEVICE;
use fogward_level0::{
    CodeError, DeviceClass, Hello, HmacKey, HostKey, MAX_WIRE, Offer, Outgoing, PairingCode,
    PairingKey, Progress, Provisioning, Refusal, Sensor, SigningKey, Unpaired,
};
use proptest::prelude::*;

const NOW: u64 = 1_770_000_000_000;
const HELLO: Outgoing<'static> = Outgoing::Hello(Hello {
    firmware: [0, 1, 0],
    class: DeviceClass::Lightweight,
    readings_per_1000_s: 1_000,
    is_listening: true,
});

fn code() -> PairingCode {
    PairingCode::from_bytes(core::array::from_fn(|index| index as u8))
}

fn secret() -> PairingKey {
    PairingKey::from_bytes(core::array::from_fn(|index| index as u8 + 100))
}

/// What survives a reset of a device: how often it was started, and its key if it has one.
#[derive(Clone, Debug)]
struct Device {
    offer: Offer,
    epoch: u32,
    key: Option<Vec<u8>>,
}

impl Device {
    fn new(class: usize) -> Device {
        let public = SigningKey::new(&[9; 32], [0; 16]).public_key();
        let offers = [Offer::AsconTag, Offer::HmacTag, Offer::Signature(public)];
        Device {
            offer: offers[class],
            epoch: 0,
            key: None,
        }
    }

    /// Starts it and hears what it says first: an offer, or a Hello under its key.
    fn say(&mut self) -> Vec<u8> {
        self.epoch += 1;
        let mut wire = [0; MAX_WIRE];
        let length = match (&self.key, self.offer) {
            (None, offer) => Unpaired::new(DEVICE, &code(), self.epoch).offer(&offer, &mut wire),
            (Some(key), Offer::AsconTag) => {
                Sensor::new(DEVICE, pairing_key(key), self.epoch).seal(&HELLO, &mut wire)
            }
            (Some(key), Offer::HmacTag) => {
                let key = HmacKey::new(&pairing_key(key));
                Sensor::new(DEVICE, key, self.epoch).seal(&HELLO, &mut wire)
            }
            (Some(key), Offer::Signature(_)) => {
                let key = SigningKey::new(&[9; 32], key.as_slice().try_into().unwrap());
                Sensor::new(DEVICE, key, self.epoch).seal(&HELLO, &mut wire)
            }
        };
        inner(&wire[..length.unwrap()])
    }

    /// Hears an answer. A device that has a key has spent its code and takes no other.
    fn hear(&mut self, frame: &[u8]) {
        if self.key.is_some() {
            return;
        }
        let mut frame = frame.to_vec();
        if let Ok(key) = Unpaired::new(DEVICE, &code(), self.epoch).open(&mut frame) {
            self.key = Some(key.to_vec());
        }
    }
}

fn pairing_key(bytes: &[u8]) -> PairingKey {
    PairingKey::from_bytes(bytes.try_into().unwrap())
}

fn inner(wire: &[u8]) -> Vec<u8> {
    wire[1..wire.len() - 1].to_vec()
}

fn answer(host: &mut Provisioning) -> Vec<u8> {
    let mut wire = [0; MAX_WIRE];
    let length = host.answer(NOW, &mut wire).unwrap();
    inner(&wire[..length])
}

/// What survives a reset of the host: the stored key.
fn start_host(stored: &Option<Vec<u8>>) -> Provisioning {
    match stored {
        None => Provisioning::new(&code(), secret()),
        Some(bytes) => Provisioning::resume(&code(), HostKey::from_bytes(bytes).unwrap()),
    }
}

/// What fails in one round of the exchange.
#[derive(Clone, Copy, Debug)]
struct Round {
    offer_is_lost: bool,
    host_is_reset: bool,
    host_is_reset_before_the_answer: bool,
    answer_is_lost: bool,
    device_is_reset_before_it_stored: bool,
}

fn round() -> impl Strategy<Value = Round> {
    any::<[bool; 5]>().prop_map(|fails| Round {
        offer_is_lost: fails[0],
        host_is_reset: fails[1],
        host_is_reset_before_the_answer: fails[2],
        answer_is_lost: fails[3],
        device_is_reset_before_it_stored: fails[4],
    })
}

const WHOLE: Round = Round {
    offer_is_lost: false,
    host_is_reset: false,
    host_is_reset_before_the_answer: false,
    answer_is_lost: false,
    device_is_reset_before_it_stored: false,
};

/// Plays the rounds and returns the key at which the host ended, if it did.
fn play(device: &mut Device, rounds: &[Round]) -> Option<HostKey> {
    let mut stored: Option<Vec<u8>> = None;
    let mut host = start_host(&stored);
    for round in rounds {
        if round.host_is_reset {
            host = start_host(&stored);
        }
        let mut said = device.say();
        if round.offer_is_lost {
            continue;
        }
        match host.open(&mut said).unwrap() {
            Progress::Done {
                key,
                device_id,
                counter,
            } => {
                assert_eq!(
                    (device_id, counter >> 32),
                    (DEVICE, u64::from(device.epoch))
                );
                return Some(key);
            }
            Progress::Offered { device_id, key } => {
                assert_eq!(device_id, DEVICE);
                let bytes = key.expose().to_vec();
                assert!(
                    stored.is_none() || stored.as_ref() == Some(&bytes),
                    "another key"
                );
                stored = Some(bytes);
            }
        }
        if round.host_is_reset_before_the_answer {
            host = start_host(&stored);
            continue;
        }
        let frame = answer(&mut host);
        if !round.answer_is_lost && !round.device_is_reset_before_it_stored {
            device.hear(&frame);
        }
    }
    None
}

proptest! {
    #[test]
    fn both_end_with_one_key_whatever_fails(
        class in 0usize..3,
        fails in proptest::collection::vec(round(), 0..12),
    ) {
        let mut device = Device::new(class);
        let rounds: Vec<Round> = fails.into_iter().chain([WHOLE, WHOLE]).collect();
        let key = play(&mut device, &rounds).expect("two whole rounds are enough");
        let expected = match device.offer {
            Offer::AsconTag => HostKey::from(secret()),
            Offer::HmacTag => HostKey::low_cost(secret()),
            Offer::Signature(public) => {
                let host = secret().expose()[16..].try_into().unwrap();
                HostKey::signing(&public, host).unwrap()
            }
        };
        prop_assert_eq!(key.authentication(), device.offer.authentication());
        prop_assert_eq!(key.expose(), expected.expose());
        // The code is spent: the same answer again changes nothing.
        let before = device.key.clone();
        let mut late = Provisioning::new(&code(), PairingKey::from_bytes([1; 32]));
        let mut offer = Device::new(class).say();
        late.open(&mut offer).unwrap();
        device.hear(&answer(&mut late));
        prop_assert_eq!(&device.key, &before);
    }

    #[test]
    fn a_code_survives_its_text(bytes in any::<[u8; 16]>()) {
        let text = PairingCode::from_bytes(bytes).to_text();
        prop_assert_eq!(text.len(), 34);
        let parsed: PairingCode = text.parse().unwrap();
        prop_assert_eq!(parsed.to_text(), text.clone());
        let sloppy = text.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
        prop_assert_eq!(sloppy.parse::<PairingCode>().unwrap().to_text(), text);
    }

    #[test]
    fn every_wrong_letter_and_every_swap_is_told(bytes in any::<[u8; 16]>()) {
        let text = PairingCode::from_bytes(bytes).to_text().replace('-', "");
        for at in 0..text.len() {
            for letter in "0123456789ABCDEFGHJKMNPQRSTVWXYZ".chars() {
                let mut wrong: Vec<char> = text.chars().collect();
                if wrong[at] != letter {
                    wrong[at] = letter;
                    let wrong: String = wrong.into_iter().collect();
                    prop_assert_eq!(wrong.parse::<PairingCode>().unwrap_err(), CodeError::Check);
                }
            }
            let mut swapped: Vec<char> = text.chars().collect();
            if at > 0 && swapped[at - 1] != swapped[at] {
                swapped.swap(at - 1, at);
                let swapped: String = swapped.into_iter().collect();
                prop_assert_eq!(swapped.parse::<PairingCode>().unwrap_err(), CodeError::Check);
            }
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in ".*") {
        prop_assert!(start_host(&None).open(&mut bytes.clone()).is_err());
        prop_assert!(Unpaired::new(DEVICE, &code(), 1).open(&mut bytes.clone()).is_err());
        let _ = text.parse::<PairingCode>();
    }

    #[test]
    fn a_changed_frame_is_refused(class in 0usize..3, at in 0usize..300, flip in 1u8..) {
        let change = |frame: &[u8]| {
            let mut plain = frame.to_vec();
            let length = cobs::decode_in_place(&mut plain).unwrap();
            plain.truncate(length - 2);
            let at = at % plain.len();
            plain[at] ^= flip;
            let crc = crc::Crc::<u16>::new(&crc::CRC_16_IBM_3740);
            plain.extend(crc.checksum(&plain).to_le_bytes());
            let mut coded = vec![0; cobs::max_encoding_length(plain.len())];
            let length = cobs::encode(&plain, &mut coded);
            coded.truncate(length);
            coded
        };
        let offer = Device::new(class).say();
        let mut host = start_host(&None);
        prop_assert!(host.open(&mut change(&offer)).is_err());
        host.open(&mut offer.clone()).unwrap();
        let mut answer = change(&answer(&mut host));
        prop_assert!(Unpaired::new(DEVICE, &code(), 1).open(&mut answer).is_err());
    }
}

#[test]
fn what_is_no_code_is_told() {
    for (text, error) in [
        ("", CodeError::Length(0)),
        ("0000-000", CodeError::Length(7)),
        (&"0".repeat(29), CodeError::Length(29)),
        ("00U0", CodeError::Sign(3)),
        ("000ß", CodeError::Sign(4)),
    ] {
        assert_eq!(text.parse::<PairingCode>().unwrap_err(), error, "{text}");
    }
    let shown = format!("{:?} {:?}", code(), Unpaired::new(DEVICE, &code(), 1));
    assert_eq!(shown.matches("secret)").count(), 2, "{shown}");
    assert!(!format!("{:?}", start_host(&None)).contains("100"));
}

#[test]
fn another_code_opens_nothing() {
    let other = PairingCode::from_bytes([7; 16]);
    let mut offer = Device::new(0).say();
    let mut host = Provisioning::new(&other, secret());
    assert_eq!(host.open(&mut offer.clone()).unwrap_err(), Refusal::Forged);
    assert_eq!(
        host.answer(NOW, &mut [0; MAX_WIRE]),
        None,
        "nobody to answer"
    );

    let mut host = start_host(&None);
    host.open(&mut offer).unwrap();
    let mut answer = answer(&mut host);
    let device = Unpaired::new(DEVICE, &other, 1);
    assert_eq!(device.open(&mut answer).unwrap_err(), Refusal::Forged);
}

#[test]
fn a_key_is_never_clear_and_no_answer_is_like_another() {
    let mut host = start_host(&None);
    host.open(&mut Device::new(0).say()).unwrap();
    let answers = [answer(&mut host), answer(&mut host)];
    assert_ne!(answers[0], answers[1]);
    for answer in answers {
        for part in secret().expose().windows(3) {
            assert!(!answer.windows(3).any(|seen| seen == part));
        }
    }
}

#[test]
fn a_stored_key_is_not_given_to_another_class_or_signer() {
    let [ultra_light, low_cost, signing] = [0, 1, 2].map(|class| Device::new(class).say());
    let mut host = start_host(&None);
    host.open(&mut ultra_light.clone()).unwrap();
    for other in [&low_cost, &signing] {
        assert_eq!(
            host.open(&mut other.clone()).unwrap_err(),
            Refusal::WrongClass
        );
    }
    let mut host = start_host(&None);
    host.open(&mut signing.clone()).unwrap();
    let mut stranger = Device::new(2);
    stranger.offer = Offer::Signature(SigningKey::new(&[8; 32], [0; 16]).public_key());
    assert_eq!(
        host.open(&mut stranger.say()).unwrap_err(),
        Refusal::WrongClass
    );
}

#[test]
fn a_public_key_under_which_anybody_can_sign_is_refused() {
    let mut device = Device::new(2);
    let mut neutral = [0; 32];
    neutral[0] = 1;
    device.offer = Offer::Signature(neutral);
    let refusal = start_host(&None).open(&mut device.say()).unwrap_err();
    assert_eq!(refusal, Refusal::Unknown);
}
