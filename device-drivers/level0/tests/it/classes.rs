//! Goal: a key fixes the class, and no frame of another one gets through. Method: each class's
//! sensor against each class's host, frames changed on the way, keys through their two forms.

use crate::{DEVICE, key};
use fogward_level0::{
    Authentication, DeviceKey, HmacKey, Host, HostKey, MAX_WIRE, Outgoing, PairingKey, Reading,
    Refusal, Sensor, SigningKey, metric, quality,
};
use proptest::prelude::*;

/// The public key of the specification.
const PUBLIC: &str = "29acbae141bccaf0b22e1a94d34d0bc7361e526d0bfe12c89794bc9322966dd7";

/// The specification's device that signs.
pub(crate) fn signing_key() -> SigningKey {
    let secret = core::array::from_fn(|index| index as u8 + 32);
    SigningKey::new(&secret, core::array::from_fn(|index| index as u8 + 16))
}

/// Its host's key.
pub(crate) fn host_key() -> HostKey {
    format!("sign {PUBLIC} 101112131415161718191a1b1c1d1e1f")
        .parse()
        .unwrap()
}

fn hosts() -> [HostKey; 3] {
    [key().into(), HostKey::low_cost(key()), host_key()]
}

fn sealed<K: DeviceKey>(device: K) -> Vec<u8> {
    let readings = [Reading {
        metric: metric::SPO2,
        quality: quality::GOOD,
        mantissa: 97,
        exponent: 0,
    }];
    let message = Outgoing::Readings {
        time_millis: None,
        readings: &readings,
    };
    let mut wire = [0; MAX_WIRE];
    let length = Sensor::new(DEVICE, device, 1)
        .seal(&message, &mut wire)
        .unwrap();
    wire[1..length - 1].to_vec()
}

fn of_each_class() -> [Vec<u8>; 3] {
    [
        sealed(key()),
        sealed(HmacKey::new(&key())),
        sealed(signing_key()),
    ]
}

/// Changes the plain bytes of a frame and gives it a right checksum again.
fn changed(frame: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut plain = frame.to_vec();
    let length = cobs::decode_in_place(&mut plain).unwrap();
    plain.truncate(length - 2);
    change(&mut plain);
    let crc = crc::Crc::<u16>::new(&crc::CRC_16_IBM_3740);
    plain.extend(crc.checksum(&plain).to_le_bytes());
    let mut coded = vec![0; cobs::max_encoding_length(plain.len())];
    let length = cobs::encode(&plain, &mut coded);
    coded.truncate(length);
    coded
}

#[test]
fn only_the_paired_class_is_taken() {
    for (sent, frame) in of_each_class().iter().enumerate() {
        for (paired, host) in hosts().into_iter().enumerate() {
            let opened = Host::new(host, None).open(&mut frame.clone());
            if sent == paired {
                assert!(opened.is_ok(), "{sent}: {opened:?}");
            } else {
                assert_eq!(opened, Err(Refusal::WrongClass), "{sent} to {paired}");
            }
        }
    }
}

#[test]
fn a_class_cannot_be_talked_into_another() {
    for (sent, frame) in of_each_class().iter().enumerate() {
        for (paired, host) in hosts().into_iter().enumerate() {
            let renamed = changed(frame, |plain| plain[0] = (paired as u8) << 4 | 1);
            let opened = Host::new(host, None).open(&mut renamed.clone());
            if sent == paired {
                assert!(opened.is_ok(), "{sent}: {opened:?}");
            } else {
                // Too short for a signature, or no proof of this class.
                let refused = matches!(opened, Err(Refusal::Forged | Refusal::Incomplete));
                assert!(refused, "{sent} as {paired}: {opened:?}");
            }
        }
    }
}

#[test]
fn keys_keep_their_class_in_text_and_at_rest() {
    let hex: String = (0..32).map(|byte| format!("{byte:02x}")).collect();
    let texts = [
        hex.clone(),
        format!("hmac {hex}"),
        format!(" sign{PUBLIC}-{}", &hex[32..]),
    ];
    for ((text, host), rest_bytes) in texts.iter().zip(hosts()).zip([32, 33, 49]) {
        let parsed: HostKey = text.parse().unwrap();
        assert_eq!(parsed.authentication(), host.authentication());
        assert_eq!(parsed.expose(), host.expose());
        let at_rest = host.expose();
        assert_eq!(at_rest.len(), rest_bytes);
        let again = HostKey::from_bytes(&at_rest).unwrap();
        assert_eq!(again.authentication(), host.authentication());
        assert_eq!(again.expose(), at_rest);
        assert!(HostKey::from_bytes(&[&at_rest[..], &[0]].concat()).is_err());
        let shown = format!("{parsed:?}");
        let expected = format!("HostKey({:?}, secret)", host.authentication());
        assert_eq!(shown, expected);
    }
    // The neutral point, under which anybody can sign, and a text of the wrong length.
    let neutral = format!("sign 01{:062} {}", 0, &hex[32..]);
    for wrong in [neutral.as_str(), "hmac", "sign", &format!("hmac {hex}00")] {
        assert!(wrong.parse::<HostKey>().is_err(), "{wrong}");
    }
    assert!(HostKey::from_bytes(&[3; 33]).is_err(), "no such class");
    assert_eq!(signing_key().public_key()[..], hex::decode(PUBLIC).unwrap());
    assert_eq!(format!("{:?}", signing_key()), "SigningKey(secret)");
}

#[test]
fn proofs_have_the_length_of_their_class() {
    for (frame, class) in of_each_class().iter().zip([
        Authentication::AsconTag,
        Authentication::HmacTag,
        Authentication::Signature,
    ]) {
        // Header 18, body 8, checksum 2, and the byte that COBS adds.
        assert_eq!(frame.len(), 18 + 8 + class.device_proof_bytes() + 2 + 1);
    }
}

proptest! {
    #[test]
    fn any_change_under_the_proof_is_refused(at in 0usize..1_000, flip in 1u8..) {
        for (frame, host) in of_each_class().iter().zip(hosts()) {
            let forged = changed(frame, |plain| {
                let at = at % plain.len();
                plain[at] ^= flip;
            });
            let refusal = Host::new(host, None).open(&mut forged.clone()).unwrap_err();
            let is_named = matches!(refusal, Refusal::Forged | Refusal::WrongClass | Refusal::Unknown);
            prop_assert!(is_named, "{}", refusal);
        }
    }

    #[test]
    fn another_key_opens_nothing(other in any::<[u8; 32]>()) {
        prop_assume!(other != *key().expose());
        let [ultra_light, low_cost, signed] = of_each_class();
        let other_pair = SigningKey::new(&other, [0; 16]);
        for (frame, host) in [
            (ultra_light, PairingKey::from_bytes(other).into()),
            (low_cost, HostKey::low_cost(PairingKey::from_bytes(other))),
            (signed, HostKey::signing(&other_pair.public_key(), [0; 16]).unwrap()),
        ] {
            prop_assert_eq!(Host::new(host, None).open(&mut frame.clone()), Err(Refusal::Forged));
        }
    }
}
