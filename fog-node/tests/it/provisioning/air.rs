//! The same device by radio: behind the two characteristics of a fake BlueZ on a bus of its own, with the
//! smallest MTU there is. It advertises while it is not connected.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bluez_fake::{Daemon, Fake, lock};

use super::played::{Firmware, Flash, Played, ROUND};

const ADDRESS: &str = "C4:F2:17:1A:1D:BB";
const SERVICE: &str = "6e400001-b5a3-f393-e0a9-e50e24dcca9e";
const RX: &str = "6e400002-b5a3-f393-e0a9-e50e24dcca9e";
const TX: &str = "6e400003-b5a3-f393-e0a9-e50e24dcca9e";
/// Core Specification, Vol 3, Part G, 5.2.1; and what of it a value has not.
const MTU: u16 = 23;
const HEAD: u16 = 3;

impl Played {
    pub(crate) fn in_the_air() -> Self {
        let bus = Daemon::start();
        let address = bus.address.clone();
        let play = move |flash: Arc<Mutex<Flash>>, is_over: Arc<AtomicBool>| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(play(&bus.address, &flash, &is_over));
        };
        Self::begin(ADDRESS.into(), Some(address), play)
    }
}

async fn play(bus: &str, flash: &Mutex<Flash>, is_over: &AtomicBool) {
    let fake = Fake::start_on(bus).await;
    fake.plug_in("hci0", "AA:AA:AA:00:00:01", true).await;
    let mut firmware = Firmware::new();
    while !is_over.load(Ordering::Relaxed) {
        tokio::time::sleep(ROUND).await;
        if !fake.is_connected("hci0", ADDRESS).await {
            let line = vec![
                (TX.to_owned(), vec!["notify"]),
                (RX.to_owned(), vec!["write-without-response"]),
            ];
            fake.appear_with("hci0", ADDRESS, SERVICE.to_owned(), line, MTU)
                .await;
            continue;
        }
        let written = std::mem::take(&mut lock(&fake.script).written);
        let heard: Vec<u8> = written.into_iter().flat_map(|(.., piece)| piece).collect();
        let (wire, falls) = {
            let mut flash = flash.lock().unwrap();
            let wire = firmware.round(&heard, &mut flash);
            let falls = flash.drops_with_key && flash.key.is_some();
            flash.drops_with_key &= !falls;
            (wire, falls)
        };
        if falls {
            fake.drop_link("hci0", ADDRESS).await;
            continue;
        }
        for piece in wire.chunks(usize::from(MTU - HEAD)) {
            fake.notify("hci0", ADDRESS, piece).await;
        }
    }
}
