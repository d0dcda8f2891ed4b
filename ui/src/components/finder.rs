//! Find (Ctrl K): pages, devices and blocks from one input.
//!
//! A combobox: the input keeps the focus, arrow keys move through the list, Enter goes, Escape closes.

use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::{Icon, modal};
use crate::live::use_live;
use crate::route::Route;
use crate::session::{Session, use_session};
use crate::testids;

/// At most so many entries.
const MOST: usize = 12;

#[derive(Clone, PartialEq)]
struct Found {
    icon: &'static str,
    label: String,
    kind: &'static str,
    to: Route,
}

/// The finder; `open` shows it.
#[component]
pub fn Finder(
    /// Whether it is open.
    open: RwSignal<bool>,
) -> impl IntoView {
    let (live, session) = (use_live(), use_session());
    let (words, set_words) = signal(String::new());
    let (at, set_at) = signal(0_usize);
    let found = Memo::new(move |_| {
        if open.get() {
            search(&words.get(), live, session)
        } else {
            Vec::new()
        }
    });
    let (dialog, closed) = modal(open, move || {
        set_words.set(String::new());
        set_at.set(0);
    });
    let go = move |to: &Route| {
        open.set(false);
        location().set_hash(&to.href()).ok();
    };
    let key = move |event: web_sys::KeyboardEvent| {
        let last = found.with(Vec::len).saturating_sub(1);
        match event.key().as_str() {
            "ArrowDown" => set_at.update(|at| *at = if *at >= last { 0 } else { *at + 1 }),
            "ArrowUp" => set_at.update(|at| *at = at.checked_sub(1).unwrap_or(last)),
            "Enter" => {
                if let Some(chosen) = found.with(|found| found.get(at.get()).cloned()) {
                    go(&chosen.to);
                }
            }
            _ => return,
        }
        event.prevent_default();
    };
    let outside = move |event: web_sys::MouseEvent| {
        if event
            .target()
            .is_some_and(|target| target.dyn_ref::<web_sys::HtmlDialogElement>().is_some())
        {
            open.set(false);
        }
    };
    let options = move || {
        found
            .get()
            .into_iter()
            .enumerate()
            .map(|(place, entry)| {
                let to = entry.to.clone();
                view! {
                    <li role="option" id=format!("find-{place}") aria-selected=move || (at.get() == place).to_string()
                        data-testid=testids::FIND_OPTION on:mousemove=move |_| set_at.set(place) on:click=move |_| go(&to)>
                        <Icon name=entry.icon/><span>{entry.label}</span><span class="dim small">{entry.kind}</span>
                    </li>
                }
            })
            .collect_view()
    };
    view! {
        <dialog class="dialog finder" node_ref=dialog aria-label="Find" on:close=closed on:click=outside>
            <div>
                <label class="vh" for="find">"Find a device, block or page"</label>
                <input class="input" id="find" type="text" role="combobox" autocomplete="off" aria-expanded="true"
                    aria-controls="find-list" aria-activedescendant=move || format!("find-{}", at.get())
                    placeholder="Name of a device, height of a block, a page" data-testid=testids::FIND_INPUT
                    prop:value=words on:keydown=key
                    on:input=move |event| { set_words.set(event_target_value(&event)); set_at.set(0); }/>
                <ul role="listbox" id="find-list" aria-label="Found">{options}</ul>
                <p class="dim small" role="status" hidden=move || found.with(|found| !found.is_empty())>
                    "Nothing has this name. A block is found by its height, a device by its name or port."
                </p>
            </div>
        </dialog>
    }
}

fn search(words: &str, live: crate::live::Live, session: Session) -> Vec<Found> {
    let wanted = words.trim().to_lowercase();
    let pages = [
        ("overview", "Overview", Route::Overview),
        ("devices", "Devices", Route::Devices),
        ("devices", "Registry of devices", Route::Registry),
        ("overview", "Ward wall", Route::Wall(None)),
        ("plus", "Pair a device", Route::Pair(None)),
        ("chain", "Chain", Route::Chain),
        ("proof", "Proofs", Route::Proofs),
        ("consortium", "Consortium", Route::Consortium),
        ("plus", "Propose a change", Route::Propose(None)),
        ("consortium", "Join a consortium", Route::Join),
        ("patient", "My record", Route::Me),
        ("patient", "Patients", Route::Patients),
        ("policies", "Policies", Route::Policies),
        ("user", "People", Route::People),
        ("key", "Requests", Route::Requests),
        ("eye", "Audit", Route::Audit),
    ];
    let mut found = Vec::new();
    let digits: String = wanted.chars().filter(char::is_ascii_digit).collect();
    let only_digits = !digits.is_empty()
        && wanted
            .chars()
            .all(|letter| letter.is_ascii_digit() || letter.is_whitespace());
    if let (true, Ok(height)) = (only_digits, digits.parse::<u64>()) {
        let label = format!("Block {}", crate::words::number::thousands(height));
        found.push(Found {
            icon: "chain",
            label,
            kind: "Block",
            to: Route::Block(height),
        });
    }
    for (icon, label, to) in pages {
        let is_there = to != Route::Me || session.is_patient();
        if is_there && label.to_lowercase().contains(&wanted) {
            found.push(Found {
                icon,
                label: label.to_owned(),
                kind: "Page",
                to,
            });
        }
    }
    for entry in live.devices() {
        let device = entry.facts.get();
        if device.name.to_lowercase().contains(&wanted)
            || device.path.to_lowercase().contains(&wanted)
        {
            found.push(Found {
                icon: "devices",
                label: device.name,
                kind: "Device",
                to: Route::Device(device.id),
            });
        }
        if found.len() >= MOST {
            break;
        }
    }
    found.truncate(MOST);
    found
}
