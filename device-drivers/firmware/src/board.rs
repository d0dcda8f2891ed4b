//! The board: UART0, SysTick and the memory that survives a reset, of a TI Stellaris LM3S6965.
//!
//! It is what a product replaces for its own microcontroller, and the only place with `unsafe`: the
//! addresses are those of the LM3S6965's data sheet. It was run in QEMU's `lm3s6965evb`, never on
//! silicon.
//!
//! Nothing here uses an interrupt handler, which would cost a stack frame: interrupts stay masked,
//! and a pending one only ends [`Board::sleep`]. QEMU models no flash that can be written, so two
//! slots at the end of RAM, out of the linker's reach, stand for two pages of it: they outlive a
//! reset of the machine as flash would, and are lost when the power (the emulator) goes off.
#![allow(unsafe_code, reason = "registers are addresses")]

use core::ptr::{read_volatile, write_volatile};
use fogward_level0::{NonVolatile, Slot};

const UART0: usize = 0x4000_C000;
const UART_DATA: usize = UART0;
const UART_FLAGS: usize = UART0 + 0x18;
const RECEIVE_EMPTY: u32 = 0x10;
const TRANSMIT_FULL: u32 = 0x20;
const SYSTICK_CONTROL: usize = 0xE000_E010;
const SYSTICK_RELOAD: usize = 0xE000_E014;
const SYSTICK_VALUE: usize = 0xE000_E018;
const COUNT_FLAG: u32 = 1 << 16;
const INTERRUPT_CONTROL: usize = 0xE000_ED04;
const CLEAR_SYSTICK_PENDING: u32 = 1 << 25;
const NVIC_ENABLE: usize = 0xE000_E100;
const NVIC_CLEAR_PENDING: usize = 0xE000_E280;
const UART0_INTERRUPT: u32 = 1 << 5;
const SLOTS: usize = 0x2000_F800;
const SLOT_BYTES: usize = 64;

/// What follows is set once at the start: address and value.
const START: [(usize, u32); 12] = [
    (0x400F_E104, 1),  // clock for UART0
    (0x400F_E108, 1),  // clock for port A
    (0x4000_4420, 3),  // PA0 and PA1 are UART0
    (0x4000_451C, 3),  // and digital
    (UART0 + 0x24, 6), // 115 200 baud of 12.5 MHz: 6 + 50/64
    (UART0 + 0x28, 50),
    (UART0 + 0x2C, 0x70),  // 8N1, with FIFOs
    (UART0 + 0x38, 0x50),  // interrupt upon received bytes
    (UART0 + 0x30, 0x301), // on
    (NVIC_ENABLE, UART0_INTERRUPT),
    (SYSTICK_RELOAD, CYCLES_PER_TICK - 1),
    (SYSTICK_CONTROL, 7), // on, from the processor's clock, with its interrupt
];

/// Cycles of the processor's clock in a millisecond.
pub const CYCLES_PER_MILLI: u32 = 12_500;
/// Milliseconds from one tick to the next.
pub const MILLIS_PER_TICK: u32 = 250;
const CYCLES_PER_TICK: u32 = CYCLES_PER_MILLI * MILLIS_PER_TICK;

fn read(address: usize) -> u32 {
    // SAFETY: every caller names a register of this microcontroller, which is always readable.
    unsafe { read_volatile(address as *const u32) }
}

fn write(address: usize, value: u32) {
    // SAFETY: every caller names a register of this microcontroller; none of them affects memory.
    unsafe { write_volatile(address as *mut u32, value) }
}

/// The peripherals, set up.
#[derive(Debug)]
pub struct Board {
    ticks: u32,
}

impl Board {
    /// Sets up clocks, pins, the line and the ticks.
    #[must_use]
    pub fn start() -> Board {
        // SAFETY: masks interrupts; no handler is ever to run.
        unsafe { core::arch::asm!("cpsid i", options(nomem, nostack, preserves_flags)) };
        for &(address, value) in &START {
            write(address, value);
        }
        Board { ticks: 0 }
    }

    /// Waits until a tick is over or a byte came.
    pub fn sleep(&mut self) {
        // SAFETY: waits for an interrupt; a masked one ends the wait, too.
        unsafe { core::arch::asm!("wfi", options(nomem, nostack, preserves_flags)) };
        write(INTERRUPT_CONTROL, CLEAR_SYSTICK_PENDING);
        write(NVIC_CLEAR_PENDING, UART0_INTERRUPT);
    }

    /// Milliseconds since the start, right if asked at least once in each tick.
    pub fn millis(&mut self) -> u64 {
        let (ticks, cycles) = self.time();
        u64::from(ticks) * u64::from(MILLIS_PER_TICK) + u64::from(cycles / CYCLES_PER_MILLI)
    }

    /// Cycles since the start, right if asked at least once in each tick.
    pub fn cycles(&mut self) -> u64 {
        let (ticks, cycles) = self.time();
        u64::from(ticks) * u64::from(CYCLES_PER_TICK) + u64::from(cycles)
    }

    /// Ticks since the start, and cycles since the last one.
    fn time(&mut self) -> (u32, u32) {
        loop {
            let left = read(SYSTICK_VALUE);
            if !self.has_ticked() {
                return (self.ticks, CYCLES_PER_TICK - 1 - left);
            }
        }
    }

    /// Ticks since the start.
    pub fn ticks(&mut self) -> u32 {
        self.has_ticked();
        self.ticks
    }

    /// Reading the flag clears it.
    fn has_ticked(&mut self) -> bool {
        let has_ticked = read(SYSTICK_CONTROL) & COUNT_FLAG != 0;
        self.ticks += u32::from(has_ticked);
        has_ticked
    }

    /// Sends bytes on the line, waiting while it is full.
    pub fn send(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            while read(UART_FLAGS) & TRANSMIT_FULL != 0 {}
            write(UART_DATA, u32::from(byte));
        }
    }

    /// The next byte that came, if one did.
    pub fn receive(&mut self) -> Option<u8> {
        (read(UART_FLAGS) & RECEIVE_EMPTY == 0).then(|| read(UART_DATA) as u8)
    }
}

/// Two pages that outlive a reset.
#[derive(Debug)]
pub struct Pages;

impl Pages {
    fn address(slot: Slot, at: usize) -> usize {
        let page = match slot {
            Slot::A => 0,
            Slot::B => SLOT_BYTES,
        };
        SLOTS + page + at.min(SLOT_BYTES)
    }
}

impl NonVolatile for Pages {
    fn read(&self, slot: Slot, at: usize, bytes: &mut [u8]) {
        for (index, byte) in bytes.iter_mut().enumerate() {
            // SAFETY: within the last 2 kB of RAM, which the linker does not use.
            *byte = unsafe { read_volatile(Pages::address(slot, at + index) as *const u8) };
        }
    }

    fn erase(&mut self, _slot: Slot) {}

    fn write(&mut self, slot: Slot, at: usize, bytes: &[u8]) {
        for (index, &byte) in bytes.iter().enumerate() {
            // SAFETY: within the last 2 kB of RAM, which the linker does not use.
            unsafe { write_volatile(Pages::address(slot, at + index) as *mut u8, byte) };
        }
    }
}
