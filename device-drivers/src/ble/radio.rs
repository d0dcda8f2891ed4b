//! The way to the system's Bluetooth service, shared by everything in this process.
//!
//! On Linux btleplug opens a D-Bus connection for each of its managers and never closes one, and the
//! bus allows a user 256. So there is one manager; it is given up only if the service is there and
//! this manager does not reach it (the bus was restarted, or the runtime it lived in is gone).
//!
//! Connections share one stream of an adapter's events: each further one would be a rule of the bus, of which
//! it allows a connection 512 by default, and bluez-async 0.9 does not take back the rule of a stream that is
//! dropped just when a message comes.
//!
//! They share what they see, too. btleplug asks BlueZ for all it knows to tell which adapters and peripherals there
//! are, so a ward of sensors that all look for themselves asks for the whole ward as often as there are sensors, and
//! the more connections fall the longer each takes to come back. So one asks for all that wait.

use crate::ble::reasons;
use crate::link::LinkReason;
use btleplug::api::{Central as _, CentralEvent, CentralState, Manager as _};
use btleplug::platform::{Adapter, Manager, Peripheral};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

/// The service answers within milliseconds or is in trouble.
const ANSWER_AT_MOST: Duration = Duration::from_secs(5);

/// Events that wait for one listener at most; who is behind misses the oldest.
const WAITING_EVENTS: usize = 1024;

static SERVICE: Mutex<Service> = Mutex::const_new(Service::new());

struct Service {
    manager: Option<Manager>,
    radios: Option<Seen<Result<Vec<Radio>, LinkReason>>>,
    /// What each adapter knows, by its name; `None` if it did not say.
    peripherals: BTreeMap<String, Seen<Option<Vec<Peripheral>>>>,
    /// The events of each adapter, by its name, once somebody has asked for them.
    events: BTreeMap<String, Events>,
}

/// What was seen by a look that began then.
struct Seen<T> {
    since: Instant,
    what: T,
}

impl<T: Clone> Seen<T> {
    /// What was seen, for who asked at a time: by a look that began later, or so little before.
    fn for_who_asked(&self, at: Instant, ago: Duration) -> Option<T> {
        (self.since + ago >= at).then(|| self.what.clone())
    }
}

/// An adapter's events for many.
struct Events {
    told: broadcast::Sender<CentralEvent>,
    task: JoinHandle<()>,
}

impl Drop for Events {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An adapter and what is known of it.
#[derive(Clone, Debug)]
pub(super) struct Radio {
    pub(super) adapter: Adapter,
    /// `hci0` on Linux; elsewhere the system has one adapter and one word for it.
    pub(super) name: String,
    pub(super) address: Option<String>,
    pub(super) is_on: bool,
}

impl Service {
    const fn new() -> Service {
        Service {
            manager: None,
            radios: None,
            peripherals: BTreeMap::new(),
            events: BTreeMap::new(),
        }
    }

    async fn manager(&mut self) -> Option<Manager> {
        if self.manager.is_none() && service_is_there().await {
            let manager = timeout(ANSWER_AT_MOST, Manager::new()).await;
            self.manager = manager.ok().and_then(Result::ok);
        }
        self.manager.clone()
    }

    async fn look(&mut self) -> Result<Vec<Radio>, LinkReason> {
        let manager = self.manager().await;
        let manager = manager.ok_or_else(reasons::service_missing)?;
        let Ok(Ok(adapters)) = timeout(ANSWER_AT_MOST, manager.adapters()).await else {
            if service_is_there().await {
                *self = Service::new();
            }
            return Err(reasons::service_missing());
        };
        let mut radios = Vec::new();
        for adapter in adapters {
            // An adapter that was pulled out since is none.
            if let Ok(Some(radio)) = timeout(ANSWER_AT_MOST, describe(adapter)).await {
                radios.push(radio);
            }
        }
        radios.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(radios)
    }
}

/// Every adapter, ordered by name.
pub(super) async fn radios() -> Result<Vec<Radio>, LinkReason> {
    let asked = Instant::now();
    let mut service = SERVICE.lock().await;
    let seen = service.radios.as_ref();
    if let Some(radios) = seen.and_then(|seen| seen.for_who_asked(asked, Duration::ZERO)) {
        return radios;
    }
    let since = Instant::now();
    let what = service.look().await;
    service.radios = Some(Seen {
        since,
        what: what.clone(),
    });
    what
}

/// The peripherals that the system knows by an adapter, or knew so long ago.
///
/// # Errors
/// The reason: the adapter is lost.
pub(super) async fn peripherals(
    radio: &Radio,
    ago: Duration,
) -> Result<Vec<Peripheral>, LinkReason> {
    let asked = Instant::now();
    let mut service = SERVICE.lock().await;
    let seen = service.peripherals.get(&radio.name);
    let seen = seen.and_then(|seen| seen.for_who_asked(asked, ago));
    let peripherals = match seen {
        Some(peripherals) => peripherals,
        None => {
            let since = Instant::now();
            let answer = timeout(ANSWER_AT_MOST, radio.adapter.peripherals()).await;
            let what = answer.ok().and_then(Result::ok);
            let seen = Seen {
                since,
                what: what.clone(),
            };
            service.peripherals.insert(radio.name.clone(), seen);
            what
        }
    };
    peripherals.ok_or_else(|| reasons::adapter_lost(&radio.name))
}

/// What happens at an adapter from now on; `None` if the service does not say. Ends with the way to the service.
pub(super) async fn events(radio: &Radio) -> Option<BoxStream<'static, CentralEvent>> {
    let mut service = SERVICE.lock().await;
    let events = &mut service.events;
    if events
        .get(&radio.name)
        .is_none_or(|events| events.task.is_finished())
    {
        let from = timeout(ANSWER_AT_MOST, radio.adapter.events()).await;
        let mut from = from.ok()?.ok()?;
        let (told, _) = broadcast::channel(WAITING_EVENTS);
        let to = told.clone();
        let task = tokio::spawn(async move {
            while let Some(event) = from.next().await {
                // Nobody may be listening just now.
                let _ = to.send(event);
            }
        });
        events.insert(radio.name.clone(), Events { told, task });
    }
    let told = events.get(&radio.name)?.told.subscribe();
    let next = async |mut told: broadcast::Receiver<CentralEvent>| loop {
        match told.recv().await {
            Ok(event) => return Some((event, told)),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return None,
        }
    };
    Some(stream::unfold(told, next).boxed())
}

async fn describe(adapter: Adapter) -> Option<Radio> {
    let info = adapter.adapter_info().await.ok()?;
    let address = adapter.adapter_address().await.ok()?;
    let state = adapter.adapter_state().await.ok()?;
    // On Linux the name is followed by the hardware's identity in parentheses.
    let name = info.split(" (").next().unwrap_or_default().to_owned();
    Some(Radio {
        adapter,
        name,
        address: address.map(|address| address.to_string()),
        is_on: state == CentralState::PoweredOn,
    })
}

/// The adapter to use: the wanted one by name or address, or the first that is on.
///
/// # Errors
/// A reason: no service, no adapter, not the wanted one, or switched off.
pub(super) async fn choose(wanted: Option<&str>) -> Result<Radio, LinkReason> {
    let radios = radios().await?;
    let mut fitting = radios.into_iter().filter(|radio| is_meant(radio, wanted));
    let Some(first) = fitting.next() else {
        return Err(reasons::adapter_missing(wanted));
    };
    if first.is_on {
        return Ok(first);
    }
    let name = first.name;
    fitting
        .find(|radio| radio.is_on)
        .ok_or_else(|| reasons::adapter_off(&name))
}

fn is_meant(radio: &Radio, wanted: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| {
        let is_address = |address: &String| address.eq_ignore_ascii_case(wanted);
        radio.name == wanted || radio.address.as_ref().is_some_and(is_address)
    })
}

/// Whether somebody owns BlueZ's name on the bus.
#[cfg(target_os = "linux")]
async fn service_is_there() -> bool {
    let ask = async {
        let bus = zbus::Connection::system().await?;
        let names = zbus::fdo::DBusProxy::new(&bus).await?;
        let name = zbus::names::BusName::try_from("org.bluez")?;
        Ok::<bool, zbus::Error>(names.name_has_owner(name).await?)
    };
    matches!(timeout(ANSWER_AT_MOST, ask).await, Ok(Ok(true)))
}

/// Elsewhere Bluetooth is a part of the system.
#[cfg(not(target_os = "linux"))]
async fn service_is_there() -> bool {
    true
}
