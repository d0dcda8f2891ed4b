//! Files for the proof page: chosen or dropped, read in this window and sent nowhere; and the genesis
//! that this window pinned.

use js_sys::Uint8Array;
use ledger_core::{Genesis, Proof};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DragEvent, Event, File, FileList, HtmlInputElement};

use crate::check::{Content, MAX_FILE_BYTES, Pinned, Trust, Unreadable, read_file};
use crate::components::Icon;
use crate::failure::Failure;
use crate::live::{here_now, use_live};
use crate::testids;
use crate::transport;

/// Where the pinned genesis is kept.
const KEPT: &str = "fogward.genesis";

/// A proof and the file it came from.
#[derive(Clone, PartialEq)]
pub struct Opened {
    /// The proof, not yet verified.
    pub proof: Proof,
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// Its name.
    pub name: String,
}

/// What the proof page has at hand.
#[derive(Clone, Copy)]
pub struct Desk {
    /// The proof on the table.
    pub opened: RwSignal<Option<Opened>>,
    /// The genesis to check against.
    pub trust: RwSignal<Option<Trust>>,
    /// Why the last file cannot be checked.
    pub unreadable: RwSignal<Option<Unreadable>>,
    /// Why the node's genesis cannot be had.
    pub failure: RwSignal<Option<Failure>>,
}

impl Desk {
    /// An empty desk; the node's genesis is asked for and compared with the pinned one.
    #[must_use]
    pub fn new() -> Self {
        let live = use_live();
        let desk = Self {
            opened: RwSignal::new(None),
            trust: RwSignal::new(None),
            unreadable: RwSignal::new(None),
            failure: RwSignal::new(None),
        };
        Effect::new(move || {
            live.epoch.track();
            let given = desk
                .trust
                .with_untracked(|trust| matches!(trust, Some(Trust::Given(_))));
            if !given {
                desk.ask_genesis();
            }
        });
        desk
    }

    fn ask_genesis(self) {
        spawn_local(async move {
            let answer = transport::bytes("/api/genesis").await.and_then(|bytes| {
                Genesis::from_file(&bytes).map_err(|error| Failure::Strange(error.to_string()))
            });
            match answer {
                Ok(offered) => {
                    self.failure.try_set(None);
                    self.trust.try_set(Some(decide(offered)));
                }
                Err(error) => {
                    self.failure.try_set(Some(error));
                    // What was pinned serves without the node.
                    if self.trust.try_with_untracked(Option::is_none) == Some(true) {
                        self.trust.try_set(kept().map(Trust::Same));
                    }
                }
            }
        });
    }

    /// Trusts the node's genesis from now on.
    pub fn trust_offered(self) {
        let Some(Trust::Changed { offered, .. }) = self.trust.get_untracked() else {
            return;
        };
        let pinned = Pinned {
            genesis: *offered,
            since: here_now(),
        };
        keep(&pinned);
        self.trust.set(Some(Trust::Same(pinned)));
    }

    /// Goes back from a given genesis to the node's.
    pub fn forget_given(self) {
        self.trust.set(kept().map(Trust::Same));
        self.ask_genesis();
    }

    /// Reads chosen or dropped files: a proof to check, a genesis to check against, or both.
    pub fn take(self, files: Option<FileList>) {
        let files = files
            .into_iter()
            .flat_map(|files| (0..files.length()).filter_map(move |index| files.item(index)));
        for file in files.take(4) {
            spawn_local(async move {
                match read(&file).await {
                    Ok((Content::Proof(proof), bytes)) => {
                        self.unreadable.try_set(None);
                        self.opened.try_set(Some(Opened {
                            proof: *proof,
                            bytes,
                            name: file.name(),
                        }));
                    }
                    Ok((Content::Genesis(genesis), _)) => {
                        self.unreadable.try_set(None);
                        self.trust.try_set(Some(Trust::Given(*genesis)));
                    }
                    Err(why) => {
                        self.opened.try_set(None);
                        self.unreadable.try_set(Some(why));
                    }
                }
            });
        }
    }
}

async fn read(file: &File) -> Result<(Content, Vec<u8>), Unreadable> {
    if file.size() > MAX_FILE_BYTES as f64 {
        return Err(Unreadable::TooLong);
    }
    let buffer = JsFuture::from(file.array_buffer())
        .await
        .map_err(|_| Unreadable::Empty)?;
    let bytes = Uint8Array::new(&buffer).to_vec();
    read_file(&bytes).map(|content| (content, bytes))
}

fn kept() -> Option<Pinned> {
    let storage = window().local_storage().ok()??;
    Pinned::read(&storage.get_item(KEPT).ok()??)
}

fn keep(pinned: &Pinned) {
    // A window that may not store asks again next time; the check itself needs no storage.
    if let Ok(Some(storage)) = window().local_storage() {
        storage.set_item(KEPT, &pinned.to_text()).ok();
    }
}

fn decide(offered: Genesis) -> Trust {
    let trust = Trust::decide(kept(), offered, here_now());
    if let Trust::First(pinned) = &trust {
        keep(pinned);
    }
    trust
}

/// Where files are chosen or dropped.
#[component]
pub fn DropZone(
    /// Where they go.
    desk: Desk,
) -> impl IntoView {
    let over = RwSignal::new(false);
    let chosen = move |event: Event| {
        let input: HtmlInputElement = event_target(&event);
        desk.take(input.files());
        // The same file may be chosen again.
        input.set_value("");
    };
    let dropped = move |event: DragEvent| {
        event.prevent_default();
        // The page around takes drops as well.
        event.stop_propagation();
        over.set(false);
        desk.take(event.data_transfer().and_then(|data| data.files()));
    };
    view! {
        <label class="dropzone" class:over=move || over.get() data-testid=testids::PROOF_DROP
            on:dragover=move |event: DragEvent| { event.prevent_default(); over.set(true); }
            on:dragleave=move |_| over.set(false) on:drop=dropped>
            <Icon name="file"/>
            <span><b>"Choose a proof file"</b>" or drop it here. A genesis file, too, to check against another consortium."</span>
            <span class="small dim">"It is read in this window and sent nowhere."</span>
            <input type="file" class="vh" multiple data-testid=testids::PROOF_FILE on:change=chosen/>
        </label>
    }
}
