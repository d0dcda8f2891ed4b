//! The air of two wards: an adapter in each, and what it hears.

use bluez_fake::{Daemon, Fake};
use tokio::runtime::Runtime;

const ADAPTER: &str = "hci0";
/// So much as a level-0 frame needs, and more than most.
const MTU: u16 = 247;
/// How a sensor is heard in the ward where it is, and by the door on its way out, in dBm.
const NEAR_DBM: i16 = -50;
const LEAVING_DBM: i16 = -88;

/// What a sensor is by its characteristics, which are numbered from [`FIRST`] on.
pub(super) struct Body {
    pub(super) address: String,
    pub(super) service: String,
    pub(super) characteristics: Vec<(String, Vec<&'static str>)>,
}

/// The number of a sensor's first characteristic.
pub(super) const FIRST: u16 = 2;

/// Both wards' adapters.
pub(super) struct Air {
    runtime: Runtime,
    wards: [Fake; 2],
}

impl Air {
    pub(super) fn new(buses: &[Daemon; 2]) -> Self {
        let runtime = Runtime::new().unwrap();
        let wards = runtime.block_on(async {
            let [one, two] = buses.each_ref().map(|bus| bus.address.as_str());
            let wards = [Fake::start_on(one).await, Fake::start_on(two).await];
            for (ward, address) in wards.iter().zip(["AA:AA:AA:00:00:01", "AA:AA:AA:00:00:02"]) {
                ward.plug_in(ADAPTER, address, true).await;
            }
            wards
        });
        Self { runtime, wards }
    }

    /// A sensor comes into a ward. Each has a battery service beside its own.
    pub(super) fn arrive(&self, ward: usize, body: &Body) {
        let (ward, address) = (&self.wards[ward], body.address.as_str());
        self.runtime.block_on(async {
            let (service, characteristics) = (body.service.clone(), body.characteristics.clone());
            ward.appear_with(ADAPTER, address, service, characteristics, MTU)
                .await;
            ward.offer(ADAPTER, address, 9, (0x180f, 0x2a19, "read", &[80]))
                .await;
        });
    }

    /// A sensor is in a ward still, though a host that unpaired it has had its system forget it.
    pub(super) fn stay(&self, ward: usize, body: &Body) {
        let known = self.wards[ward].knows(ADAPTER, &body.address);
        if !self.runtime.block_on(known) {
            self.arrive(ward, body);
        }
    }

    /// A sensor goes out of a ward: heard worse and worse, then not at all.
    pub(super) fn leave(&self, ward: usize, address: &str) {
        let ward = &self.wards[ward];
        self.runtime.block_on(async {
            ward.advertise_at(ADAPTER, address, LEAVING_DBM).await;
            ward.drop_link(ADAPTER, address).await;
            ward.vanish(ADAPTER, address).await;
        });
    }

    pub(super) fn advertise(&self, ward: usize, address: &str) {
        let advertised = self.wards[ward].advertise_at(ADAPTER, address, NEAR_DBM);
        self.runtime.block_on(advertised);
    }

    pub(super) fn drop_link(&self, ward: usize, address: &str) {
        let dropped = self.wards[ward].drop_link(ADAPTER, address);
        self.runtime.block_on(dropped);
    }

    pub(super) fn notify(&self, ward: usize, address: &str, number: u16, value: &[u8]) {
        let notified = self.wards[ward].notify_from(ADAPTER, address, number, value);
        self.runtime.block_on(notified);
    }

    /// The subscription to a characteristic, another number each time; `None` while nobody is subscribed.
    pub(super) fn subscription(&self, ward: usize, address: &str, number: u16) -> Option<u32> {
        let subscription = self.wards[ward].subscription(ADAPTER, address, number);
        self.runtime.block_on(subscription)
    }

    /// What was written to a sensor since it was last asked.
    pub(super) fn writes(&self, ward: usize, address: &str) -> Vec<Vec<u8>> {
        let writes = self.wards[ward].take_writes(ADAPTER, address);
        writes.into_iter().map(|(_, value)| value).collect()
    }
}
