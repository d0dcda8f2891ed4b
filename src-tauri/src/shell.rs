//! The window and the tray: show, hide, quit.
//!
//! Closing the window hides it and the node goes on; only *Quit* stops the node.
//! Where the desktop has no tray, closing minimises instead, so that no program
//! runs that a person cannot reach.

use crate::host::Host;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tauri::menu::{Menu, MenuItem, PredefinedMenuItem};
use tauri::tray::{MouseButton, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Manager, Window, WindowEvent};

const WINDOW: &str = "main";
const TRAY: &str = "fogward";

/// Brings the window to the front.
pub fn show(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(WINDOW) {
        for step in [window.unminimize(), window.show(), window.set_focus()] {
            if let Err(error) = step {
                tracing::warn!("the window could not be shown: {error}");
            }
        }
    }
}

/// Stops the node, then ends the program.
pub fn quit(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        app.state::<Host>().stop().await;
        app.exit(0);
    });
}

/// Hides the window instead of closing it.
pub fn on_window_event(window: &Window, event: &WindowEvent) {
    if let WindowEvent::CloseRequested { api, .. } = event {
        api.prevent_close();
        let done = if window.app_handle().tray_by_id(TRAY).is_some() {
            window.hide()
        } else {
            window.minimize()
        };
        if let Err(error) = done {
            tracing::warn!("the window could not be hidden: {error}");
        }
    }
}

/// Adds the tray icon; a desktop without one is no reason not to start.
pub fn add_tray(app: &AppHandle) {
    // The tray library panics where the system has no indicator library to load.
    match catch_unwind(AssertUnwindSafe(|| tray(app))) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!("there is no tray icon: {error}"),
        Err(_) => tracing::warn!("there is no tray icon: the system has no indicator library"),
    }
}

fn tray(app: &AppHandle) -> tauri::Result<()> {
    let open = MenuItem::with_id(app, "show", "Show Fogward", true, None::<&str>)?;
    let quit_item = MenuItem::with_id(app, "quit", "Quit and stop the node", true, None::<&str>)?;
    let line = PredefinedMenuItem::separator(app)?;
    let menu = Menu::with_items(app, &[&open, &line, &quit_item])?;
    TrayIconBuilder::with_id(TRAY)
        .icon(tauri::include_image!("../icons/tray.png"))
        .tooltip("Fogward")
        .menu(&menu)
        .show_menu_on_left_click(false)
        .on_menu_event(|app, event| match event.id().as_ref() {
            "show" => show(app),
            "quit" => quit(app),
            _ => {}
        })
        .on_tray_icon_event(|tray, event| {
            if let TrayIconEvent::Click {
                button: MouseButton::Left,
                ..
            } = event
            {
                show(tray.app_handle());
            }
        })
        .build(app)
        .map(drop)
}
