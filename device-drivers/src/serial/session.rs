//! One connection, from an open port to its end.
//!
//! Reads bytes, decodes, delivers; asks devices that must be asked; acknowledges to devices that
//! listen; relays what they may hear of others; watches for silence. Writing is best effort and
//! bounded in time: a device that does not read must not stop the reading of it.

use crate::codec::{Decoder, contec_cms50d};
use crate::device::{Ends, Introduction, SerialConfig, stopped};
use crate::event::{Event, MissingCause, RejectReason};
use crate::link::{LinkReason, LinkState};
use crate::profile::Profile;
use crate::relay::Waiting;
use crate::serial::outlook::Outlook;
use crate::serial::{now_millis, reasons};
use fogward_level0::HostMessage;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_serial::SerialStream;

const WATCH_EVERY: Duration = Duration::from_millis(250);
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(5);
const ASK_AGAIN_EVERY: Duration = Duration::from_secs(2);
/// How often a level-0 device is told the time, so that its oscillator does not drift far.
const TELL_TIME_EVERY: Duration = Duration::from_secs(60);
const WRITE_AT_MOST: Duration = Duration::from_millis(200);
/// A line that does not take a relayed reading within this time has taken too many.
const RELAY_AT_MOST: Duration = Duration::from_millis(50);
const READ_BYTES: usize = 4_096;
/// As many bytes without a frame are not just the rest of one.
const GARBAGE_BYTES: u64 = 64;
/// As many intact frames that the key does not open, without one that it does, are a wrong key.
const WRONG_KEY_FRAMES: u64 = 3;

/// How a connection ended.
pub(super) enum End {
    /// On request.
    Stopped,
    /// By itself.
    Broken(LinkReason),
}

/// A connection.
pub(super) struct Session<'a> {
    port: SerialStream,
    config: &'a SerialConfig,
    decoder: &'a mut Decoder,
    outlook: &'a mut Outlook,
    ends: &'a mut Ends,
    last_frame: Instant,
    last_ask: Option<Instant>,
    bytes_since_frame: u64,
    forged_since_frame: u64,
    has_identified: bool,
    /// When it was asked to introduce itself, and how often it had done so before.
    asked: Option<(Instant, u64)>,
    events: Vec<Event>,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        port: SerialStream,
        config: &'a SerialConfig,
        decoder: &'a mut Decoder,
        outlook: &'a mut Outlook,
        ends: &'a mut Ends,
    ) -> Session<'a> {
        ends.publish(LinkState::Opening);
        ends.ack.mark_changed();
        ends.finals.mark_changed();
        Session {
            port,
            config,
            decoder,
            outlook,
            ends,
            last_frame: Instant::now(),
            last_ask: None,
            bytes_since_frame: 0,
            forged_since_frame: 0,
            has_identified: false,
            asked: None,
            events: Vec::new(),
        }
    }

    /// Runs until the port breaks or the device is stopped.
    pub(super) async fn run(mut self) -> End {
        let mut bytes = [0; READ_BYTES];
        let mut watch = interval(WATCH_EVERY);
        watch.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stopped(&mut self.ends.stop) => return End::Stopped,
                _ = watch.tick() => {
                    if let Err(error) = self.ask().await {
                        return self.broken(&error);
                    }
                    if !self.watch().await {
                        return End::Stopped;
                    }
                }
                read = self.port.read(&mut bytes) => match read {
                    Ok(0) => return End::Broken(reasons::unplugged(&self.shown_path())),
                    Ok(length) => {
                        if !self.received(&bytes[..length]).await {
                            return End::Stopped;
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return self.broken(&error),
                },
                changed = self.ends.ack.changed(), if self.has_identified => {
                    if changed.is_ok() && let Err(error) = self.acknowledge().await {
                        return self.broken(&error);
                    }
                }
                changed = self.ends.finals.changed(), if self.has_identified => {
                    if changed.is_ok() && let Err(error) = self.tell_final().await {
                        return self.broken(&error);
                    }
                }
                waiting = self.ends.relay.next(), if self.has_identified => {
                    if let Err(error) = self.relay(&waiting).await {
                        return self.broken(&error);
                    }
                }
            }
        }
    }

    /// Decodes and delivers. False when the device is to stop.
    async fn received(&mut self, bytes: &[u8]) -> bool {
        let frames = self.decoder.frames();
        let mut events = core::mem::take(&mut self.events);
        self.decoder.push(bytes, now_millis(), &mut events);
        if self.decoder.frames() > frames {
            self.last_frame = Instant::now();
            self.bytes_since_frame = 0;
            self.forged_since_frame = 0;
            self.ends.publish(LinkState::Streaming);
            if let Decoder::Level0(decoder) = &*self.decoder
                && let Some(is_listening) = decoder.is_listening()
            {
                self.ends.relay.set_hearing(is_listening);
            }
            self.note_introduction();
        } else {
            self.bytes_since_frame += bytes.len() as u64;
        }
        for event in events.drain(..) {
            self.outlook.note(&event);
            if let Event::Rejected(rejection) = &event
                && rejection.reason == RejectReason::Forged
            {
                self.forged_since_frame += u64::from(rejection.frames);
            }
            if !self.ends.send(event).await {
                return false;
            }
        }
        self.events = events;
        if self.forged_since_frame >= WRONG_KEY_FRAMES && self.decoder.frames() == frames {
            self.ends
                .publish(LinkState::Garbage(reasons::wrong_key(self.config)));
        }
        true
    }

    /// Looks for silence and counts what is overdue. False when the device is to stop.
    async fn watch(&mut self) -> bool {
        if self.last_frame.elapsed() < self.outlook.silence() {
            return true;
        }
        let state = if self.forged_since_frame >= WRONG_KEY_FRAMES {
            LinkState::Garbage(reasons::wrong_key(self.config))
        } else if self.bytes_since_frame >= GARBAGE_BYTES {
            LinkState::Garbage(reasons::unrecognised(self.config))
        } else {
            LinkState::NoData(reasons::silent(self.config))
        };
        self.ends.publish(state);
        match self.outlook.overdue(MissingCause::Silence) {
            Some(event) => self.ends.send(event).await,
            None => true,
        }
    }

    /// Sends what is due: start and keep-alive to a Contec, an introduction to a level-0 device.
    async fn ask(&mut self) -> io::Result<()> {
        let since_ask = self.last_ask.map(|ask| ask.elapsed());
        let is_silent = self.last_frame.elapsed() >= ASK_AGAIN_EVERY;
        match self.config.profile {
            Profile::ContecCms50d115200 => {
                let due = if is_silent {
                    ASK_AGAIN_EVERY
                } else {
                    KEEP_ALIVE_EVERY
                };
                if since_ask.is_some_and(|since| since < due) {
                    return Ok(());
                }
                let is_start = since_ask.is_none() || is_silent;
                self.last_ask = Some(Instant::now());
                let command = if is_start {
                    contec_cms50d::START
                } else {
                    contec_cms50d::KEEP_ALIVE
                };
                self.write(&command).await
            }
            Profile::FogwardLevel0 if !self.has_identified => self.identify().await,
            Profile::FogwardLevel0 if since_ask.is_none_or(|since| since >= TELL_TIME_EVERY) => {
                self.tell_time().await
            }
            _ => Ok(()),
        }
    }

    /// Upon the first frame of a device: asks who it is. The time follows with the next look.
    async fn identify(&mut self) -> io::Result<()> {
        self.has_identified = self.tell(HostMessage::Identify).await?;
        if let Decoder::Level0(decoder) = &*self.decoder
            && self.has_identified
        {
            self.asked = Some((Instant::now(), decoder.hellos()));
        }
        Ok(())
    }

    /// Notes the first introduction after the request.
    fn note_introduction(&mut self) {
        if let Decoder::Level0(decoder) = &*self.decoder
            && let Some(is_listening) = decoder.is_listening()
            && let Some((asked, _)) = self.asked.take_if(|(_, before)| decoder.hellos() > *before)
        {
            let after = asked.elapsed();
            let introduction = Introduction {
                after,
                is_listening,
            };
            self.ends.introductions.send_replace(Some(introduction));
        }
    }

    async fn tell_time(&mut self) -> io::Result<()> {
        self.last_ask = Some(Instant::now());
        let now_millis = u64::try_from(now_millis()).unwrap_or(0);
        self.tell(HostMessage::Time { now_millis }).await?;
        Ok(())
    }

    /// Tells the device up to where it is durable: at least what was durable when it was opened.
    async fn acknowledge(&mut self) -> io::Result<()> {
        let durable = (*self.ends.ack.borrow_and_update()).max(self.config.replay_floor);
        let Some(durable) = durable else {
            return Ok(());
        };
        self.tell(HostMessage::Ack { durable }).await?;
        Ok(())
    }

    /// Tells the device up to where its readings are final.
    async fn tell_final(&mut self) -> io::Result<()> {
        let Some(upto) = *self.ends.finals.borrow_and_update() else {
            return Ok(());
        };
        self.tell(HostMessage::Final { upto }).await?;
        Ok(())
    }

    /// Tells the device what another one measured. Where the line does not take it, it takes nothing else
    /// that waits, either.
    async fn relay(&mut self, waiting: &Waiting) -> io::Result<()> {
        let now = now_millis();
        let message = HostMessage::Relay(waiting.relayed);
        let frame = match &mut *self.decoder {
            Decoder::Level0(decoder) if waiting.is_due(now) => decoder.seal(message, now),
            _ => None,
        };
        let Some(frame) = frame else {
            waiting.count_dropped();
            return Ok(());
        };
        match timeout(RELAY_AT_MOST, self.port.write_all(&frame)).await {
            Ok(Ok(())) => waiting.count_relayed(),
            Ok(Err(error)) => {
                waiting.count_dropped();
                return Err(error);
            }
            Err(_elapsed) => {
                waiting.count_dropped();
                self.ends.relay.clear();
            }
        }
        Ok(())
    }

    /// Sends a level-0 device a message; false if it is another device, or was not heard yet.
    async fn tell(&mut self, message: HostMessage) -> io::Result<bool> {
        let Decoder::Level0(decoder) = &mut *self.decoder else {
            return Ok(false);
        };
        let Some(frame) = decoder.seal(message, now_millis()) else {
            return Ok(false);
        };
        self.write(&frame).await?;
        Ok(true)
    }

    /// Writes, but not for long: whether the device reads is its own business.
    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match timeout(WRITE_AT_MOST, self.port.write_all(bytes)).await {
            Ok(written) => written,
            Err(_elapsed) => Ok(()),
        }
    }

    fn shown_path(&self) -> String {
        self.config.path.display().to_string()
    }

    /// A pty whose other end closed, and a USB adapter that was pulled, answer with one of these.
    fn broken(&self, error: &io::Error) -> End {
        let path = self.shown_path();
        let is_gone = matches!(
            error.kind(),
            io::ErrorKind::BrokenPipe | io::ErrorKind::NotFound
        ) || matches!(
            error.raw_os_error(),
            Some(ERROR_IO | ERROR_NO_SUCH_DEVICE_OR_ADDRESS | ERROR_NO_SUCH_DEVICE)
        );
        End::Broken(if is_gone {
            reasons::unplugged(&path)
        } else {
            reasons::transfer_failed(&path, &error.kind().to_string())
        })
    }
}

/// EIO, ENXIO and ENODEV, the same numbers on every Unix.
const ERROR_IO: i32 = 5;
const ERROR_NO_SUCH_DEVICE_OR_ADDRESS: i32 = 6;
const ERROR_NO_SUCH_DEVICE: i32 = 19;
