//! The console's files, embedded when the node was built; see `build.rs`.

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};

use super::failure::not_found;

/// A file of the bundle.
struct ConsoleFile {
    /// Path below the bundle's root.
    path: &'static str,
    /// Entity tag: digest of the content.
    tag: &'static str,
    bytes: &'static [u8],
}

/// In the order of their paths; empty when the node was built before the bundle.
static FILES: &[ConsoleFile] = include!(concat!(env!("OUT_DIR"), "/console_files.rs"));

const NO_CONSOLE: &str = "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
     <title>Fogward</title>\n<h1>This node was built without its console</h1>\n\
     <p>The node is running, and its API answers. To see the console here, run \
     <code>cargo xtask bundle</code> in the checkout, build the node again, and start it again; \
     <code>cargo xtask run</code> does all of this.</p>\n</html>\n";

/// Answers with a file, or that there is nothing.
pub(super) async fn file(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return not_found().into_response();
    }
    let path = match uri.path() {
        "/" => "index.html",
        path => path.strip_prefix('/').unwrap_or(path),
    };
    match FILES.binary_search_by(|file| file.path.cmp(path)) {
        Ok(at) => answer(&FILES[at], &headers),
        Err(_) if path == "index.html" => Html(NO_CONSOLE).into_response(),
        Err(_) => not_found().into_response(),
    }
}

fn answer(file: &'static ConsoleFile, headers: &HeaderMap) -> Response {
    let caching = [
        (header::ETAG, HeaderValue::from_static(file.tag)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    let known = headers.get(header::IF_NONE_MATCH);
    let known = known.and_then(|known| known.to_str().ok()).unwrap_or("");
    if known
        .split(',')
        .any(|tag| tag.trim().trim_start_matches("W/") == file.tag)
    {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    let kind = [(header::CONTENT_TYPE, content_type(file.path))];
    (caching, kind, file.bytes).into_response()
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "wasm" => "application/wasm",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
