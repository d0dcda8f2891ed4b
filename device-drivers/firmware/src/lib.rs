//! What the example firmware of the three classes has in common.
//!
//! One program for each class is in `src/bin`; `measure` counts what authentication costs. The
//! protocol is in the crate `fogward-level0`, the same code as in the fog node. It leaves out real
//! sensors: [`simulated`] says so where the values are made.
#![no_std]

pub mod board;
pub mod factory;
mod interrupts;
pub mod listening;
mod memory;
pub mod simulated;
pub mod start;

use core::panic::PanicInfo;

/// Nothing to say and nobody to say it to: the watchdog of a product starts it again.
#[panic_handler]
fn stop(_: &PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
