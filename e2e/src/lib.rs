//! The stage for end-to-end tests: a sensor on a pty, the real programs, and the
//! WebDriver sessions that operate them.
//!
//! The journeys themselves are in `tests/`. Nothing here knows the product's
//! insides: it speaks to it as a sensor does, as a person does, and as a shell does.
//! Whatever it starts ends with the value that started it.

pub mod browser;
pub mod cli;
pub mod desktop;
pub mod hosts;
pub mod page;
pub mod process;
pub mod screen;
pub mod sensor;
pub mod town;
pub mod webdriver;
