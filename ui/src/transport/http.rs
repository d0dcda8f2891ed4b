//! The browser's form: `fetch` with a bearer token, and `EventSource` for events.
//!
//! `EventSource` cannot set a header, so the token goes into its query; the node accepts both.

use std::cell::RefCell;

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, BlobPropertyBag, EventSource, Headers, HtmlAnchorElement, MessageEvent, Request,
    RequestInit, Response, Url, UrlSearchParams,
};

use super::Signal;
use crate::failure::Failure;
use crate::route::escape;

const KEPT: &str = "fogward.token";

thread_local! {
    static TOKEN: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Reads the token from `?token=…`, else from this tab's storage; removes it from the address.
pub fn take_token() {
    let Some(window) = web_sys::window() else {
        return;
    };
    let storage = window.session_storage().ok().flatten();
    let location = window.location();
    let query = location.search().unwrap_or_default();
    let given = UrlSearchParams::new_with_str(&query)
        .ok()
        .and_then(|query| query.get("token"));
    let token = match given {
        Some(token) => {
            if let Some(storage) = &storage {
                // A browser that refuses storage only forgets the token on reload.
                storage.set_item(KEPT, &token).ok();
            }
            let clean = format!(
                "{}{}",
                location.pathname().unwrap_or_default(),
                location.hash().unwrap_or_default()
            );
            if let Ok(history) = window.history() {
                history
                    .replace_state_with_url(&JsValue::NULL, "", Some(&clean))
                    .ok();
            }
            token
        }
        None => storage
            .and_then(|storage| storage.get_item(KEPT).ok().flatten())
            .unwrap_or_default(),
    };
    TOKEN.with_borrow_mut(|kept| *kept = token);
}

/// One request; answers status and body.
pub async fn call(
    method: &str,
    path: &str,
    body: Option<String>,
) -> Result<(u16, Vec<u8>), Failure> {
    let request =
        request(method, path, body).map_err(|_| Failure::Strange(format!("{method} {path}")))?;
    let window = web_sys::window().ok_or(Failure::Unreachable)?;
    let response = JsFuture::from(window.fetch_with_request(&request))
        .await
        .map_err(|_| Failure::Unreachable)?;
    let response: Response = response.dyn_into().map_err(|_| Failure::Unreachable)?;
    let body = response.array_buffer().map_err(|_| Failure::Unreachable)?;
    let body = JsFuture::from(body)
        .await
        .map_err(|_| Failure::Unreachable)?;
    Ok((response.status(), Uint8Array::new(&body).to_vec()))
}

fn request(method: &str, path: &str, body: Option<String>) -> Result<Request, JsValue> {
    let headers = Headers::new()?;
    TOKEN.with_borrow(|token| headers.set("Authorization", &format!("Bearer {token}")))?;
    let init = RequestInit::new();
    init.set_method(method);
    if let Some(body) = body {
        headers.set("Content-Type", "application/json")?;
        init.set_body(&JsValue::from_str(&body));
    }
    init.set_headers(&headers);
    Request::new_with_str_and_init(path, &init)
}

/// Offers the bytes as a download; answers the name.
pub fn save_file(name: &str, bytes: &[u8]) -> Result<String, Failure> {
    offer(name, bytes)
        .map_err(|_| Failure::Strange("the browser refused the download".to_owned()))?;
    Ok(name.to_owned())
}

fn offer(name: &str, bytes: &[u8]) -> Result<(), JsValue> {
    let document = web_sys::window()
        .and_then(|window| window.document())
        .ok_or(JsValue::NULL)?;
    let kind = BlobPropertyBag::new();
    kind.set_type("application/octet-stream");
    let parts = Array::of1(&Uint8Array::from(bytes));
    let blob = Blob::new_with_u8_array_sequence_and_options(&parts, &kind)?;
    let url = Url::create_object_url_with_blob(&blob)?;
    let anchor: HtmlAnchorElement = document.create_element("a")?.dyn_into()?;
    anchor.set_href(&url);
    anchor.set_download(name);
    anchor.click();
    // The click has taken its own hold of the blob once the next task runs.
    crate::live::after(10_000, move || {
        Url::revoke_object_url(&url).ok();
    });
    Ok(())
}

/// An open `EventSource`.
pub struct Events {
    source: Option<EventSource>,
    _closures: Vec<Closure<dyn Fn(MessageEvent)>>,
}

impl Events {
    /// Opens the stream at this path.
    pub fn open(path: &str, on: impl Fn(Signal) + 'static) -> Self {
        let on = std::rc::Rc::new(on);
        let token = TOKEN.with_borrow(|token| escape(token));
        let joint = if path.contains('?') { '&' } else { '?' };
        let Ok(source) = EventSource::new(&format!("{path}{joint}token={token}")) else {
            on(Signal::Down);
            return Self {
                source: None,
                _closures: Vec::new(),
            };
        };
        let up = {
            let on = on.clone();
            Closure::<dyn Fn(MessageEvent)>::new(move |_| on(Signal::Up))
        };
        let down = {
            let on = on.clone();
            Closure::<dyn Fn(MessageEvent)>::new(move |_| on(Signal::Down))
        };
        let message = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(text) = event.data().as_string() {
                on(Signal::Message(text));
            }
        });
        source.set_onopen(Some(up.as_ref().unchecked_ref()));
        source.set_onerror(Some(down.as_ref().unchecked_ref()));
        source.set_onmessage(Some(message.as_ref().unchecked_ref()));
        Self {
            source: Some(source),
            _closures: vec![up, down, message],
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        if let Some(source) = &self.source {
            source.set_onopen(None);
            source.set_onerror(None);
            source.set_onmessage(None);
            source.close();
        }
    }
}
