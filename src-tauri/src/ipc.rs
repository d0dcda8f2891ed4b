//! What the console may ask of the desktop shell: four commands, each an adapter.
//!
//! The console speaks to the node as a browser does, by method, path and body;
//! here the request goes to the node's own router in this process, so no port is
//! opened. The session of whoever has signed in is in a cookie, which is kept here
//! ([`Jar`]) as a browser keeps it, out of the page's reach. The answer of
//! [`api_call`] comes back as raw bytes:
//!
//! ```text
//! 0        2        4                4+n
//! ┌────────┬────────┬────────────────┬──────────┐
//! │ status │ n      │ content type   │ body …   │   status and n: u16, little-endian
//! └────────┴────────┴────────────────┴──────────┘
//! ```

use crate::download;
use crate::host::Host;
use crate::shell;
use crate::sse::EventReader;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body_util::BodyExt;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use tauri::ipc::Channel;
use tauri::{AppHandle, Manager, State, Webview};
use tokio::task::AbortHandle;

/// The cookie of the sessions, as the node set it last. There is one window and one cookie.
#[derive(Debug, Default)]
pub struct Jar(Mutex<Option<HeaderValue>>);

impl Jar {
    fn cookie(&self) -> Option<HeaderValue> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clone()
    }

    /// Keeps what an answer sets: the pair before the first `;`.
    fn keep(&self, answer: &HeaderMap) {
        let Some(set) = answer.get(header::SET_COOKIE) else {
            return;
        };
        let pair = set.to_str().unwrap_or("").split(';').next().unwrap_or("");
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = HeaderValue::from_str(pair).ok();
    }
}

/// The one event stream of each window; a new one ends the one before.
#[derive(Debug, Default)]
pub struct Streams(Mutex<BTreeMap<String, AbortHandle>>);

impl Streams {
    fn replace(&self, window: &str, stream: AbortHandle) {
        let mut streams = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = streams.insert(window.to_owned(), stream) {
            before.abort();
        }
    }
}

/// Sends one request to the node and answers with status, content type and body.
#[tauri::command]
pub async fn api_call(
    host: State<'_, Host>,
    jar: State<'_, Jar>,
    method: String,
    path: String,
    body: Option<Vec<u8>>,
) -> Result<tauri::ipc::Response, String> {
    let response = ask(&host, &jar, &method, &path, body).await?;
    jar.keep(response.headers());
    let status = response.status().as_u16();
    let content_type = content_type(&response);
    let body = response
        .into_body()
        .collect()
        .await
        .map_err(|error| format!("the node broke off its answer: {error}"))?
        .to_bytes();
    Ok(tauri::ipc::Response::new(frame(
        status,
        &content_type,
        &body,
    )))
}

/// Streams the node's events, each one JSON text, into `channel` until the window
/// asks for another stream or goes away.
#[tauri::command]
pub async fn events(
    host: State<'_, Host>,
    jar: State<'_, Jar>,
    streams: State<'_, Streams>,
    webview: Webview,
    path: String,
    channel: Channel<String>,
) -> Result<(), String> {
    let response = ask(&host, &jar, "GET", &path, None).await?;
    if !response.status().is_success() {
        return Err(format!("the node answered {}", response.status()));
    }
    let task = tokio::spawn(forward(response.into_body(), channel));
    streams.replace(webview.label(), task.abort_handle());
    Ok(())
}

/// Writes a file into the user's downloads and answers with its path.
#[tauri::command]
pub async fn save_file(app: AppHandle, name: String, bytes: Vec<u8>) -> Result<String, String> {
    let folder = match std::env::var_os("FOGWARD_DOWNLOAD_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => app
            .path()
            .download_dir()
            .or_else(|_| app.path().home_dir())
            .map_err(|error| format!("there is no folder for downloads: {error}"))?,
    };
    let saved = tokio::task::spawn_blocking(move || download::save(&folder, &name, &bytes))
        .await
        .map_err(|error| error.to_string())?;
    saved
        .map(|path| path.display().to_string())
        .map_err(|error| format!("the file could not be saved: {error}"))
}

/// Stops the node cleanly and ends the program.
#[tauri::command]
pub fn quit(app: AppHandle) {
    shell::quit(&app);
}

async fn ask(
    host: &Host,
    jar: &Jar,
    method: &str,
    path: &str,
    body: Option<Vec<u8>>,
) -> Result<Response<Body>, String> {
    let mut request = Request::builder().method(method).uri(path);
    if body.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    if let Some(cookie) = jar.cookie() {
        request = request.header(header::COOKIE, cookie);
    }
    let request = request
        .body(body.map_or_else(Body::empty, Body::from))
        .map_err(|error| format!("this is no request: {error}"))?;
    Ok(host.call(request).await)
}

async fn forward(mut body: Body, channel: Channel<String>) {
    let mut reader = EventReader::default();
    while let Some(Ok(frame)) = body.frame().await {
        let Some(bytes) = frame.data_ref() else {
            continue;
        };
        for event in reader.push(bytes) {
            if channel.send(event).is_err() {
                return;
            }
        }
    }
}

fn content_type(response: &Response<Body>) -> String {
    response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned()
}

fn frame(status: u16, content_type: &str, body: &[u8]) -> Vec<u8> {
    let kind = &content_type.as_bytes()[..content_type.len().min(usize::from(u16::MAX))];
    let kind_bytes = u16::try_from(kind.len()).unwrap_or(u16::MAX);
    let mut bytes = Vec::with_capacity(4 + kind.len() + body.len());
    bytes.extend(status.to_le_bytes());
    bytes.extend(kind_bytes.to_le_bytes());
    bytes.extend(kind);
    bytes.extend(body);
    bytes
}

#[cfg(test)]
mod tests {
    //! The layout of an answer, byte for byte, and the cookie that is kept.
    use super::*;

    #[test]
    fn the_newest_cookie_is_kept() {
        let jar = Jar::default();
        assert!(jar.cookie().is_none());
        let mut answer = HeaderMap::new();
        jar.keep(&answer);
        for (set, kept) in [
            ("fogward-ab=x.y; Path=/api; HttpOnly", "fogward-ab=x.y"),
            ("fogward-ab=; Max-Age=0", "fogward-ab="),
        ] {
            answer.insert(header::SET_COOKIE, set.parse().unwrap());
            jar.keep(&answer);
            assert_eq!(jar.cookie().unwrap(), kept);
        }
    }

    #[test]
    fn an_answer_is_laid_out_as_documented() {
        assert_eq!(
            frame(404, "a/b", b"{}"),
            [0x94, 0x01, 3, 0, b'a', b'/', b'b', b'{', b'}']
        );
        assert_eq!(frame(204, "", b""), [204, 0, 0, 0]);
    }
}
