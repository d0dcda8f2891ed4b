//! Previews: what a port shows before it is paired. Nothing is recorded; each ends by itself.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use device_drivers::device::{Device, SerialConfig, SourceConfig};
use device_drivers::event::Event;
use fog_api::{DeviceState, Preview, StartPreview};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::failure::Failure;
use crate::keystore::random;
use crate::live::{LiveView, TELL_EVERY, state_of, vital_of, wave_of};
use crate::node::Node;
use crate::pairing::{check_path, parse_key, parse_profile};

/// A preview ends by itself after this.
const PREVIEW_TIME: Duration = Duration::from_secs(120);
/// Most previews at once.
const MAX_PREVIEWS: usize = 8;

/// The previews that are open.
#[derive(Default)]
pub struct Previews(Mutex<BTreeMap<String, Open>>);

struct Open {
    shown: Arc<Mutex<Preview>>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Previews {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn end(&self, id: &str) -> bool {
        let found = self.lock().remove(id);
        match found {
            None => false,
            Some(open) => {
                open.stop.send_replace(true);
                // A task that failed has closed its port, too.
                let _ = open.task.await;
                true
            }
        }
    }

    /// Ends all previews and waits until their ports are closed.
    pub async fn end_all(&self) {
        let ids: Vec<_> = self.lock().keys().cloned().collect();
        for id in ids {
            self.end(&id).await;
        }
    }
}

impl Node {
    /// Opens a port to look at it; nothing is recorded.
    ///
    /// # Errors
    /// [`Failure`] if the port is paired, or too many previews are open.
    pub async fn start_preview(
        self: &Arc<Self>,
        request: StartPreview,
    ) -> Result<Preview, Failure> {
        let profile = parse_profile(&request.profile)?;
        check_path(&request.path)?;
        let key = parse_key(profile, request.key.as_deref())?;
        self.check_free(&request.path)?;
        self.end_previews_of(&request.path).await;
        if self.previews.lock().len() >= MAX_PREVIEWS {
            return Err(Failure::new(
                429,
                "DEV-10",
                "The port was not opened.",
                format!("{MAX_PREVIEWS} ports are being looked at already."),
                "Finish or cancel one of them first.",
            ));
        }
        let config = SerialConfig {
            path: PathBuf::from(&request.path),
            profile,
            key,
            replay_floor: None,
        };
        let device = Device::open(SourceConfig::Serial(config)).map_err(Failure::internal)?;
        let id = hex::encode(random::<8>().map_err(Failure::internal)?);
        let preview = Preview {
            id: id.clone(),
            path: request.path,
            profile: request.profile,
            state: DeviceState::Connecting,
            reason: None,
            next_step: None,
            reason_code: None,
            vitals: Vec::new(),
            received: 0,
            rejected: 0,
            wave: None,
        };
        let shown = Arc::new(Mutex::new(preview.clone()));
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(watch_port(
            device,
            Arc::clone(&shown),
            Arc::clone(&self.live),
            stopped,
        ));
        self.previews.lock().insert(id, Open { shown, stop, task });
        Ok(preview)
    }

    /// What a preview shows now.
    ///
    /// # Errors
    /// [`Failure`] if it has ended.
    pub fn preview(&self, id: &str) -> Result<Preview, Failure> {
        let previews = self.previews.lock();
        let open = previews.get(id).ok_or_else(ended)?;
        let shown = open.shown.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(shown.clone())
    }

    /// Ends a preview and waits until its port is closed.
    ///
    /// # Errors
    /// [`Failure`] if it has ended.
    pub async fn end_preview(&self, id: &str) -> Result<(), Failure> {
        if self.previews.end(id).await {
            Ok(())
        } else {
            Err(ended())
        }
    }

    /// Ends the previews of a port, so that another can open it, and those that have timed out.
    pub(crate) async fn end_previews_of(&self, path: &str) {
        let is_over = |open: &Open| {
            open.task.is_finished()
                || open
                    .shown
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .path
                    == path
        };
        let ids: Vec<_> = {
            let previews = self.previews.lock();
            let over = previews.iter().filter(|(_, open)| is_over(open));
            over.map(|(id, _)| id.clone()).collect()
        };
        for id in ids {
            self.previews.end(&id).await;
        }
    }
}

fn ended() -> Failure {
    Failure::not_found("This preview has ended.", "Open the port once more.")
}

async fn watch_port(
    mut device: Device,
    shown: Arc<Mutex<Preview>>,
    live: Arc<LiveView>,
    mut stopped: watch::Receiver<bool>,
) {
    let end = tokio::time::sleep(PREVIEW_TIME);
    tokio::pin!(end);
    let mut ticks = tokio::time::interval(TELL_EVERY);
    let mut is_changed = true;
    let lock = || shown.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        tokio::select! {
            biased;
            _ = stopped.changed() => break,
            () = &mut end => break,
            changed = device.state.changed() => {
                if changed.is_err() {
                    break;
                }
                let link = device.state.borrow_and_update().clone();
                let mut preview = lock();
                preview.state = state_of(&link);
                preview.reason = link.reason().map(|reason| format!("{} {}", reason.what, reason.why));
                preview.next_step = link.reason().map(|reason| reason.next.clone());
                preview.reason_code = link.reason().map(|reason| reason.code.to_string());
                is_changed = true;
            }
            event = device.events.recv() => {
                let Some(event) = event else { break };
                note(&mut lock(), event, &live);
                is_changed = true;
            }
            _ = ticks.tick(), if is_changed => {
                is_changed = false;
                let preview = lock().clone();
                live.tell(fog_api::Event::Preview(Box::new(preview)));
            }
        }
    }
    device.handle.stop().await;
}

fn note(preview: &mut Preview, event: Event, live: &LiveView) {
    match event {
        Event::Measurement(measurement) => {
            preview.received += 1;
            match wave_of(&preview.id, &measurement) {
                Some(wave) => {
                    live.tell_wave(wave.clone());
                    preview.wave = Some(wave);
                }
                None => {
                    let vital = vital_of(&measurement);
                    preview.vitals.retain(|known| known.code != vital.code);
                    preview.vitals.push(vital);
                    preview.vitals.sort_by(|a, b| a.code.cmp(&b.code));
                }
            }
        }
        Event::Rejected(rejection) => preview.rejected += u64::from(rejection.frames),
        Event::Missing { .. } | Event::Recovered { .. } | Event::Device(_) | Event::Clock(_) => {}
    }
}
