//! The vector table's device part: empty, because interrupts stay masked (see [`crate::board`]).
#![allow(unsafe_code, reason = "the linker finds the table by its name")]

/// One entry, never taken; cortex-m-rt asks for the symbol.
// SAFETY: the section is the linker script's, for exactly this table.
#[unsafe(link_section = ".vector_table.interrupts")]
#[unsafe(no_mangle)]
pub static __INTERRUPTS: [usize; 1] = [0];
