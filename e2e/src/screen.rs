//! The virtual screen as a window manager sees it: is the window there, please close it.
//!
//! Xvfb has no window manager, so the test does the two things that one would do.

use anyhow::{Context, Result, bail};
use std::time::{Duration, Instant};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConnectionExt, EventMask, MapState, Window,
};
use x11rb::rust_connection::RustConnection;

/// How long a window may take to come or go.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection to a virtual screen.
pub struct Screen {
    connection: RustConnection,
    root: Window,
}

impl Screen {
    /// Connects to a display, such as `:99`.
    pub fn open(display: &str) -> Result<Self> {
        let (connection, number) = x11rb::connect(Some(display)).context("no such display")?;
        let root = connection.setup().roots[number].root;
        Ok(Self { connection, root })
    }

    /// Asks the window with this title to close, as its close button would.
    pub fn close(&self, title: &str) -> Result<()> {
        let window = self.named(title)?.context("there is no such window")?;
        let message = ClientMessageEvent::new(
            32,
            window,
            self.atom("WM_PROTOCOLS")?,
            [self.atom("WM_DELETE_WINDOW")?, x11rb::CURRENT_TIME, 0, 0, 0],
        );
        self.connection
            .send_event(false, window, EventMask::NO_EVENT, message)?
            .check()
            .context("the window took no message")
    }

    /// Waits until the window with this title is on screen, or is not.
    pub fn wait_until_visible(&self, title: &str, expected: bool) -> Result<()> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if self.is_visible(title)? == expected {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("after {PATIENCE:?} the window is still not visible={expected}")
    }

    fn is_visible(&self, title: &str) -> Result<bool> {
        let Some(window) = self.named(title)? else {
            return Ok(false);
        };
        // The window may go between the two questions.
        let attributes = self.connection.get_window_attributes(window)?.reply();
        Ok(attributes.is_ok_and(|known| known.map_state == MapState::VIEWABLE))
    }

    fn named(&self, title: &str) -> Result<Option<Window>> {
        let tree = self.connection.query_tree(self.root)?.reply()?;
        for window in tree.children {
            let name = AtomEnum::WM_NAME;
            let property =
                self.connection
                    .get_property(false, window, name, AtomEnum::ANY, 0, 64)?;
            if property
                .reply()
                .is_ok_and(|name| name.value == title.as_bytes())
            {
                return Ok(Some(window));
            }
        }
        Ok(None)
    }

    fn atom(&self, name: &str) -> Result<u32> {
        let atom = self.connection.intern_atom(false, name.as_bytes())?;
        Ok(atom.reply()?.atom)
    }
}
