//! A backup of this node: one sealed file, made here, saved by the person.

use fog_api::MakeBackup;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::{FailureNote, Icon};
use crate::consortium::Consortium;
use crate::failure::Failure;
use crate::live::use_live;
use crate::testids;
use crate::transport;
use crate::words::number::{bytes, count};

/// Shortest passphrase in characters, as the node takes it.
const LEAST: usize = 12;

/// The card.
#[component]
pub fn Backup(desk: Consortium) -> impl IntoView {
    let alone = desk.part(|view| view.nodes.len() <= 1);
    let warning = move || {
        if alone.get() {
            "Nobody else holds this node’s record: without a backup, a broken disk loses it."
        } else {
            "The others hold the ledger, but nobody else holds this node’s readings and keys."
        }
    };
    view! {
        <section class="card" aria-labelledby="h-backup">
            <div class="card-head"><h2 id="h-backup">"Backup of this node"</h2></div>
            <div class="card-body stack">
                <p class="small soft">{warning}" The file holds its keys, the ledger, the sealed readings and the log of consensus, all as of one moment, sealed under a passphrase."</p>
                <Make/>
                <h3>"Getting it back"</h3>
                <p class="small soft"><code>"fogward restore FILE --data DIR"</code>" makes a folder from which the same node runs again, with the same keys. Never let both run: two nodes with one key can vote twice. So the restored node first watches the others for some blocks, and signs only if its own key stays silent."</p>
            </div>
        </section>
    }
}

#[component]
fn Make() -> impl IntoView {
    let live = use_live();
    let (first, second) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let busy = RwSignal::new(false);
    let saved = RwSignal::new(None::<String>);
    let failure = RwSignal::new(None::<Failure>);
    let hinders = Memo::new(move |_| {
        let letters = first.with(|words| words.chars().count());
        if letters == 0 {
            Some("Choose a passphrase; five words that do not belong together are good.".to_owned())
        } else if letters < LEAST {
            let missing = count((LEAST - letters) as u64, "character is", "characters are");
            Some(format!("{missing} missing."))
        } else if first.get() != second.get() {
            Some("Write the same passphrase below, so that no slip locks you out.".to_owned())
        } else {
            None
        }
    });
    let make = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() || hinders.with_untracked(Option::is_some) {
            return;
        }
        busy.set(true);
        failure.set(None);
        saved.set(None);
        let asked = MakeBackup {
            passphrase: first.get_untracked(),
        };
        let name = live.status.with_untracked(|status| {
            let known = status.as_ref();
            let known = known.map(|status| (plain(&status.node_name), status.height));
            let (name, height) = known.unwrap_or_default();
            format!("{name}-block-{height}.fwbackup")
        });
        spawn_local(async move {
            let done = save(&name, &asked).await;
            // The page may be gone by now.
            busy.try_set(false);
            match done {
                Ok(words) => {
                    first.try_set(String::new());
                    second.try_set(String::new());
                    saved.try_set(Some(words));
                }
                Err(why) => {
                    failure.try_set(Some(why));
                }
            }
        });
    };
    let says = move || saved.get().or_else(|| hinders.get());
    view! {
        <form class="stack tight" on:submit=make>
            <Passphrase id="backup-first" label="Passphrase" value=first testid=testids::BACKUP_PASSPHRASE/>
            <Passphrase id="backup-second" label="Once more" value=second testid=testids::BACKUP_AGAIN/>
            <p class="small dim two-lines" role="status" data-testid=testids::BACKUP_SAYS>{says}</p>
            <div class="row">
                <button type="submit" class="btn" aria-busy=move || busy.get().to_string()
                    disabled=move || busy.get() || hinders.with(Option::is_some) data-testid=testids::BACKUP_MAKE>
                    <Icon name="down"/>{move || if busy.get() { "Making it…" } else { "Make a backup and save it" }}
                </button>
            </div>
            {move || failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
            <p class="small dim">"It is made for this window in one piece. A large node is better backed up with "<code>"fogward backup"</code>"."</p>
        </form>
    }
}

#[component]
fn Passphrase(
    id: &'static str,
    label: &'static str,
    value: RwSignal<String>,
    testid: &'static str,
) -> impl IntoView {
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input class="input" id=id type="password" autocomplete="new-password" data-testid=testid prop:value=value
                on:input=move |event| value.set(event_target_value(&event))/>
        </div>
    }
}

async fn save(name: &str, asked: &MakeBackup) -> Result<String, Failure> {
    let file = transport::post_for_bytes("/api/backup", asked).await?;
    let place = transport::save_file(name, &file).await?;
    Ok(format!(
        "Saved as {place}, {}. Keep it where this machine’s disk cannot take it along; without the passphrase nobody can open it, neither can you.",
        bytes(file.len() as u64)
    ))
}

/// A name that any file system takes.
fn plain(name: &str) -> String {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let letters = name
        .chars()
        .map(|letter| if fits(letter) { letter } else { '-' });
    letters.take(40).collect()
}
