//! What the console may ask of the desktop shell: five commands, each an adapter.
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
use std::sync::{Mutex, MutexGuard, PoisonError};
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

/// The event streams of each window, one at each path; a new one ends the one before. Each has a number that the page
/// chose, so that an end that comes late ends no other.
#[derive(Debug, Default)]
pub struct Streams(Mutex<BTreeMap<(String, String), Numbered>>);

#[derive(Debug)]
struct Numbered {
    number: u32,
    /// None until the node has answered.
    task: Option<AbortHandle>,
}

impl Drop for Numbered {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Streams {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, String), Numbered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is asked of a path is no part of it.
    fn place(window: &str, path: &str) -> (String, String) {
        let path = path.split('?').next().unwrap_or(path);
        (window.to_owned(), path.to_owned())
    }

    fn begin(&self, window: &str, path: &str, number: u32) {
        let new = Numbered { number, task: None };
        self.lock().insert(Self::place(window, path), new);
    }

    /// Keeps a stream that has begun, unless it was ended meanwhile.
    fn keep(&self, window: &str, path: &str, number: u32, task: AbortHandle) {
        match self.lock().get_mut(&Self::place(window, path)) {
            Some(begun) if begun.number == number => begun.task = Some(task),
            _ => task.abort(),
        }
    }

    fn end(&self, window: &str, number: u32) {
        self.lock()
            .retain(|(of, _), stream| of != window || stream.number != number);
    }

    /// Ends those of a page that is left.
    pub fn end_all(&self, window: &str) {
        self.lock().retain(|(of, _), _| of != window);
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

/// Streams the events at a path, each one JSON text, into `channel` until the window
/// asks for another stream there or for its end, or goes away.
#[tauri::command]
pub async fn events(
    host: State<'_, Host>,
    jar: State<'_, Jar>,
    streams: State<'_, Streams>,
    webview: Webview,
    path: String,
    number: u32,
    channel: Channel<String>,
) -> Result<(), String> {
    streams.begin(webview.label(), &path, number);
    let response = ask(&host, &jar, "GET", &path, None).await?;
    if !response.status().is_success() {
        return Err(format!("the node answered {}", response.status()));
    }
    let task = tokio::spawn(forward(response.into_body(), channel));
    streams.keep(webview.label(), &path, number, task.abort_handle());
    Ok(())
}

/// Ends the stream of this number.
#[tauri::command]
pub fn end_events(streams: State<'_, Streams>, webview: Webview, number: u32) {
    streams.end(webview.label(), number);
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
    //! The layout of an answer, byte for byte, the cookie that is kept, and which stream an end ends.
    use super::*;

    #[tokio::test]
    async fn an_end_ends_its_own_stream() {
        let streams = Streams::default();
        let task = || tokio::spawn(std::future::pending::<()>());
        let begin = |path: &str, number| {
            streams.begin("main", path, number);
            let task = task();
            streams.keep("main", path, number, task.abort_handle());
            task
        };
        let (events, live) = (begin("/api/events", 1), begin("/api/access/ab/live", 2));
        let again = begin("/api/events?waves=x", 3);
        assert!(events.await.unwrap_err().is_cancelled(), "another came");
        // Late: the one that it is for is gone.
        streams.end("main", 1);
        streams.end("other", 2);
        tokio::task::yield_now().await;
        assert!(!again.is_finished() && !live.is_finished());
        streams.end("main", 2);
        assert!(live.await.unwrap_err().is_cancelled());
        // Ended before the node has answered.
        streams.begin("main", "/api/access/ab/live", 4);
        streams.end("main", 4);
        let late = task();
        streams.keep("main", "/api/access/ab/live", 4, late.abort_handle());
        assert!(late.await.unwrap_err().is_cancelled());
        streams.end_all("main");
        assert!(again.await.unwrap_err().is_cancelled());
    }

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
