//! The frame around every page: menu, top bar, banners.
//!
//! The menu shows only places that exist. On a phone it becomes the bottom bar.

use fog_api::Capability;
use leptos::prelude::*;

use crate::components::finder::Finder;
use crate::components::notices::Notices;
use crate::components::who::Who;
use crate::components::{Ask, Icon, Note, StateMark};
use crate::consortium::use_consortium;
use crate::live::{Link, Live, use_live};
use crate::patients::use_patients;
use crate::route::{Place, Route};
use crate::session::use_session;
use crate::testids;
use crate::words::number::{age, thousands};
use crate::words::state::State;
use crate::words::{consortium, node};

/// Frame with the page inside.
#[component]
pub fn Shell(children: Children) -> impl IntoView {
    let folded = RwSignal::new(stored("fogward.rail").as_deref() == Some("narrow"));
    let finding = RwSignal::new(false);
    listen_for_find(finding);
    let rail = move || {
        if folded.get() { Some("narrow") } else { None }
    };
    view! {
        <a class="skip" href="#main" on:click=skip>"Skip to content"</a>
        <div class="app" data-rail=rail>
            <Rail folded=folded/>
            <TopBar finding=finding/>
            <main class="main" id="main" tabindex="-1">
                <Banners/>
                {children()}
            </main>
        </div>
        <Finder open=finding/>
    }
}

/// The fragment is the address, so the skip link moves the focus itself.
fn skip(event: web_sys::MouseEvent) {
    use wasm_bindgen::JsCast;
    event.prevent_default();
    if let Some(main) = document().get_element_by_id("main")
        && let Ok(main) = main.dyn_into::<web_sys::HtmlElement>()
    {
        // A page without its main part has nothing to move to.
        main.focus().ok();
    }
}

fn listen_for_find(finding: RwSignal<bool>) {
    let handle = window_event_listener(leptos::ev::keydown, move |event| {
        if (event.ctrl_key() || event.meta_key()) && event.key().eq_ignore_ascii_case("k") {
            event.prevent_default();
            finding.update(|open| *open = !*open);
        }
    });
    on_cleanup(move || handle.remove());
}

fn stored(key: &str) -> Option<String> {
    window()
        .local_storage()
        .ok()
        .flatten()
        .and_then(|storage| storage.get_item(key).ok().flatten())
}

fn store(key: &str, value: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        // A browser that refuses storage only forgets the choice.
        storage.set_item(key, value).ok();
    }
}

#[component]
fn Rail(folded: RwSignal<bool>) -> impl IntoView {
    let live = use_live();
    let needy = Memo::new(move |_| {
        live.devices()
            .iter()
            .filter(|entry| entry.needs_somebody().is_some())
            .count()
    });
    let badge = move || {
        (needy.get() > 0).then(|| {
            view! { <span class="count" data-state="attention">{needy.get()}<span class="vh">" need a hand"</span></span> }
        })
    };
    let asked = use_consortium().part(consortium::votes_asked);
    let votes = move || {
        (asked.get() > 0).then(|| {
            view! { <span class="count" data-state="attention">{asked.get()}<span class="vh">" asked for your vote"</span></span> }
        })
    };
    let session = use_session();
    let is_patient = session.is_patient();
    // Of the node nothing is told to who sees neither its devices nor the chain.
    let knows_node = [Capability::SeeDevices, Capability::ReadConsortium]
        .into_iter()
        .any(|capability| session.may(capability));
    let fold = move |_| {
        folded.update(|folded| *folded = !*folded);
        store(
            "fogward.rail",
            if folded.get_untracked() { "narrow" } else { "" },
        );
    };
    view! {
        <nav class="rail" aria-label="Main">
            <div class="rail-head">
                <a class="brand" href=Route::Overview.href()><Icon name="brand"/><span>"Fogward"</span></a>
                <button type="button" class="btn quiet icon-only" aria-expanded=move || (!folded.get()).to_string()
                    data-testid=testids::RAIL_FOLD on:click=fold>
                    <Icon name="rail"/><span class="vh">"Fold the menu"</span>
                </button>
            </div>
            <section aria-labelledby="nav-care">
                <h2 id="nav-care">"Care"</h2>
                <ul>
                    <Entry place=Place::Overview icon="overview" label="Overview" to=Route::Overview testid=testids::NAV_OVERVIEW/>
                    <Entry place=Place::Devices icon="devices" label="Devices" to=Route::Devices testid=testids::NAV_DEVICES>{badge}</Entry>
                    {is_patient.then(|| view! { <Entry place=Place::Me icon="patient" label="My record" to=Route::Me testid=testids::NAV_ME/> })}
                    <Entry place=Place::Patients icon="patient" label="Patients" to=Route::Patients testid=testids::NAV_PATIENTS/>
                    <Entry place=Place::Requests icon="key" label="Requests" to=Route::Requests testid=testids::NAV_REQUESTS/>
                </ul>
            </section>
            <section aria-labelledby="nav-trust">
                <h2 id="nav-trust">"Trust"</h2>
                <ul>
                    <Entry place=Place::Chain icon="chain" label="Chain" to=Route::Chain testid=testids::NAV_CHAIN/>
                    <Entry place=Place::Proofs icon="proof" label="Proofs" to=Route::Proofs testid=testids::NAV_PROOFS/>
                    <Entry place=Place::Consortium icon="consortium" label="Consortium" to=Route::Consortium testid=testids::NAV_CONSORTIUM>{votes}</Entry>
                    <Entry place=Place::Policies icon="policies" label="Policies" to=Route::Policies testid=testids::NAV_POLICIES/>
                    <Entry place=Place::People icon="user" label="People" to=Route::People testid=testids::NAV_PEOPLE/>
                    <Entry place=Place::Audit icon="eye" label="Audit" to=Route::Audit testid=testids::NAV_AUDIT/>
                </ul>
            </section>
            {knows_node.then(|| view! { <ThisNode/> })}
        </nav>
    }
}

#[component]
fn Entry(
    place: Place,
    icon: &'static str,
    label: &'static str,
    to: Route,
    testid: &'static str,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let route: RwSignal<Route> = expect_context();
    let current = move || (route.with(Route::place) == Some(place)).then_some("page");
    // What is not open to the person is not in the menu.
    let session = use_session();
    let is_hidden = to.needs().is_some_and(|needs| !session.may(needs));
    view! {
        <li data-phone="" hidden=is_hidden>
            <a href=to.href() title=label aria-current=current data-testid=testid>
                <Icon name=icon/><span class="label">{label}</span>
                {children.map(|children| children())}
            </a>
        </li>
    }
}

#[component]
fn ThisNode() -> impl IntoView {
    let live = use_live();
    let name = move || {
        live.status
            .with(|status| status.as_ref().map(|status| status.node_name.clone()))
    };
    let mark = Memo::new(move |_| {
        match (
            live.link.get(),
            live.status.with(|status| status.as_ref().map(node::state)),
        ) {
            (Link::Offline(_), _) => (State::Offline, "Does not answer"),
            (Link::NotAllowed, _) => (State::Offline, "Does not know this window"),
            (_, Some(state)) => state,
            (_, None) => (State::Unknown, "Connecting"),
        }
    });
    let height = move || {
        live.status.with(|status| {
            status
                .as_ref()
                .map(|status| format!("Block {} is final", thousands(status.height)))
        })
    };
    let signing = move || {
        live.status
            .with(|status| status.as_ref().map(node::signing))
    };
    view! {
        <div class="rail-node" role="group" aria-label="This node">
            <b><bdi>{move || name().unwrap_or_else(|| "This node".to_owned())}</bdi></b>
            <StateMark state=Signal::derive(move || mark.get().0) word=Signal::derive(move || mark.get().1.to_owned())
                testid=testids::NODE_STATE/>
            <span class="dim num-text">{height}</span>
            <span class="dim">{signing}</span>
        </div>
    }
}

#[component]
fn TopBar(finding: RwSignal<bool>) -> impl IntoView {
    view! {
        <header class="topbar">
            <Crumbs/>
            <button type="button" class="find" aria-keyshortcuts="Control+K" data-testid=testids::FIND_OPEN
                on:click=move |_| finding.set(true)>
                <Icon name="search"/><span>"Find a device, block, page"</span><kbd>"Ctrl K"</kbd>
            </button>
            <Who/>
            <ThemeButton/>
            {crate::transport::is_desktop().then(|| view! { <QuitButton/> })}
        </header>
    }
}

/// The way out beside the tray's, which not every desktop has.
#[component]
fn QuitButton() -> impl IntoView {
    let asking = RwSignal::new(false);
    let refused = RwSignal::new(None::<String>);
    let explains = move || {
        refused.get().unwrap_or_else(|| {
            "What has arrived is saved. No device is read until Fogward is started again. \
             To keep the node at work, close the window instead."
                .to_owned()
        })
    };
    let quit = move |()| {
        leptos::task::spawn_local(async move {
            if let Err(failure) = crate::transport::quit().await {
                let words = failure.words();
                refused.set(Some(format!("{} {} {}", words.what, words.why, words.next)));
                asking.set(true);
            }
        });
    };
    view! {
        <button type="button" class="btn quiet icon-only" title="Quit Fogward" data-testid=testids::QUIT
            on:click=move |_| asking.set(true)>
            <Icon name="power"/><span class="vh">"Quit Fogward"</span>
        </button>
        <Ask open=asking question="Quit, and stop this computer’s node?" explains=Signal::derive(explains)
            keep="Keep it running" act="Stop the node and quit" on_act=quit
            testids=(testids::QUIT_KEEP, testids::QUIT_CONFIRM)/>
    }
}

#[component]
fn Crumbs() -> impl IntoView {
    let (live, patients) = (use_live(), use_patients());
    let route: RwSignal<Route> = expect_context();
    let home = move || {
        live.status
            .with(|status| {
                status
                    .as_ref()
                    .map(|status| status.consortium.clone())
                    .filter(|name| !name.is_empty())
            })
            .unwrap_or_else(|| "Fogward".to_owned())
    };
    let trail = move || {
        let mut trail: Vec<(String, Option<String>)> = Vec::new();
        let parent = |place: &str, to: &Route| (place.to_owned(), Some(to.href()));
        match route.get() {
            Route::Overview => trail.push(("Overview".to_owned(), None)),
            Route::Devices => trail.push(("Devices".to_owned(), None)),
            Route::Pair(_) | Route::PairBluetooth(_) => {
                trail.push(parent("Devices", &Route::Devices));
                trail.push(("Pair a device".to_owned(), None));
            }
            Route::Device(id) => {
                trail.push(parent("Devices", &Route::Devices));
                live.ids.track();
                let name = live
                    .device(&id)
                    .map(|entry| entry.facts.with(|facts| facts.name.clone()));
                trail.push((name.unwrap_or(id), None));
            }
            Route::Registry => {
                trail.push(parent("Devices", &Route::Devices));
                trail.push(("Registry".to_owned(), None));
            }
            Route::Chain => trail.push(("Chain".to_owned(), None)),
            Route::Block(height) => {
                trail.push(parent("Chain", &Route::Chain));
                trail.push((format!("Block {}", thousands(height)), None));
            }
            Route::Transaction(_) => {
                trail.push(parent("Chain", &Route::Chain));
                trail.push(("Transaction".to_owned(), None));
            }
            Route::Proofs => trail.push(("Proofs".to_owned(), None)),
            Route::Proof(_) => {
                trail.push(parent("Proofs", &Route::Proofs));
                trail.push(("One reading".to_owned(), None));
            }
            Route::Consortium => trail.push(("Consortium".to_owned(), None)),
            Route::Join => {
                trail.push(parent("Consortium", &Route::Consortium));
                trail.push(("Join a consortium".to_owned(), None));
            }
            Route::Propose(_) => {
                trail.push(parent("Consortium", &Route::Consortium));
                trail.push(("Propose a change".to_owned(), None));
            }
            // It has no frame.
            Route::Wall(_) => {}
            Route::Patients => trail.push(("Patients".to_owned(), None)),
            Route::Patient(id) => {
                trail.push(parent("Patients", &Route::Patients));
                trail.push((patients.called(&id), None));
            }
            Route::Me => trail.push(("My record".to_owned(), None)),
            Route::Policies => trail.push(("Policies".to_owned(), None)),
            Route::People => trail.push(("People".to_owned(), None)),
            Route::Requests => trail.push(("Requests".to_owned(), None)),
            Route::Audit => trail.push(("Audit".to_owned(), None)),
            Route::Unknown(_) => trail.push(("No such page".to_owned(), None)),
        }
        trail
            .into_iter()
            .map(|(label, to)| match to {
                Some(to) => view! { <li><a href=to>{label}</a></li> }.into_any(),
                None => view! { <li aria-current="page"><bdi>{label}</bdi></li> }.into_any(),
            })
            .collect_view()
    };
    view! {
        <nav class="crumbs" aria-label="You are here">
            <ol><li><a href=Route::Overview.href()>{home}</a></li>{trail}</ol>
        </nav>
    }
}

/// System, light, dark, and round again.
#[component]
fn ThemeButton() -> impl IntoView {
    let choice = RwSignal::new(match stored("fogward.theme").as_deref() {
        Some("light") => "light",
        Some("dark") => "dark",
        _ => "system",
    });
    let next = move |_| {
        let chosen = match choice.get_untracked() {
            "system" => "light",
            "light" => "dark",
            _ => "system",
        };
        choice.set(chosen);
        store("fogward.theme", chosen);
        if let Some(root) = document().document_element() {
            // An attribute of the root element is always accepted.
            if chosen == "system" {
                root.remove_attribute("data-theme")
            } else {
                root.set_attribute("data-theme", chosen)
            }
            .ok();
        }
    };
    let icon = Signal::derive(move || match choice.get() {
        "light" => "sun",
        "dark" => "moon",
        _ => "theme",
    });
    let says = move || match choice.get() {
        "light" => "Theme: light",
        "dark" => "Theme: dark",
        _ => "Theme: as the system",
    };
    view! {
        <button type="button" class="btn quiet icon-only" title=says data-theme-choice=move || choice.get()
            data-testid=testids::THEME on:click=next>
            <Icon name=icon/><span class="vh" role="status">{says}</span>
        </button>
    }
}

#[component]
fn Banners() -> impl IntoView {
    let live = use_live();
    let simulated = Memo::new(move |_| {
        live.status
            .with(|status| status.as_ref().and_then(node::simulated))
    });
    let trouble = Memo::new(move |_| {
        live.status
            .with(|status| status.as_ref().and_then(|status| status.trouble.clone()))
    });
    view! {
        <div role="status">{move || offline(live)}</div>
        {move || trouble.get().map(|trouble| view! {
            <div class="banner" data-state="critical" data-testid=testids::TROUBLE_BANNER>
                <Note state=State::Critical words=trouble/>
            </div>
        })}
        <Notices/>
        {move || simulated.get().map(|(what, rest)| view! {
            <div class="banner" data-state="simulated" data-testid=testids::SIMULATED_BANNER>
                <Icon name="simulated"/><span><b>{what}</b>" "{rest}</span>
            </div>
        })}
    }
}

fn offline(live: Live) -> Option<AnyView> {
    match live.link.get() {
        Link::Connecting | Link::Online => None,
        Link::Offline(since) => Some(
            view! {
                <div class="banner" data-state="offline" data-testid=testids::OFFLINE_BANNER>
                    <Icon name="offline"/>
                    <span>
                        <b>"The node does not answer."</b>
                        " "<span class="num-text" aria-hidden="true">{move || { live.now.track(); format!("For {} now.", age(crate::live::here_now(), since)) }}</span>
                        " What is shown is what it said last. The console goes on by itself when the node is back."
                    </span>
                    <button type="button" class="btn" on:click=move |_| live.try_now()><Icon name="refresh"/>"Try now"</button>
                </div>
            }
            .into_any(),
        ),
        Link::NotAllowed => Some(
            view! {
                <div class="banner" data-state="offline" data-testid=testids::OFFLINE_BANNER>
                    <Icon name="lock"/>
                    <span>
                        <b>"The node does not know this window."</b>
                        " The token in the address is missing or from an earlier start. Open the address that the node printed when it started."
                    </span>
                </div>
            }
            .into_any(),
        ),
    }
}
