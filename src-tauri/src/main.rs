//! The desktop shell: a window with the console, a tray icon, and a fog node in
//! the same process.
//!
//! Adapters only. What the console shows is `fogward-ui`; what the node does is
//! `fog-node`. This program opens no network port: the window's requests go to
//! the node's router in process.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod arguments;
mod download;
mod host;
mod ipc;
mod shell;
mod sse;

use anyhow::{Context, Result};
use arguments::Arguments;
use clap::Parser;
use host::Host;
use tauri::webview::PageLoadEvent;
use tauri::{AppHandle, Manager, RunEvent};

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(arguments::log_filter())
        .with_writer(std::io::stderr)
        .init();
    let app = tauri::Builder::default()
        // First, so that a second start ends before it opens anything.
        .plugin(tauri_plugin_single_instance::init(|app, _, _| {
            shell::show(app);
        }))
        .manage(Host::new())
        .manage(ipc::Streams::default())
        .manage(ipc::Jar::default())
        .invoke_handler(tauri::generate_handler![
            ipc::api_call,
            ipc::events,
            ipc::end_events,
            ipc::save_file,
            ipc::quit
        ])
        .on_window_event(shell::on_window_event)
        .on_page_load(|webview, load| {
            // The page that listened is left.
            if load.event() == PageLoadEvent::Started {
                webview.state::<ipc::Streams>().end_all(webview.label());
            }
        })
        .setup(move |app| {
            let handle = app.handle();
            start_node(handle, arguments);
            quit_on_signal(handle);
            shell::add_tray(handle);
            Ok(())
        })
        .build(context())
        .context("the console cannot start")?;
    app.run(|_, event| {
        // Without a window the node goes on; an exit with a code was asked for.
        if let RunEvent::ExitRequested {
            code: None, api, ..
        } = event
        {
            api.prevent_exit();
        }
    });
    Ok(())
}

/// The settings and the console's files.
#[cfg(not(test))]
fn context() -> tauri::Context {
    tauri::generate_context!()
}

/// None for the tests, which open no window. They are compiled beside the program, and the macro lets
/// one compiler read a file that another is still writing.
#[cfg(test)]
fn context() -> tauri::Context {
    unreachable!("a test opens no window")
}

fn start_node(app: &AppHandle, arguments: Arguments) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let user_data = app.path().data_dir().ok();
        let config = arguments.config(user_data);
        Box::pin(app.state::<Host>().start(config)).await;
    });
}

#[cfg(unix)]
fn quit_on_signal(app: &AppHandle) {
    use tokio::signal::unix::{SignalKind, signal};
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let signals = (
            signal(SignalKind::terminate()),
            signal(SignalKind::interrupt()),
        );
        if let (Ok(mut terminate), Ok(mut interrupt)) = signals {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            shell::quit(&app);
        }
    });
}

#[cfg(not(unix))]
fn quit_on_signal(_: &AppHandle) {}
