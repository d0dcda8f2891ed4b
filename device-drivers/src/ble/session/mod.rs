//! One connection to a peripheral, from finding it to its end.
//!
//! Upon a connection: discover the services, read what stays the same, subscribe to what is measured,
//! ask for stored records, and hand on each value until the link breaks or the device is stopped, those
//! that came before the end and still wait among them. A characteristic that refuses is passed over: the
//! device may still measure.
//!
//! One that is not even answered wants an encrypted link, and there is no bond: BlueZ begins to pair on
//! its own account, fails, and keeps everything behind that request waiting until the link falls. So the
//! link is let go at once, and the characteristic is passed over at the next connection. Where nothing
//! is left to subscribe to, the device wants to be paired.
//!
//! Of a level-0 device only its frames count, for only they are proven: nothing else of it is read.

mod connection;
mod records;
mod uart;

pub(super) use connection::Connection;
pub(super) use uart::{carry, open_line};

use crate::ble::{BleConfig, assigned_number, reasons};
use crate::codec::Decoder;
use crate::codec::level0::Level0;
use crate::device::{Ends, stopped};
use crate::event::Event;
use crate::gatt::{Gatt, READ, RecordFetch, SUBSCRIBE, Step};
use crate::line::{Outlook, Speech, Troubles};
use crate::link::{LinkReason, LinkState};
use crate::profile::Profile;
use crate::serial::now_millis;
use btleplug::api::bleuuid::BleUuid;
use btleplug::api::{
    CentralEvent, CharPropFlags, Characteristic, Peripheral as _, ValueNotification,
};
use connection::Streams;
use futures_util::FutureExt as _;
use futures_util::stream::{BoxStream, StreamExt as _};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// The attribute protocol allows 30 s (Vol 3, Part F, 3.3.3); no device needs more than a few, and
/// what takes longer waits for a pairing.
const ANSWER_AT_MOST: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_secs(1);
const SILENCE: Duration = Duration::from_secs(10);
/// As many values without one that can be decoded are not just noise.
const UNUSABLE_VALUES: u32 = 5;

/// How a connection ended.
pub(super) enum End {
    /// On request.
    Stopped,
    /// By itself.
    Broken(LinkReason),
}

/// What outlives a connection.
#[derive(Debug)]
pub(super) struct Memory {
    gatt: Gatt,
    fetch: RecordFetch,
    /// What is spoken with a level-0 device, instead of `gatt`.
    level0: Option<Speech>,
    /// Characteristics that want an encrypted link.
    locked: BTreeSet<u16>,
}

impl Memory {
    pub(super) fn new(config: &BleConfig) -> Memory {
        let floor = config
            .replay_floor
            .and_then(|floor| u16::try_from(floor).ok());
        let mut gatt = Gatt::new();
        if let Some(floor) = floor {
            gatt.resume_after(floor);
        }
        Memory {
            gatt,
            fetch: RecordFetch::new(floor),
            level0: level0(config),
            locked: BTreeSet::new(),
        }
    }

    /// How many values or frames were decoded so far.
    pub(super) fn frames(&self) -> u64 {
        let level0 = self.level0.as_ref();
        level0.map_or(self.gatt.frames(), |speech| speech.decoder.frames())
    }

    /// The link fell: what came in half is refused.
    pub(super) fn reset(&mut self, events: &mut Vec<Event>) {
        self.gatt.reset(events);
        if let Some(speech) = &mut self.level0 {
            speech.decoder.reset(events);
        }
    }
}

fn level0(config: &BleConfig) -> Option<Speech> {
    let key = config.key.clone()?;
    Some(Speech {
        profile: Profile::FogwardLevel0,
        decoder: Decoder::Level0(Box::new(Level0::new(key, config.replay_floor))),
        outlook: Outlook::new(Profile::FogwardLevel0),
        replay_floor: config.replay_floor,
        troubles: Troubles {
            silent: reasons::silent(config),
            unrecognised: reasons::unusable(config),
            wrong_key: reasons::wrong_key(config),
        },
    })
}

/// Finds, connects, and serves until the link breaks or the device is stopped. Whatever happens, the
/// peripheral is let go, so that it is free for the next connection.
pub(super) async fn run(config: &BleConfig, memory: &mut Memory, ends: &mut Ends) -> End {
    let mut stop = ends.stop.clone();
    let found = tokio::select! {
        biased;
        () = stopped(&mut stop) => return End::Stopped,
        found = Connection::find(config) => found,
    };
    let connection = match found {
        Ok(connection) => connection,
        Err(reason) => return End::Broken(reason),
    };
    let mut session = Session {
        config,
        connection: &connection,
        memory,
        ends,
        last_value: Instant::now(),
        unusable: 0,
    };
    let mut streams = None;
    let end = tokio::select! {
        biased;
        // First, so that a value that was taken is handed on where there is room.
        end = session.serve(&mut streams) => match end {
            Ok(()) => End::Stopped,
            Err(reason) => End::Broken(reason),
        },
        () = stopped(&mut stop) => End::Stopped,
    };
    connection.close().await;
    if let Some(Streams { values, .. }) = &mut streams {
        session.take_rest(values).await;
    }
    end
}

struct Session<'a> {
    config: &'a BleConfig,
    connection: &'a Connection<'a>,
    memory: &'a mut Memory,
    ends: &'a mut Ends,
    last_value: Instant,
    unusable: u32,
}

impl Session<'_> {
    /// Ends well only if nobody takes the events any more. The streams stay with the caller, who takes the values
    /// that still wait at the end.
    async fn serve(&mut self, streams: &mut Option<Streams>) -> Result<(), LinkReason> {
        let streams = streams.insert(self.connection.open().await?);
        self.note_signal().await;
        if self.memory.level0.is_some() {
            return self.talk(streams).await;
        }
        if !self.read_constants().await? {
            return Ok(());
        }
        self.subscribe().await?;
        if !self.fetch_records().await? {
            return Ok(());
        }
        self.last_value = Instant::now();
        self.listen(streams).await
    }

    /// Those of the known characteristics that the peripheral has with one of these properties.
    fn characteristics(&self, known: &[u16], properties: CharPropFlags) -> Vec<Characteristic> {
        let offered: Vec<Characteristic> = self
            .connection
            .peripheral
            .services()
            .into_iter()
            .flat_map(|service| service.characteristics)
            .filter(|characteristic| characteristic.properties.intersects(properties))
            .collect();
        let of = |number: &u16| {
            let is_it = |offered: &&Characteristic| assigned_number(&offered.uuid) == Some(*number);
            offered.iter().find(is_it).cloned()
        };
        known.iter().filter_map(of).collect()
    }

    /// Notes that a characteristic was not answered.
    fn hung(&mut self, characteristic: u16) -> LinkReason {
        self.memory.locked.insert(characteristic);
        reasons::pairing_needed(self.config)
    }

    fn is_locked(&self, characteristic: &Characteristic) -> bool {
        assigned_number(&characteristic.uuid)
            .is_some_and(|number| self.memory.locked.contains(&number))
    }

    /// Reads what stays the same while connected. False when the device is to stop.
    async fn read_constants(&mut self) -> Result<bool, LinkReason> {
        for characteristic in self.characteristics(READ, CharPropFlags::READ) {
            if self.is_locked(&characteristic) {
                continue;
            }
            match timeout(
                ANSWER_AT_MOST,
                self.connection.peripheral.read(&characteristic),
            )
            .await
            {
                Ok(Ok(value)) => {
                    let events = self.decode(&characteristic.uuid, &value);
                    if !self.deliver(events).await {
                        return Ok(false);
                    }
                }
                Ok(Err(_)) => {}
                Err(_) => return Err(self.unanswered(&characteristic).await),
            }
        }
        Ok(true)
    }

    /// Subscribes to all that measures, in the order of [`SUBSCRIBE`].
    async fn subscribe(&mut self) -> Result<(), LinkReason> {
        let pushes = CharPropFlags::NOTIFY | CharPropFlags::INDICATE;
        let measured = self.characteristics(SUBSCRIBE, pushes);
        if measured.is_empty() {
            return Err(reasons::nothing_to_measure(self.config));
        }
        let mut subscribed = 0;
        for characteristic in measured {
            if self.is_locked(&characteristic) {
                continue;
            }
            match timeout(
                ANSWER_AT_MOST,
                self.connection.peripheral.subscribe(&characteristic),
            )
            .await
            {
                Ok(Ok(())) => subscribed += 1,
                Ok(Err(_)) => {}
                Err(_) => return Err(self.unanswered(&characteristic).await),
            }
        }
        if subscribed > 0 {
            return Ok(());
        }
        Err(self.connection.refused().await)
    }

    /// Why a request was not answered: the link fell meanwhile, or the characteristic is locked.
    async fn unanswered(&mut self, characteristic: &Characteristic) -> LinkReason {
        if !self.connection.is_up().await {
            return self
                .connection
                .or_adapter(reasons::link_lost(self.config))
                .await;
        }
        match assigned_number(&characteristic.uuid) {
            Some(number) => self.hung(number),
            None => reasons::link_lost(self.config),
        }
    }

    async fn listen(&mut self, streams: &mut Streams) -> Result<(), LinkReason> {
        let Streams { values, events } = streams;
        let id = self.connection.peripheral.id();
        let mut is_acknowledged = true;
        let mut watch = interval(LOOK_EVERY);
        watch.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_lost = tokio::select! {
                value = values.next() => match value {
                    Some(value) => {
                        if !self.received(&value).await? {
                            return Ok(());
                        }
                        false
                    }
                    None => true,
                },
                event = events.next() => match event {
                    Some(CentralEvent::DeviceDisconnected(lost)) => lost == id,
                    Some(CentralEvent::RssiUpdate { id: heard, rssi }) if heard == id => {
                        self.ends.signal.send_replace(Some(rssi));
                        false
                    }
                    Some(_) => false,
                    None => true,
                },
                changed = self.ends.ack.changed(), if is_acknowledged => {
                    is_acknowledged = changed.is_ok();
                    self.note_durable();
                    false
                }
                _ = watch.tick() => {
                    self.watch();
                    let step = self.memory.fetch.poll(now_millis());
                    if !self.follow(step).await? {
                        return Ok(());
                    }
                    self.connection.link().await == Some(false)
                }
            };
            if is_lost {
                return Err(self
                    .connection
                    .or_adapter(reasons::link_lost(self.config))
                    .await);
            }
        }
    }

    /// Takes a value and does what is next. False when the device is to stop.
    async fn received(&mut self, value: &ValueNotification) -> Result<bool, LinkReason> {
        match self.take(value).await {
            Some(step) => self.follow(step).await,
            None => Ok(false),
        }
    }

    /// Takes what came before the link ended and waits in its queue: the system queues the end apart from the
    /// values, and where no profile numbers them nothing else would tell of them.
    async fn take_rest(&mut self, values: &mut BoxStream<'static, ValueNotification>) {
        while self.memory.level0.is_none()
            && let Some(Some(value)) = values.next().now_or_never()
        {
            match self.take(&value).await {
                // There is nobody to write to any more.
                Some(Step::Write(_)) => {}
                Some(step) if matches!(self.follow(step).await, Ok(true)) => {}
                _ => return,
            }
        }
    }

    /// Decodes and delivers a value; what is next, or `None` when the device is to stop.
    async fn take(&mut self, value: &ValueNotification) -> Option<Step> {
        let frames = self.memory.gatt.frames();
        let events = self.decode(&value.uuid, &value.value);
        self.last_value = Instant::now();
        if self.memory.gatt.frames() > frames {
            self.unusable = 0;
            self.ends.publish(LinkState::Streaming);
        } else {
            self.unusable = self.unusable.saturating_add(1);
            if self.unusable >= UNUSABLE_VALUES {
                let reason = reasons::unusable(self.config);
                self.ends.publish(LinkState::Garbage(reason));
            }
        }
        if !self.deliver(events).await {
            return None;
        }
        let step = assigned_number(&value.uuid).map_or(Step::Wait, |number| {
            let fetch = &mut self.memory.fetch;
            fetch.take(number, &value.value, now_millis())
        });
        Some(step)
    }

    fn decode(&mut self, uuid: &impl BleUuid, value: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        if let Some(number) = assigned_number(uuid) {
            self.memory
                .gatt
                .push(number, value, now_millis(), &mut events);
        }
        events
    }

    async fn deliver(&mut self, events: Vec<Event>) -> bool {
        for event in events {
            if !self.ends.send(event).await {
                return false;
            }
        }
        true
    }

    /// Looks for silence.
    fn watch(&mut self) {
        if self.last_value.elapsed() >= SILENCE {
            let reason = reasons::silent(self.config);
            self.ends.publish(LinkState::NoData(reason));
        }
    }

    /// The signal as last heard; on Linux that is the last advertisement.
    async fn note_signal(&mut self) {
        if let Ok(Ok(rssi)) = timeout(ANSWER_AT_MOST, self.connection.peripheral.read_rssi()).await
        {
            self.ends.signal.send_replace(Some(rssi));
        }
    }
}
