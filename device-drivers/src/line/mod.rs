//! One connection to a device on a line: an ordered stream of bytes both ways, from its opening to its end.
//!
//! Reads bytes, decodes, delivers; asks devices that must be asked; acknowledges to devices that
//! listen; relays what they may hear of others; watches for silence. Writing is best effort and
//! bounded in time: a device that does not read must not stop the reading of it.
//!
//! What the line is made of, a serial port or two GATT characteristics, is its owner's, and so are the words
//! for what goes wrong with it ([`Troubles`]).

mod outlook;
pub(crate) mod provision;

pub(crate) use outlook::Outlook;

use crate::codec::{Decoder, contec_cms50d};
use crate::device::{Ends, Introduction, stopped};
use crate::event::{Event, MissingCause, RejectReason};
use crate::link::{LinkReason, LinkState};
use crate::profile::Profile;
use crate::relay::Waiting;
use crate::serial::now_millis;
use fogward_level0::HostMessage;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

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

/// Why a line that is open does not stream, in the words of what it is made of.
#[derive(Debug)]
pub(crate) struct Troubles {
    /// Nothing arrives.
    pub(crate) silent: LinkReason,
    /// Bytes arrive that form no frame.
    pub(crate) unrecognised: LinkReason,
    /// Intact frames arrive that the key does not open.
    pub(crate) wrong_key: LinkReason,
}

/// What is spoken on a line, and what outlives a connection.
#[derive(Debug)]
pub(crate) struct Speech {
    pub(crate) profile: Profile,
    pub(crate) decoder: Decoder,
    pub(crate) outlook: Outlook,
    /// Up to where the device's readings were durable when it was opened.
    pub(crate) replay_floor: Option<u64>,
    pub(crate) troubles: Troubles,
}

/// A connection.
pub(crate) struct Session<'a, L> {
    line: L,
    speech: &'a mut Speech,
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

impl<'a, L: AsyncRead + AsyncWrite + Unpin> Session<'a, L> {
    pub(crate) fn new(line: L, speech: &'a mut Speech, ends: &'a mut Ends) -> Session<'a, L> {
        ends.publish(LinkState::Opening);
        ends.ack.mark_changed();
        ends.finals.mark_changed();
        Session {
            line,
            speech,
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

    /// Runs until the device is stopped.
    ///
    /// # Errors
    /// The line broke; [`io::ErrorKind::UnexpectedEof`] if it was closed from the other side.
    pub(crate) async fn run(mut self) -> io::Result<()> {
        let mut bytes = [0; READ_BYTES];
        let mut watch = interval(WATCH_EVERY);
        watch.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stopped(&mut self.ends.stop) => return Ok(()),
                _ = watch.tick() => {
                    self.ask().await?;
                    if !self.watch().await {
                        return Ok(());
                    }
                }
                read = self.line.read(&mut bytes) => match read {
                    Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                    Ok(length) => {
                        if !self.received(&bytes[..length]).await {
                            return Ok(());
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                },
                changed = self.ends.ack.changed(), if self.has_identified => {
                    if changed.is_ok() {
                        self.acknowledge().await?;
                    }
                }
                changed = self.ends.finals.changed(), if self.has_identified => {
                    if changed.is_ok() {
                        self.tell_final().await?;
                    }
                }
                waiting = self.ends.relay.next(), if self.has_identified => {
                    self.relay(&waiting).await?;
                }
            }
        }
    }

    /// Decodes and delivers. False when the device is to stop.
    async fn received(&mut self, bytes: &[u8]) -> bool {
        let frames = self.speech.decoder.frames();
        let mut events = core::mem::take(&mut self.events);
        self.speech.decoder.push(bytes, now_millis(), &mut events);
        if self.speech.decoder.frames() > frames {
            self.last_frame = Instant::now();
            self.bytes_since_frame = 0;
            self.forged_since_frame = 0;
            self.ends.publish(LinkState::Streaming);
            if let Decoder::Level0(decoder) = &self.speech.decoder
                && let Some(is_listening) = decoder.is_listening()
            {
                self.ends.relay.set_hearing(is_listening);
            }
            self.note_introduction();
        } else {
            self.bytes_since_frame += bytes.len() as u64;
        }
        for event in events.drain(..) {
            self.speech.outlook.note(&event);
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
        if self.forged_since_frame >= WRONG_KEY_FRAMES && self.speech.decoder.frames() == frames {
            self.ends
                .publish(LinkState::Garbage(self.speech.troubles.wrong_key.clone()));
        }
        true
    }

    /// Looks for silence and counts what is overdue. False when the device is to stop.
    async fn watch(&mut self) -> bool {
        if self.last_frame.elapsed() < self.speech.outlook.silence() {
            return true;
        }
        let state = if self.forged_since_frame >= WRONG_KEY_FRAMES {
            LinkState::Garbage(self.speech.troubles.wrong_key.clone())
        } else if self.bytes_since_frame >= GARBAGE_BYTES {
            LinkState::Garbage(self.speech.troubles.unrecognised.clone())
        } else {
            LinkState::NoData(self.speech.troubles.silent.clone())
        };
        self.ends.publish(state);
        match self.speech.outlook.overdue(MissingCause::Silence) {
            Some(event) => self.ends.send(event).await,
            None => true,
        }
    }

    /// Sends what is due: start and keep-alive to a Contec, an introduction to a level-0 device.
    async fn ask(&mut self) -> io::Result<()> {
        let since_ask = self.last_ask.map(|ask| ask.elapsed());
        let is_silent = self.last_frame.elapsed() >= ASK_AGAIN_EVERY;
        match self.speech.profile {
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
        if let Decoder::Level0(decoder) = &self.speech.decoder
            && self.has_identified
        {
            self.asked = Some((Instant::now(), decoder.hellos()));
        }
        Ok(())
    }

    /// Notes the first introduction after the request.
    fn note_introduction(&mut self) {
        if let Decoder::Level0(decoder) = &self.speech.decoder
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
        let durable = (*self.ends.ack.borrow_and_update()).max(self.speech.replay_floor);
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
        let frame = match &mut self.speech.decoder {
            Decoder::Level0(decoder) if waiting.is_due(now) => decoder.seal(message, now),
            _ => None,
        };
        let Some(frame) = frame else {
            waiting.count_dropped();
            return Ok(());
        };
        match timeout(RELAY_AT_MOST, self.line.write_all(&frame)).await {
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
        let Decoder::Level0(decoder) = &mut self.speech.decoder else {
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
        match timeout(WRITE_AT_MOST, self.line.write_all(bytes)).await {
            Ok(written) => written,
            Err(_elapsed) => Ok(()),
        }
    }
}
