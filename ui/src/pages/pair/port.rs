//! Step 1: which port.

use leptos::prelude::*;

use super::{StepFailure, Wizard};
use crate::components::Icon;
use crate::testids;

/// Ports of this machine, live, and a path that may be typed.
#[component]
pub fn PortStep(wizard: Wizard) -> impl IntoView {
    let here = Memo::new(move |_| wizard.step.get() == 1);
    let back = move |_| {
        super::preview::end(wizard);
        wizard.failure.set(None);
        wizard.step.set(1);
    };
    view! {
        <div>
            <div class="brief">
                <h3>"Choose the port"</h3>
                <span class="push" hidden=move || here.get()>
                    <button type="button" class="btn quiet" data-testid=testids::PAIR_BACK on:click=back>"Change"</button>
                </span>
            </div>
            {move || if here.get() {
                view! { <Choose wizard=wizard/> }.into_any()
            } else {
                view! { <p class="soft small">"The sensor on "<bdi class="hash">{move || wizard.path.get()}</bdi>"."</p> }.into_any()
            }}
        </div>
    }
}

#[component]
fn Choose(wizard: Wizard) -> impl IntoView {
    let ports = move || wizard.live.ports.get().unwrap_or_default();
    let none = move || {
        wizard
            .live
            .ports
            .with(|ports| ports.as_ref().is_some_and(Vec::is_empty))
    };
    let next = move || {
        let path = wizard.path.get_untracked().trim().to_owned();
        if !path.is_empty() {
            wizard.path.set(path);
            wizard.failure.set(None);
            wizard.step.set(2);
        }
    };
    let choose = move |path: String| {
        wizard.path.set(path);
        next();
    };
    view! {
        <p class="soft">"Plug the sensor in. Its port appears here by itself."</p>
        <ul class="ports" aria-live="polite">
            <For each=ports key=|port| (port.path.clone(), port.used_by.clone()) let:port>
                <li>
                    <button type="button" class="btn port" disabled=port.used_by.is_some() data-testid=testids::PAIR_PORT data-path=port.path.clone()
                        on:click={ let path = port.path.clone(); move |_| choose(path.clone()) }>
                        <Icon name="serial"/>
                        <span><bdi class="hash">{port.path.clone()}</bdi>
                        <small>{port.used_by.clone().map_or_else(|| port.label.clone(), |by| format!("used by {by}"))}</small></span>
                    </button>
                </li>
            </For>
        </ul>
        <p class="small dim" hidden=move || !none()>
            "This machine shows no serial port now. Plug the adapter in, or type the path if you know it."
        </p>
        <form class="stack" on:submit=move |event| { event.prevent_default(); next(); }>
            <div class="field">
                <label for="pair-path">"Or type the path"</label>
                <input class="input" id="pair-path" autocomplete="off" spellcheck="false" placeholder="/dev/ttyUSB0" aria-describedby="pair-path-hint"
                    data-testid=testids::PAIR_PORT_PATH prop:value=wizard.path
                    on:input=move |event| wizard.path.set(event_target_value(&event))/>
                <span class="hint" id="pair-path-hint">"A device file, a pseudo-terminal or a link to one; on Windows COM3."</span>
            </div>
            <StepFailure wizard=wizard number=1/>
            <div class="row">
                <button type="submit" class="btn primary" disabled=move || wizard.path.with(|path| path.trim().is_empty())
                    data-testid=testids::PAIR_PORT_NEXT>"Use this port"</button>
                <span class="dim small" hidden=move || wizard.path.with(|path| !path.trim().is_empty())>"Choose a port above or type its path."</span>
            </div>
        </form>
    }
}
