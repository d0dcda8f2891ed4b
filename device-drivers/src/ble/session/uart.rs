//! The line of a level-0 device over the air: the bytes of a serial line, in the pieces that the attribute
//! protocol carries (`docs/level0-protocol.md`, *Line over GATT*).
//!
//! ```text
//!                       ┌──▶ pieces of at most MTU − 3 bytes ──▶ RX, written
//! line ◀──────────▶ pipe
//!                       └◀── pieces of any length ◀───────────── TX, notified
//! ```
//!
//! The line is read by [`line::Session`], or by the exchange that gives a device its key.
//! The two characteristics are those of the Nordic UART Service, which Nordic Semiconductor has published for
//! anybody's use and which most firmware kits bring along. Upon the fall of the link only the pipe is closed:
//! what was decoded before is still delivered, and its session ends by itself.
//!
//! It leaves out a flow control of its own: the controller's buffers are what there is, and a frame that a device
//! loses is named by its number.

use super::connection::{Connection, Streams};
use super::{ANSWER_AT_MOST, LOOK_EVERY, Session};
use crate::ble::reasons;
use crate::gatt::uuid::service::NORDIC_UART;
use crate::line;
use crate::link::LinkReason;
use btleplug::api::{
    CentralEvent, CharPropFlags, Characteristic, Peripheral as _, ValueNotification, WriteType,
};
use fogward_level0::MAX_WIRE;
use futures_util::FutureExt as _;
use futures_util::stream::{BoxStream, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, ReadHalf, WriteHalf};
use tokio::time::{MissedTickBehavior, interval, timeout};

/// The characteristics of the Nordic UART Service, named from the device's side.
const RX: u128 = 0x6e40_0002_b5a3_f393_e0a9_e50e_24dc_ca9e;
const TX: u128 = 0x6e40_0003_b5a3_f393_e0a9_e50e_24dc_ca9e;
/// Operation and handle before the value of a write (Core Specification, Vol 3, Part F, 3.4.5).
const HEAD_BYTES: usize = 3;
/// The shortest and the longest piece: the smallest MTU is 23 (Vol 3, Part G, 5.2.1), the longest value of an
/// attribute 512 bytes (Vol 3, Part F, 3.2.9).
const PIECE_BYTES: core::ops::RangeInclusive<usize> = 20..=512;

/// The two characteristics of one peripheral.
pub(in crate::ble) struct Uart<'a> {
    connection: &'a Connection<'a>,
    rx: Characteristic,
    tx: Characteristic,
    write_type: WriteType,
    piece_bytes: usize,
}

impl Session<'_> {
    /// Talks with a level-0 device until the link falls. Ends well only if the device is to stop.
    pub(super) async fn talk(&mut self, streams: &mut Streams) -> Result<(), LinkReason> {
        let uart = open_line(self.connection).await?;
        let Some(speech) = &mut self.memory.level0 else {
            return Ok(());
        };
        let signal = self.ends.signal.clone();
        let (pipe, far_end) = tokio::io::duplex(MAX_WIRE);
        let session = line::Session::new(pipe, speech, self.ends).run();
        let carried = carry(&uart, streams, far_end, |dbm| {
            signal.send_replace(Some(dbm));
        });
        match tokio::join!(session, carried).0 {
            Ok(()) => Ok(()),
            Err(_closed) => Err(self.connection.refused().await),
        }
    }
}

/// Finds the two characteristics and subscribes to what the device says.
pub(in crate::ble) async fn open_line<'a>(
    connection: &'a Connection<'a>,
) -> Result<Uart<'a>, LinkReason> {
    let uart = Uart::of(connection).ok_or_else(|| reasons::no_line(connection.config))?;
    let subscribed = timeout(ANSWER_AT_MOST, connection.peripheral.subscribe(&uart.tx)).await;
    match subscribed {
        Ok(Ok(())) => Ok(uart),
        Ok(Err(_)) | Err(_) => Err(connection.refused().await),
    }
}

/// Carries bytes between the pipe and the device until the host closes the pipe or the link falls; tells
/// the signal that is heard meanwhile, in dBm.
pub(in crate::ble) async fn carry(
    uart: &Uart<'_>,
    streams: &mut Streams,
    far_end: DuplexStream,
    note_signal: impl Fn(i16),
) {
    let Streams { values, events } = streams;
    let (from_host, mut to_host) = tokio::io::split(far_end);
    tokio::select! {
        () = uart.send(from_host) => {}
        () = uart.receive(values, &mut to_host) => {}
        () = fallen(uart.connection, events, note_signal) => {}
    }
    // The system queues the fall apart from the values: what came before it waits still.
    while let Some(Some(value)) = values.next().now_or_never()
        && uart.hand_on(&value, &mut to_host).await
    {}
}

impl<'a> Uart<'a> {
    /// `None` if the peripheral has no such service, or not all of it.
    fn of(connection: &'a Connection<'a>) -> Option<Uart<'a>> {
        let peripheral = &connection.peripheral;
        let mut services = peripheral.services().into_iter();
        let service = services.find(|service| service.uuid.as_u128() == NORDIC_UART)?;
        let find = |uuid, properties| {
            let mut offered = service.characteristics.iter();
            let is_it = |offered: &&Characteristic| {
                offered.uuid.as_u128() == uuid && offered.properties.intersects(properties)
            };
            offered.find(is_it).cloned()
        };
        let rx = find(
            RX,
            CharPropFlags::WRITE | CharPropFlags::WRITE_WITHOUT_RESPONSE,
        )?;
        let tx = find(TX, CharPropFlags::NOTIFY)?;
        // A write with a response takes a whole connection interval or two.
        let is_fast = rx
            .properties
            .contains(CharPropFlags::WRITE_WITHOUT_RESPONSE);
        let piece_bytes = usize::from(peripheral.mtu()).saturating_sub(HEAD_BYTES);
        Some(Uart {
            connection,
            rx,
            tx,
            write_type: if is_fast {
                WriteType::WithoutResponse
            } else {
                WriteType::WithResponse
            },
            piece_bytes: piece_bytes.clamp(*PIECE_BYTES.start(), *PIECE_BYTES.end()),
        })
    }

    /// Writes what the host says. Returns when it says nothing any more, or the peripheral takes nothing.
    async fn send(&self, mut from_host: ReadHalf<DuplexStream>) {
        let mut piece = vec![0; self.piece_bytes];
        while let Ok(length @ 1..) = from_host.read(&mut piece).await {
            let piece = &piece[..length];
            let written = self
                .connection
                .peripheral
                .write(&self.rx, piece, self.write_type);
            if !matches!(timeout(ANSWER_AT_MOST, written).await, Ok(Ok(()))) {
                return;
            }
        }
    }

    /// Hands on what the peripheral notifies. Returns when there are no values any more.
    async fn receive(
        &self,
        values: &mut BoxStream<'static, ValueNotification>,
        to_host: &mut WriteHalf<DuplexStream>,
    ) {
        while let Some(value) = values.next().await
            && self.hand_on(&value, to_host).await
        {}
    }

    /// False when nobody listens any more.
    async fn hand_on(
        &self,
        value: &ValueNotification,
        to_host: &mut WriteHalf<DuplexStream>,
    ) -> bool {
        let is_ours = value.uuid == self.tx.uuid && value.service_uuid == self.tx.service_uuid;
        !is_ours || to_host.write_all(&value.value).await.is_ok()
    }
}

/// Resolves when the link falls, or the adapter tells nothing any more; tells the signal meanwhile.
async fn fallen(
    connection: &Connection<'_>,
    events: &mut BoxStream<'static, CentralEvent>,
    note_signal: impl Fn(i16),
) {
    let id = connection.peripheral.id();
    let mut watch = interval(LOOK_EVERY);
    watch.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(CentralEvent::DeviceDisconnected(lost)) if lost == id => return,
                Some(CentralEvent::RssiUpdate { id: heard, rssi }) if heard == id => note_signal(rssi),
                Some(_) => {}
                None => return,
            },
            _ = watch.tick() => if connection.link().await == Some(false) {
                return;
            }
        }
    }
}
