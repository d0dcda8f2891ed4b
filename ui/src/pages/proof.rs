//! Is this record genuine? A reading's way to the genesis, checked in this window with `ledger-core`;
//! the same for any proof file that is chosen or dropped.

use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::DragEvent;

use super::proof_files::{Desk, DropZone, Opened};
use super::proof_pick::PickCard;
use super::proof_view::{Found, ProofView, since};
use crate::check::{Content, Trust, read_file};
use crate::components::{FailureNote, Hash, Icon, Loading, Note, PageHead};
use crate::failure::Failure;
use crate::live::use_live;
use crate::route::{Route, escape};
use crate::testids;
use crate::transport;
use crate::words::proof as words;
use crate::words::state::State;

/// The page where a reading is picked or a file is checked.
#[component]
pub fn ProofsPage() -> impl IntoView {
    let desk = Desk::new();
    let found = found(desk);
    let heading = Signal::derive(move || {
        found
            .with(|found| found.as_ref().map(Found::heading))
            .unwrap_or_else(|| "Prove a reading, or check a proof.".to_owned())
    });
    let sub = Signal::derive(move || {
        found.with(|found| found.as_ref().map(Found::source)).unwrap_or_else(|| {
            "A proof is one small file. Whoever has it and the genesis can check it without this node and without any network.".to_owned()
        })
    });
    view! {
        <div class="page" on:dragover=|event: DragEvent| event.prevent_default()
            on:drop=move |event: DragEvent| {
                event.prevent_default();
                desk.take(event.data_transfer().and_then(|data| data.files()));
            }>
            <PageHead heading=heading sub=sub>
                {move || found.with(Option::is_some).then(|| view! {
                    <button type="button" class="btn" on:click=move |_| desk.opened.set(None)><Icon name="file"/>"Check another"</button>
                })}
            </PageHead>
            <Unreadable desk=desk/>
            <ChangedGenesis desk=desk/>
            {move || match found.get() {
                Some(found) => view! { <ProofView found=found/> }.into_any(),
                None => view! {
                    <div class="cols" data-cols="main-side">
                        <PickCard/>
                        <FilesCard desk=desk/>
                    </div>
                }.into_any(),
            }}
        </div>
    }
}

/// The proof of one reading.
#[component]
pub fn ProofPage(
    /// The reading's id.
    reading: String,
) -> impl IntoView {
    let live = use_live();
    let desk = Desk::new();
    let found = found(desk);
    let failure = RwSignal::new(None::<Failure>);
    let name = words::file_name(&reading);
    let path = format!("/api/proofs/{}", escape(&reading));
    let fetch = Callback::new({
        let name = name.clone();
        move |()| {
            let (path, name) = (path.clone(), name.clone());
            spawn_local(async move {
                match transport::bytes(&path)
                    .await
                    .and_then(|bytes| open(bytes, name))
                {
                    Ok(opened) => {
                        failure.try_set(None);
                        desk.opened.try_set(Some(opened));
                    }
                    Err(error) => {
                        failure.try_set(Some(error));
                    }
                }
            });
        }
    });
    fetch.run(());
    // A reading that waits for its block has a proof once the next blocks are there.
    let newest = Memo::new(move |_| {
        live.blocks
            .with(|blocks| blocks.iter().flatten().next().map(|block| block.height))
    });
    Effect::new(move |first: Option<()>| {
        newest.get();
        let waits = failure.with_untracked(|failure| {
            failure
                .as_ref()
                .is_some_and(|failure| failure.words().code == "PROOF-01")
        });
        if first.is_some() && waits {
            fetch.run(());
        }
    });
    let heading = Signal::derive(move || {
        found
            .with(|found| found.as_ref().map(Found::heading))
            .unwrap_or_else(|| "Proof of a reading".to_owned())
    });
    let sub = Signal::derive(move || {
        found
            .with(|found| found.as_ref().map(Found::source))
            .unwrap_or_default()
    });
    let waiting = move || {
        found.with(Option::is_none)
            && failure.with(Option::is_none)
            && desk.unreadable.with(Option::is_none)
    };
    view! {
        <div class="page">
            <PageHead heading=heading sub=sub>
                <Save desk=desk/>
                <a class="btn" href=Route::Proofs.href()><Icon name="file"/>"Check another"</a>
            </PageHead>
            <ChangedGenesis desk=desk/>
            {move || failure.get().map(|failure| {
                let waits = failure.words().code == "PROOF-01";
                let state = if waits { State::Unknown } else { State::Attention };
                view! {
                    <Note state=state words=failure.words() testid=testids::PROOF_FAILURE>
                        <button type="button" class="btn" on:click=move |_| fetch.run(())><Icon name="refresh"/>"Ask again"</button>
                    </Note>
                }
            })}
            {move || found.get().map(|found| view! { <ProofView found=found/> })}
            {move || waiting().then(|| view! { <section class="card"><Loading what="Fetching the proof"/></section> })}
        </div>
    }
}

fn open(bytes: Vec<u8>, name: String) -> Result<Opened, Failure> {
    match read_file(&bytes) {
        Ok(Content::Proof(proof)) => Ok(Opened {
            proof: *proof,
            bytes,
            name,
        }),
        Ok(Content::Genesis(_)) => {
            Err(Failure::Strange("a genesis in place of a proof".to_owned()))
        }
        Err(why) => Err(Failure::Refused(words::unreadable(why))),
    }
}

/// The check of what is on the desk, made anew when the proof or the genesis changes.
fn found(desk: Desk) -> Memo<Option<Found>> {
    Memo::new(move |_| Some(Found::new(desk.opened.get()?, desk.trust.get()?)))
}

/// Saves the proof's file as it came.
#[component]
fn Save(desk: Desk) -> impl IntoView {
    let said = RwSignal::new(None::<Result<String, Failure>>);
    let save = move |_| {
        let Some(opened) = desk.opened.get_untracked() else {
            return;
        };
        spawn_local(async move {
            let saved = transport::save_file(&opened.name, &opened.bytes).await;
            said.try_set(Some(saved));
        });
    };
    let words = move || match said.get() {
        None => String::new(),
        Some(Ok(place)) => format!("Saved as {place}"),
        Some(Err(failure)) => {
            let words = failure.words();
            format!("{}: {} ({})", words.what, words.why, words.code)
        }
    };
    view! {
        <span class="small soft" role="status" data-testid=testids::PROOF_SAVED
            data-saved=move || said.with(|said| matches!(said, Some(Ok(_)))).to_string()>{words}</span>
        <button type="button" class="btn" data-testid=testids::PROOF_SAVE disabled=move || desk.opened.with(Option::is_none) on:click=save>
            <Icon name="down"/>"Save proof file"
        </button>
    }
}

/// A file that cannot be checked: what, why, next.
#[component]
fn Unreadable(desk: Desk) -> impl IntoView {
    move || {
        desk.unreadable.get().map(|why| {
            view! {
                <Note state=State::Attention words=words::unreadable(why) testid=testids::PROOF_FAILURE>
                    <button type="button" class="btn quiet" on:click=move |_| desk.unreadable.set(None)>"Put it away"</button>
                </Note>
            }
        })
    }
}

/// Says clearly that the node's genesis is not the pinned one.
#[component]
fn ChangedGenesis(desk: Desk) -> impl IntoView {
    move || {
        let trust = desk.trust.get()?;
        let Trust::Changed { offered, .. } = &trust else {
            return None;
        };
        let id = offered.chain_id().to_string();
        Some(view! {
            <Note state=State::Critical words=words::changed(&since(&trust))>
                <span class="small soft">"The node’s chain: "<Hash text=id/></span>
                <button type="button" class="btn danger" on:click=move |_| desk.trust_offered()>"Trust the new chain from now on"</button>
            </Note>
        })
    }
}

/// Where files are checked, and what they are checked against.
#[component]
fn FilesCard(desk: Desk) -> impl IntoView {
    let kind = move || {
        desk.trust.with(|trust| match trust {
            None => "none",
            Some(Trust::First(_)) => "first",
            Some(Trust::Same(_)) => "same",
            Some(Trust::Changed { .. }) => "changed",
            Some(Trust::Given(_)) => "given",
        })
    };
    let against = move || {
        let trust = desk.trust.get()?;
        let genesis = trust.genesis();
        let (id, consortium) = (genesis.chain_id().to_string(), genesis.name.clone());
        let given = matches!(trust, Trust::Given(_));
        Some(view! {
            <dl class="kv">
                <dt>"Genesis"</dt><dd>{words::trust(&trust, &since(&trust))}</dd>
                <dt>"Consortium"</dt><dd>{consortium}</dd>
                <dt>"Chain"</dt><dd><Hash text=id/></dd>
            </dl>
            {given.then(|| view! {
                <div><button type="button" class="btn" on:click=move |_| desk.forget_given()>"Use this node’s genesis again"</button></div>
            })}
        })
    };
    view! {
        <section class="card" aria-labelledby="h-file">
            <div class="card-head"><h2 id="h-file">"Check a proof file"</h2></div>
            <div class="card-body stack">
                <DropZone desk=desk/>
                <div class="stack" data-testid=testids::PROOF_TRUST data-trust=kind>{against}</div>
                {move || desk.failure.get().filter(|_| desk.trust.with(Option::is_none)).map(|failure| view! { <FailureNote failure=failure/> })}
            </div>
        </section>
    }
}
