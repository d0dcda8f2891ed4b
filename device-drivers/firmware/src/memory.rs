//! Copying and clearing memory in a few bytes of code.
//!
//! The compiler calls these for every array it moves. Those of the toolchain are made for speed and
//! take 1,100 bytes, a quarter of an ultra-light device's flash; these take 48. The names are those
//! of the C library and of the ARM run-time ABI (RTABI32, 4.3.4).
#![allow(unsafe_code, reason = "assembly")]

// r0 destination, r1 source, r2 count; r0 is returned.
core::arch::global_asm!(
    ".syntax unified",
    ".pushsection .text.memcpy,\"ax\",%progbits",
    ".global memcpy, __aeabi_memcpy, __aeabi_memcpy4, __aeabi_memcpy8",
    ".thumb_func",
    "memcpy:",
    ".thumb_func",
    "__aeabi_memcpy:",
    ".thumb_func",
    "__aeabi_memcpy4:",
    ".thumb_func",
    "__aeabi_memcpy8:",
    "mov r12, r0",
    // Whole words while there are any: the processor reads and writes them at any address.
    "1: subs r2, #4",
    "itt hs",
    "ldrhs r3, [r1], #4",
    "strhs r3, [r12], #4",
    "bhs 1b",
    "adds r2, #4",
    "2: subs r2, #1",
    "it lo",
    "bxlo lr",
    "ldrb r3, [r1], #1",
    "strb r3, [r12], #1",
    "b 2b",
    ".popsection",
);

// r0 destination, r1 count; the value is zero.
core::arch::global_asm!(
    ".syntax unified",
    ".pushsection .text.memclr,\"ax\",%progbits",
    ".global __aeabi_memclr, __aeabi_memclr4, __aeabi_memclr8",
    ".thumb_func",
    "__aeabi_memclr:",
    ".thumb_func",
    "__aeabi_memclr4:",
    ".thumb_func",
    "__aeabi_memclr8:",
    "movs r2, #0",
    "1: subs r1, #1",
    "it lo",
    "bxlo lr",
    "strb r2, [r0], #1",
    "b 1b",
    ".popsection",
);
