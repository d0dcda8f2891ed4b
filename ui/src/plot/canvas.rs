//! One canvas on the page: started, fed, and taken down without a trace.
//!
//! `eframe` on the web is made for whole-page applications. Here it only paints: the canvas takes no
//! pointer events (the page sees wheel, touch and keys as if it were a picture), it is not focusable,
//! `start` cannot take the focus, and the text input that `eframe` adds is switched off.
//! A frame is painted when something changed, never by itself.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use eframe::{WebOptions, WebRunner};
use egui::{Rect, pos2, vec2};
use js_sys::{Function, Object, Reflect};
use leptos::prelude::{document, window};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{
    Element, HtmlCanvasElement, HtmlElement, MediaQueryList, MutationObserver,
    MutationObserverInit, ResizeObserver,
};

use super::paint::{Stage, install_fonts, paint};
use super::palette::Palette;
use super::series::Millis;
use super::spec::PlotSpec;
use crate::measure;

thread_local! {
    static MOUNTS: RefCell<BTreeMap<u32, Mount>> = const { RefCell::new(BTreeMap::new()) };
    static NEXT: Cell<u32> = const { Cell::new(0) };
    /// Runners without a canvas. Each new one would add a panic hook for ever, so they are used again.
    static RUNNERS: RefCell<Vec<WebRunner>> = const { RefCell::new(Vec::new()) };
}

/// A canvas that is on the page.
struct Mount {
    runner: WebRunner,
    canvas: HtmlCanvasElement,
    shared: Rc<Shared>,
    resize: ResizeObserver,
    theme: MutationObserver,
    /// Each call of `matchMedia` makes another object, and a listener belongs to one.
    dark: Option<MediaQueryList>,
    _closures: [Closure<dyn FnMut()>; 2],
    lost: Closure<dyn FnMut()>,
}

/// What the page and the painting share.
struct Shared {
    stage: RefCell<Stage>,
    ctx: RefCell<Option<egui::Context>>,
    /// The element that holds captions, drawing areas and the canvas.
    holder: HtmlElement,
    /// Where the pointer is on the canvas.
    pointer_x: Cell<Option<f32>>,
    alive: Cell<bool>,
    /// When the last frame was painted, in milliseconds of the page's clock.
    painted: Cell<f64>,
    /// How often the series had changed when they were shown last.
    changes: Cell<u64>,
}

/// Names a canvas that was mounted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MountId(u32);

/// Starts painting on `canvas`, which lies over `holder`'s drawing areas (elements of class `area`).
/// `failed` is called when nothing can be painted here, now or later.
pub fn mount(
    canvas: HtmlCanvasElement,
    holder: HtmlElement,
    failed: impl Fn() + Clone + 'static,
) -> MountId {
    let shared = Rc::new(Shared {
        stage: RefCell::default(),
        ctx: RefCell::new(None),
        holder,
        pointer_x: Cell::new(None),
        alive: Cell::new(true),
        painted: Cell::new(f64::MIN),
        changes: Cell::new(0),
    });
    let runner = RUNNERS
        .with_borrow_mut(Vec::pop)
        .unwrap_or_else(WebRunner::new);
    let measure = closure(&shared, Shared::measure);
    let recolour = closure(&shared, Shared::recolour);
    let resize =
        ResizeObserver::new(measure.as_ref().unchecked_ref()).expect("a function is given");
    resize.observe(&shared.holder);
    let theme =
        MutationObserver::new(recolour.as_ref().unchecked_ref()).expect("a function is given");
    let dark = watch_theme(&theme, &recolour);
    let lost = Closure::<dyn FnMut()>::new({
        let (shared, failed) = (shared.clone(), failed.clone());
        move || {
            if shared.alive.get() {
                failed();
            }
        }
    });
    canvas
        .add_event_listener_with_callback("webglcontextlost", lost.as_ref().unchecked_ref())
        .ok();
    start(runner.clone(), canvas.clone(), shared.clone(), failed);
    let id = NEXT.replace(NEXT.get().wrapping_add(1));
    let mount = Mount {
        runner,
        canvas,
        shared,
        resize,
        theme,
        dark,
        _closures: [measure, recolour],
        lost,
    };
    MOUNTS.with_borrow_mut(|mounts| mounts.insert(id, mount));
    MountId(id)
}

/// Takes the canvas down and frees its context.
pub fn unmount(id: MountId) {
    let Some(mount) = MOUNTS.with_borrow_mut(|mounts| mounts.remove(&id.0)) else {
        return;
    };
    mount.shared.alive.set(false);
    // Giving the context up ends in this very event, after its listener would be gone.
    mount
        .canvas
        .remove_event_listener_with_callback(
            "webglcontextlost",
            mount.lost.as_ref().unchecked_ref(),
        )
        .ok();
    mount.resize.disconnect();
    mount.theme.disconnect();
    if let (Some(query), [_, recolour]) = (&mount.dark, &mount._closures) {
        query
            .remove_event_listener_with_callback("change", recolour.as_ref().unchecked_ref())
            .ok();
    }
    mount.runner.destroy();
    lose_context(&mount.canvas);
    RUNNERS.with_borrow_mut(|runners| runners.push(mount.runner));
}

/// Shows something else: a new value at once, and if only time went on, when the line has moved by a pixel.
pub fn show(id: MountId, spec: PlotSpec) {
    with(id, |shared| {
        let moved_on = {
            let mut stage = shared.stage.borrow_mut();
            let same = stage.spec.panels.len() == spec.panels.len();
            if !same {
                stage.reset_axes();
            }
            let moved_on = same && stage.spec.window.length() == spec.window.length();
            stage.spec = spec;
            stage.cursor = shared.pointer_x.get().and_then(|x| stage.time_at(x));
            moved_on
        };
        let changes = shared.stage.borrow().spec.changes();
        let is_new = shared.changes.replace(changes) != changes;
        let wait = if moved_on && !is_new {
            shared.pixel_millis()
        } else {
            0.0
        };
        shared.repaint_after(wait - (now() - shared.painted.get()));
    });
}

/// The drawing areas may have moved.
pub fn measure(id: MountId) {
    with(id, Shared::measure);
}

/// Puts the cursor under a place of the viewport, or away.
pub fn point_at(id: MountId, client_x: Option<f64>) {
    with(id, |shared| {
        let left = shared.holder.get_bounding_client_rect().left();
        shared.pointer_x.set(client_x.map(|x| (x - left) as f32));
        shared.place_cursor();
    });
}

/// Moves the cursor by a share of the width, from the right end if it was away. Answers its time.
pub fn step_cursor(id: MountId, share: f32) -> Option<Millis> {
    let mut time = None;
    with(id, |shared| {
        let area = shared.stage.borrow().areas.first().copied();
        let Some(area) = area else { return };
        let from = shared.pointer_x.get().unwrap_or(area.right());
        shared.pointer_x.set(Some(
            (from + share * area.width()).clamp(area.left(), area.right()),
        ));
        shared.place_cursor();
        time = shared.stage.borrow().cursor;
    });
    time
}

fn with(id: MountId, work: impl FnOnce(&Shared)) {
    let shared = MOUNTS.with_borrow(|mounts| mounts.get(&id.0).map(|mount| mount.shared.clone()));
    if let Some(shared) = shared {
        work(&shared);
    }
}

fn closure(shared: &Rc<Shared>, work: fn(&Shared)) -> Closure<dyn FnMut()> {
    let shared = shared.clone();
    Closure::new(move || work(&shared))
}

/// The page's clock in milliseconds.
fn now() -> f64 {
    window().performance().map_or(0.0, |clock| clock.now())
}

impl Shared {
    fn repaint(&self) {
        self.repaint_after(0.0);
    }

    fn repaint_after(&self, millis: f64) {
        if let Some(ctx) = self.ctx.borrow().as_ref() {
            ctx.request_repaint_after(Duration::from_secs_f64(millis.max(0.0) / 1_000.0));
        }
    }

    /// How long it takes until the window has moved by a pixel; at least a frame, at most a second.
    fn pixel_millis(&self) -> f64 {
        let stage = self.stage.borrow();
        let width = stage
            .areas
            .first()
            .map_or(1.0, |area| f64::from(area.width().max(1.0)));
        (stage.spec.window.length() as f64 / width).clamp(16.0, 1_000.0)
    }

    fn place_cursor(&self) {
        {
            let mut stage = self.stage.borrow_mut();
            stage.cursor = self.pointer_x.get().and_then(|x| stage.time_at(x));
        }
        self.repaint();
    }

    /// Reads where the page put the drawing areas.
    fn measure(&self) {
        let origin = self.holder.get_bounding_client_rect();
        let Ok(found) = self.holder.query_selector_all(".area") else {
            return;
        };
        let areas =
            (0..found.length()).filter_map(|index| found.item(index)?.dyn_into::<Element>().ok());
        let areas: Vec<_> = areas
            .map(|area| {
                let area = area.get_bounding_client_rect();
                let corner = pos2(
                    (area.left() - origin.left()) as f32,
                    (area.top() - origin.top()) as f32,
                );
                Rect::from_min_size(corner, vec2(area.width() as f32, area.height() as f32))
            })
            .collect();
        let rem = style(&document().document_element(), "font-size")
            .and_then(|size| size.trim_end_matches("px").parse().ok());
        {
            let mut stage = self.stage.borrow_mut();
            stage.areas = areas;
            stage.rem = rem.unwrap_or(16.0);
            stage.offset_minutes = crate::components::offset_minutes(stage.spec.window.to);
        }
        self.repaint();
    }

    /// Reads the page's colours. The registered properties arrive resolved; the simulation's violet is
    /// read as the colour of the probe that wears it.
    fn recolour(&self) {
        let probe = self.holder.query_selector(".plots-probe").ok().flatten();
        let palette = Palette::read(|name| match name {
            "--simulated-fill" => style(&probe, "color"),
            name => style(&probe, name),
        });
        self.stage.borrow_mut().palette = palette;
        self.repaint();
    }
}

fn style(element: &Option<Element>, property: &str) -> Option<String> {
    let style = window().get_computed_style(element.as_ref()?).ok()??;
    style
        .get_property_value(property)
        .ok()
        .filter(|value| !value.is_empty())
}

/// Themes change by an attribute of the document or by the system.
fn watch_theme(
    observer: &MutationObserver,
    recolour: &Closure<dyn FnMut()>,
) -> Option<MediaQueryList> {
    let options = MutationObserverInit::new();
    options.set_attributes(true);
    if let Some(root) = document().document_element() {
        observer.observe_with_options(&root, &options).ok();
    }
    let query = window()
        .match_media("(prefers-color-scheme: dark)")
        .ok()??;
    query
        .add_event_listener_with_callback("change", recolour.as_ref().unchecked_ref())
        .ok();
    Some(query)
}

/// Makes the context before `eframe` asks for it: without multisampling, depth and stencil, which
/// cost much where WebGL is software. egui smooths its own edges.
fn lean_context(canvas: &HtmlCanvasElement) {
    let options = Object::new();
    for name in ["antialias", "depth", "stencil"] {
        Reflect::set(&options, &name.into(), &false.into()).ok();
    }
    canvas
        .get_context_with_context_options("webgl2", &options)
        .ok();
}

fn start(
    runner: WebRunner,
    canvas: HtmlCanvasElement,
    shared: Rc<Shared>,
    failed: impl Fn() + 'static,
) {
    let options = WebOptions {
        // The browser asks for frames at the screen's own pace; a limit on top would hold a value back for one more.
        max_fps: None,
        dithering: false,
        should_stop_propagation: Box::new(|_| false),
        should_prevent_default: Box::new(|_| false),
        ..WebOptions::default()
    };
    let app = PlotApp(shared.clone());
    let creator: eframe::AppCreator<'static> = Box::new(move |cc| {
        install_fonts(&cc.egui_ctx);
        *app.0.ctx.borrow_mut() = Some(cc.egui_ctx.clone());
        Ok(Box::new(app))
    });
    spawn_local(async move {
        // Taken down before it began.
        if !shared.alive.get() {
            return;
        }
        // `start` focuses its hidden input: what is inert cannot be focused.
        shared.holder.set_attribute("inert", "").ok();
        lean_context(&canvas);
        let started = runner.start(canvas.clone(), options, creator).await;
        tame(&canvas);
        shared.holder.remove_attribute("inert").ok();
        if started.is_err() {
            failed();
            return;
        }
        shared.recolour();
        shared.measure();
    });
}

/// Keeps the canvas and its hidden input from ever taking the focus.
fn tame(canvas: &HtmlCanvasElement) {
    canvas.remove_attribute("tabindex").ok();
    let input = canvas
        .next_element_sibling()
        .filter(|next| next.tag_name() == "INPUT");
    if let Some(input) = input {
        for (name, value) in [
            ("disabled", ""),
            ("tabindex", "-1"),
            ("aria-hidden", "true"),
        ] {
            input.set_attribute(name, value).ok();
        }
    }
}

/// Tells the browser that the context is not needed any more, so that it need not wait for the
/// garbage collector (a page may have 16).
fn lose_context(canvas: &HtmlCanvasElement) {
    let context = canvas.get_context("webgl2").ok().flatten();
    let extension = context.and_then(|context| {
        let get: Function = Reflect::get(&context, &"getExtension".into())
            .ok()?
            .dyn_into()
            .ok()?;
        get.call1(&context, &"WEBGL_lose_context".into()).ok()
    });
    let lose = extension
        .filter(|found| !found.is_null())
        .and_then(|extension| {
            let lose: Function = Reflect::get(&extension, &"loseContext".into())
                .ok()?
                .dyn_into()
                .ok()?;
            lose.call0(&extension).ok()
        });
    drop(lose);
}

struct PlotApp(Rc<Shared>);

impl eframe::App for PlotApp {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.0.painted.set(now());
        let mut stage = self.0.stage.borrow_mut();
        paint(ui, &mut stage);
        measure::painted(&stage.spec);
    }

    fn clear_color(&self, _visuals: &egui::Visuals) -> [f32; 4] {
        [0.0; 4]
    }

    fn auto_save_interval(&self) -> Duration {
        // Nothing is saved.
        Duration::from_secs(1 << 30)
    }
}
