//! A device that hears others through the node, at a line of its own: from the writing of a source's frame to
//! the reading of its value here. A thread waits at the line, as an interrupt does in a device.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use fog_api::{AskInteraction, Device, Interaction, InteractionState};
use fogward_level0::{Authentication, HostMessage, Relayed, metric};

use super::running::Running;
use super::sensor::Played;
use crate::cli::client::Question;

/// For longer than the bench takes, in seconds.
const GRANTED: u64 = 24 * 3600;
/// How often it is looked whether the bench is over, and how long a line without a reader is left alone.
const LOOK: Duration = Duration::from_millis(50);

/// A device that asks, at its line.
pub(super) struct Asker {
    heard: Arc<Mutex<Heard>>,
    is_over: Arc<AtomicBool>,
    hearing: JoinHandle<anyhow::Result<()>>,
    path: PathBuf,
}

#[derive(Default)]
struct Heard {
    /// By source and value, when the frame was written.
    written: BTreeMap<([u8; 4], u16), Instant>,
    delays: Vec<f64>,
}

impl Asker {
    /// A sensor of the lightest class begins to listen, once `pair` has noted what a node needs to read it.
    pub(super) fn listen(pair: impl FnOnce(&Played) -> anyhow::Result<()>) -> anyhow::Result<Self> {
        let mut played = Played::level0(u32::MAX, Authentication::AsconTag)?;
        pair(&played)?;
        let path = played.line.path().to_owned();
        let (heard, is_over) = (Arc::<Mutex<Heard>>::default(), Arc::<AtomicBool>::default());
        let (noted, ended) = (Arc::clone(&heard), Arc::clone(&is_over));
        let hearing = std::thread::spawn(move || {
            let mut next = Instant::now();
            while !ended.load(Ordering::Relaxed) {
                if Instant::now() >= next {
                    // It measures, too. What the line has no room for before the node reads it is lost.
                    let (frame, _) = played.vitals()?;
                    let _ = played.line.send(&frame);
                    next += Duration::from_secs(1);
                }
                if !played.line.wait(LOOK)? {
                    continue;
                }
                let at = Instant::now();
                for message in played.messages()? {
                    if let HostMessage::Relay(relayed) = message {
                        lock(&noted).hear(&relayed, at);
                    }
                }
            }
            Ok(())
        });
        Ok(Self {
            heard,
            is_over,
            hearing,
            path,
        })
    }

    /// Asks the node that this device may hear these. One organisation serves all, so it is granted at once.
    pub(super) fn ask<'a>(
        &self,
        node: &Running,
        sources: impl Iterator<Item = &'a str>,
    ) -> anyhow::Result<()> {
        let devices = node.devices()?;
        let is_here = |device: &&Device| Some(device.path.as_str()) == self.path.to_str();
        let here = devices
            .iter()
            .find(is_here)
            .context("the asker is not paired")?;
        for source in sources {
            let asked = AskInteraction {
                asker: here.id.clone(),
                source: source.to_owned(),
                seconds: GRANTED,
            };
            let question = Question::path("/api/interactions");
            let granted: Interaction = node.api.tell(&question, &asked)?;
            anyhow::ensure!(
                granted.state == InteractionState::Granted,
                "it was not granted"
            );
        }
        Ok(())
    }

    /// Notes that a frame of a source with this pulse is written now.
    pub(super) fn expect(&self, source: [u8; 4], pulse: u16) {
        lock(&self.heard)
            .written
            .insert((source, pulse), Instant::now());
    }

    /// Milliseconds from frame to frame, and how many values were never heard.
    pub(super) fn end(self) -> anyhow::Result<(Vec<f64>, usize)> {
        self.is_over.store(true, Ordering::Relaxed);
        let ended = self.hearing.join();
        ended.map_err(|_| anyhow::anyhow!("the asker failed"))??;
        let heard = std::mem::take(&mut *lock(&self.heard));
        Ok((heard.delays, heard.written.len()))
    }
}

impl Heard {
    fn hear(&mut self, relayed: &Relayed, at: Instant) {
        let is_pulse = relayed.reading.metric == metric::PULSE_RATE;
        let Ok(pulse) = u16::try_from(relayed.reading.mantissa) else {
            return;
        };
        if is_pulse && let Some(since) = self.written.remove(&(relayed.source, pulse)) {
            self.delays
                .push(at.duration_since(since).as_secs_f64() * 1e3);
        }
    }
}

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}
