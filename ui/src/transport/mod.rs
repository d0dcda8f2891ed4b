//! The one way to the node, in two forms: HTTP in a browser, Tauri commands in the desktop window.
//!
//! Pages call [`get`], [`post`], [`delete`] and [`bytes`] with the same paths in both forms and never
//! learn which it is. Events arrive through [`Stream`]. Left out: caching and retries, which belong
//! to the live store ([`crate::live`]), and anything about what is said. Two refusals are looked after here, for
//! all pages: that nobody is signed in any more, and that a fresh code of the app is needed
//! ([`crate::session`]).

mod desktop;
mod http;

use leptos::prelude::{RwSignal, Set, WithUntracked};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::failure::Failure;
use crate::session;

/// An open stream of events; ends when dropped.
pub enum Stream {
    /// Server-sent events.
    Http(http::Events),
    /// A Tauri channel.
    Desktop(desktop::Events),
}

/// What a stream reports.
pub enum Signal {
    /// The stream is up (again).
    Up,
    /// The stream is down.
    Down,
    /// One event, as JSON.
    Message(String),
}

impl Stream {
    /// Opens the stream at this path.
    pub fn open(path: &str, on: impl Fn(Signal) + 'static) -> Self {
        if desktop::is_here() {
            Self::Desktop(desktop::Events::open(path, on))
        } else {
            Self::Http(http::Events::open(path, on))
        }
    }
}

/// Keeps the token of the printed address and takes it out of the address bar. Call once, first.
pub fn take_token() {
    if !desktop::is_here() {
        http::take_token();
    }
}

/// Whether this is the desktop window.
#[must_use]
pub fn is_desktop() -> bool {
    desktop::is_here()
}

/// Asks for something.
///
/// # Errors
/// As [`Failure`] says.
pub async fn get<T: DeserializeOwned>(path: &str) -> Result<T, Failure> {
    read(&call("GET", path, None).await?)
}

/// Asks the node, and shows what it answers; an answer that does not come leaves what was shown before. The page may
/// be gone by then.
pub async fn show<T: DeserializeOwned + Send + Sync + 'static>(
    path: &str,
    shown: RwSignal<Option<T>>,
    failure: RwSignal<Option<Failure>>,
) {
    match get(path).await {
        Ok(answer) => {
            // What depends on a failure is made anew when it is set, though there was none.
            if failure.try_with_untracked(Option::is_some) == Some(true) {
                failure.try_set(None);
            }
            shown.try_set(Some(answer));
        }
        Err(why) => {
            failure.try_set(Some(why));
        }
    }
}

/// Asks for something to be done.
///
/// # Errors
/// As [`Failure`] says.
pub async fn post<T: DeserializeOwned>(path: &str, body: &impl Serialize) -> Result<T, Failure> {
    let body = serde_json::to_string(body).map_err(|error| Failure::Strange(error.to_string()))?;
    read(&call("POST", path, Some(body)).await?)
}

/// Says something that has no answer.
///
/// # Errors
/// As [`Failure`] says.
pub async fn tell(path: &str) -> Result<(), Failure> {
    call("POST", path, None).await.map(drop)
}

/// Asks for something to be removed.
///
/// # Errors
/// As [`Failure`] says.
pub async fn delete(path: &str) -> Result<(), Failure> {
    call("DELETE", path, None).await.map(|_| ())
}

/// Asks for a file.
///
/// # Errors
/// As [`Failure`] says.
pub async fn bytes(path: &str) -> Result<Vec<u8>, Failure> {
    call("GET", path, None).await
}

/// Asks for a file to be made.
///
/// # Errors
/// As [`Failure`] says.
pub async fn post_for_bytes(path: &str, body: &impl Serialize) -> Result<Vec<u8>, Failure> {
    let body = serde_json::to_string(body).map_err(|error| Failure::Strange(error.to_string()))?;
    call("POST", path, Some(body)).await
}

/// Saves a file for the person: a download in a browser, the downloads folder in the desktop window.
/// Answers where it went.
///
/// # Errors
/// As [`Failure`] says.
pub async fn save_file(name: &str, bytes: &[u8]) -> Result<String, Failure> {
    if desktop::is_here() {
        desktop::save_file(name, bytes).await
    } else {
        http::save_file(name, bytes)
    }
}

/// Stops the node and ends the program; in a browser there is nothing to quit.
///
/// # Errors
/// As [`Failure`] says.
pub async fn quit() -> Result<(), Failure> {
    if desktop::is_here() {
        desktop::quit().await
    } else {
        Ok(())
    }
}

async fn call(method: &str, path: &str, body: Option<String>) -> Result<Vec<u8>, Failure> {
    let first = call_once(method, path, body.clone()).await;
    let code = match &first {
        Err(Failure::Refused(error)) => error.code.as_str(),
        _ => "",
    };
    match code {
        "AUTH-01" | "AUTH-03" => session::left(),
        "AUTH-05" if session::step_up().await => return call_once(method, path, body).await,
        _ => {}
    }
    first
}

async fn call_once(method: &str, path: &str, body: Option<String>) -> Result<Vec<u8>, Failure> {
    let (status, body) = if desktop::is_here() {
        desktop::call(method, path, body).await?
    } else {
        http::call(method, path, body).await?
    };
    if (200..300).contains(&status) {
        Ok(body)
    } else {
        Err(Failure::from_status(status, &body))
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| Failure::Strange(error.to_string()))
}
