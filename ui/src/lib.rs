//! Fogward's console: what a person reads and operates, compiled to wasm.
//!
//! The same bundle runs in the desktop window and in a browser; [`transport`](crate) is the only
//! place that knows which. Leptos draws everything that is text or control, `egui_plot` paints the
//! plots. Words, formats, reducers and chart mathematics are plain functions without a page, tested
//! natively; the modules that touch the page exist for wasm32 only.
//!
//! Left out on purpose: the store, the vault, tokio, and every decision about data. The console asks
//! the node and shows what it says; only proofs are checked here, with `ledger-core`.

pub mod asked;
pub mod check;
pub mod consortium_plots;
pub mod draft;
pub mod failure;
pub mod followed;
pub mod heat;
pub mod live_model;
pub mod oxygen;
pub mod patient_plots;
pub mod policy;
pub mod profile_plots;
pub mod remedy;
pub mod route;
pub mod spark;
pub mod testids;
pub mod wave_track;
pub mod words;

#[cfg(target_arch = "wasm32")]
mod app;
#[cfg(target_arch = "wasm32")]
pub mod bluetooth;
#[cfg(target_arch = "wasm32")]
pub mod components;
#[cfg(target_arch = "wasm32")]
mod condition;
#[cfg(target_arch = "wasm32")]
pub mod consortium;
#[cfg(target_arch = "wasm32")]
pub mod live;
#[cfg(target_arch = "wasm32")]
mod measure;
#[cfg(target_arch = "wasm32")]
pub mod pages;
#[cfg(target_arch = "wasm32")]
pub mod patients;
#[cfg(target_arch = "wasm32")]
mod session;
#[cfg(target_arch = "wasm32")]
mod shell;
#[cfg(target_arch = "wasm32")]
pub mod transport;
#[cfg(target_arch = "wasm32")]
mod watched;

pub mod plot;

#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
    leptos::mount::mount_to_body(app::App);
}
