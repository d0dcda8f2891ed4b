//! The desktop window's form: Tauri commands and a channel, no TCP port.
//!
//! Commands: `api_call {method, path, body}` answers with one frame of raw bytes
//! (`status u16 ‖ n u16 ‖ content type[n] ‖ body`, little-endian), `events {path, number, channel}` sends each
//! event as JSON text, `end_events {number}` ends that, `save_file {name, bytes}` answers the path, `quit` ends the program. `Channel` of `@tauri-apps/api` keeps
//! the order of messages, so the page uses it from `window.__TAURI__` instead of a bare callback.

use std::cell::Cell;

use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::Signal;
use crate::failure::Failure;

fn core() -> Option<JsValue> {
    let window = web_sys::window()?;
    let tauri = Reflect::get(&window, &"__TAURI__".into())
        .ok()
        .filter(JsValue::is_object)?;
    Reflect::get(&tauri, &"core".into())
        .ok()
        .filter(JsValue::is_object)
}

/// Whether the page runs in the desktop window.
#[must_use]
pub fn is_here() -> bool {
    core().is_some()
}

fn function(of: &JsValue, name: &str) -> Result<Function, JsValue> {
    Reflect::get(of, &name.into())?.dyn_into()
}

fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        // Setting a field of a fresh plain object cannot be refused.
        Reflect::set(&object, &(*name).into(), value).ok();
    }
    object.into()
}

async fn invoke(command: &str, arguments: &JsValue) -> Result<JsValue, JsValue> {
    let core = core().ok_or(JsValue::NULL)?;
    let promise: Promise = function(&core, "invoke")?
        .call2(&core, &command.into(), arguments)?
        .dyn_into()?;
    JsFuture::from(promise).await
}

fn refused(reason: &JsValue) -> Failure {
    Failure::Strange(
        reason
            .as_string()
            .unwrap_or_else(|| "the window’s command failed".to_owned()),
    )
}

fn list(bytes: &[u8]) -> JsValue {
    bytes
        .iter()
        .map(|byte| JsValue::from(*byte))
        .collect::<Array>()
        .into()
}

/// One request; answers status and body.
pub async fn call(
    method: &str,
    path: &str,
    body: Option<String>,
) -> Result<(u16, Vec<u8>), Failure> {
    let body = body.map_or(JsValue::NULL, |body| list(body.as_bytes()));
    let arguments = object(&[
        ("method", method.into()),
        ("path", path.into()),
        ("body", body),
    ]);
    let answer = invoke("api_call", &arguments)
        .await
        .map_err(|reason| refused(&reason))?;
    unframe(&Uint8Array::new(&answer).to_vec())
        .ok_or_else(|| Failure::Strange("a cut answer".to_owned()))
}

fn unframe(frame: &[u8]) -> Option<(u16, Vec<u8>)> {
    let (status, rest) = frame.split_first_chunk::<2>()?;
    let (kind_bytes, rest) = rest.split_first_chunk::<2>()?;
    let body = rest.get(usize::from(u16::from_le_bytes(*kind_bytes))..)?;
    Some((u16::from_le_bytes(*status), body.to_vec()))
}

/// Asks the shell to write a file; answers its path.
pub async fn save_file(name: &str, bytes: &[u8]) -> Result<String, Failure> {
    let arguments = object(&[("name", name.into()), ("bytes", list(bytes))]);
    let path = invoke("save_file", &arguments)
        .await
        .map_err(|reason| refused(&reason))?;
    Ok(path.as_string().unwrap_or_else(|| name.to_owned()))
}

/// Asks the shell to stop the node and end the program.
pub async fn quit() -> Result<(), Failure> {
    invoke("quit", &JsValue::UNDEFINED)
        .await
        .map(drop)
        .map_err(|reason| refused(&reason))
}

thread_local! {
    /// That of the next stream.
    static NUMBER: Cell<u32> = const { Cell::new(0) };
}

/// An open channel; the shell ends it when the window asks for that, or for another of its kind.
pub struct Events {
    channel: Option<JsValue>,
    number: u32,
    _closure: Closure<dyn Fn(JsValue)>,
}

impl Events {
    /// Opens the channel and asks for the events at this path.
    pub fn open(path: &str, on: impl Fn(Signal) + 'static) -> Self {
        let on = std::rc::Rc::new(on);
        let heard = on.clone();
        let closure = Closure::<dyn Fn(JsValue)>::new(move |message: JsValue| {
            if let Some(text) = message.as_string() {
                heard(Signal::Message(text));
            }
        });
        let number = NUMBER.replace(NUMBER.get().wrapping_add(1));
        let Ok(channel) = channel(&closure) else {
            on(Signal::Down);
            return Self {
                channel: None,
                number,
                _closure: closure,
            };
        };
        let arguments = object(&[
            ("path", path.into()),
            ("number", number.into()),
            ("channel", channel.clone()),
        ]);
        wasm_bindgen_futures::spawn_local(async move {
            on(if invoke("events", &arguments).await.is_ok() {
                Signal::Up
            } else {
                Signal::Down
            });
        });
        Self {
            channel: Some(channel),
            number,
            _closure: closure,
        }
    }
}

fn channel(closure: &Closure<dyn Fn(JsValue)>) -> Result<JsValue, JsValue> {
    let constructor = function(&core().ok_or(JsValue::NULL)?, "Channel")?;
    let channel = Reflect::construct(&constructor, &Array::new())?;
    Reflect::set(&channel, &"onmessage".into(), closure.as_ref())?;
    Ok(channel)
}

impl Drop for Events {
    fn drop(&mut self) {
        if let Some(channel) = &self.channel {
            // What is still on its way finds nobody instead of a closure that is gone.
            // A function made from text would be `eval`, which the content security policy refuses.
            let nobody = Closure::<dyn Fn(JsValue)>::new(|_| {}).into_js_value();
            Reflect::set(channel, &"onmessage".into(), &nobody).ok();
            // Nobody hears any more, so nothing is to be read for it either.
            let arguments = object(&[("number", self.number.into())]);
            wasm_bindgen_futures::spawn_local(async move {
                invoke("end_events", &arguments).await.ok();
            });
        }
    }
}
