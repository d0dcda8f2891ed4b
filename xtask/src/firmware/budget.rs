//! The budgets of the device classes, and what is held against them.
//!
//! Sums and bounds only; measuring is in [`super`].

use anyhow::{Result, bail};

/// A Cortex-M3 takes one cycle for most instructions, two for a load, up to seven for a long
/// multiplication, and refills its pipeline at a taken branch. The mixes measured so far came to 1.6
/// to 2.4; this is the worst of them, without wait states of the flash.
const CYCLES_PER_INSTRUCTION: f64 = 2.4;
/// The frequency for which the milliseconds are given.
const HERTZ: f64 = 48e6;
/// Where the RAM begins, and what of it is the linker's (`memory.x`).
pub const RAM: std::ops::Range<usize> = 0x2000_0000..0x2000_F800;

/// A class, the most that it may take, and frames that its example device takes, as headings of
/// vectors in `docs/level0-protocol.md`: the examples have the keys of that page.
pub struct Class {
    /// As the program and its feature are named.
    pub name: &'static str,
    /// Flash, with the vectors.
    pub flash_bytes: usize,
    /// Static data and stack.
    pub ram_bytes: usize,
    /// The proof of one reading at 48 MHz.
    pub auth_ms: f64,
    /// What an unpaired device is told.
    pub key: &'static str,
    /// What a paired device is told, if it listens.
    pub ack: Option<&'static str>,
}

/// The classes.
pub const CLASSES: [Class; 3] = [
    Class {
        name: "ultra-light",
        flash_bytes: 4_096,
        ram_bytes: 256,
        auth_ms: 1.0,
        // A pairing key is handed over alike in both classes that have one.
        key: "Vector 14: Key, low-cost",
        ack: None,
    },
    Class {
        name: "low-cost",
        flash_bytes: 4_096,
        ram_bytes: 2_048,
        auth_ms: 1.0,
        key: "Vector 14: Key, low-cost",
        ack: Some("Vector 7: Ack, low-cost"),
    },
    Class {
        name: "signing",
        flash_bytes: 20_480,
        ram_bytes: 8_192,
        auth_ms: 100.0,
        key: "Vector 15: Key, signing",
        ack: Some("Vector 9: Ack, signing"),
    },
];

/// What one class takes.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// As linked.
    pub flash_bytes: usize,
    /// Static data and the deepest stack.
    pub ram_bytes: usize,
    /// Of one proof.
    pub auth_instructions: u64,
}

impl Measured {
    /// Estimated at 48 MHz.
    pub fn auth_ms(&self) -> f64 {
        self.auth_instructions as f64 * CYCLES_PER_INSTRUCTION / HERTZ * 1_000.0
    }
}

/// Each part of the budget that is exceeded, in words.
pub fn exceeded(class: &Class, measured: &Measured) -> Vec<String> {
    let mut found = Vec::new();
    let mut hold = |what: &str, is: f64, most: f64| {
        if is > most {
            let class = class.name;
            found.push(format!("{class}: {what}, {is} of {most} at most"));
        }
    };
    hold(
        "bytes of flash",
        measured.flash_bytes as f64,
        class.flash_bytes as f64,
    );
    hold(
        "bytes of RAM",
        measured.ram_bytes as f64,
        class.ram_bytes as f64,
    );
    hold(
        "ms for a proof at 48 MHz",
        measured.auth_ms(),
        class.auth_ms,
    );
    found
}

/// What the linker made.
#[derive(Debug, PartialEq, Eq)]
pub struct Sections {
    /// Vectors, code, constants, and what the static data begins as.
    pub flash_bytes: usize,
    /// Static data.
    pub static_bytes: usize,
}

impl Sections {
    /// Reads the listing of `arm-none-eabi-size -A`. A section with an address counts, wherever it
    /// lies, so a new one is never overlooked.
    pub fn read(listing: &str) -> Result<Sections> {
        let mut sections = Sections {
            flash_bytes: 0,
            static_bytes: 0,
        };
        let mut seen = 0;
        for line in listing.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [name, size, address] = words.as_slice() else {
                continue;
            };
            let (Ok(size), Ok(address)) = (size.parse::<usize>(), address.parse::<usize>()) else {
                continue;
            };
            let is_note = name.starts_with(".comment")
                || name.starts_with(".debug")
                || name.starts_with(".ARM.attributes");
            if is_note {
                continue;
            }
            seen += 1;
            if RAM.contains(&address) {
                sections.static_bytes += size;
                // Data that begins as something other than zero lies in flash, too.
                if *name == ".data" {
                    sections.flash_bytes += size;
                }
            } else {
                sections.flash_bytes += size;
            }
        }
        if seen == 0 || sections.flash_bytes == 0 {
            bail!("arm-none-eabi-size listed no section");
        }
        Ok(sections)
    }
}

#[cfg(test)]
mod tests {
    //! The sums and the bounds, on small listings and on one byte too many.
    use super::*;

    const LISTING: &str = "image  :\nsection   size  addr\n.vector_table  68  0\n.text  100  68\n\
        .rodata  10  168\n.data  4  536870912\n.bss  8  536870916\n.comment  139  0\nTotal  329\n";

    #[test]
    fn sections_are_added_up() {
        let sections = Sections::read(LISTING).unwrap();
        let expected = Sections {
            flash_bytes: 182,
            static_bytes: 12,
        };
        assert_eq!(sections, expected);
        assert!(Sections::read("no listing").is_err());
    }

    #[test]
    fn one_byte_too_many_is_named() {
        let class = &CLASSES[0];
        let just = Measured {
            flash_bytes: class.flash_bytes,
            ram_bytes: class.ram_bytes,
            auth_instructions: 20_000,
        };
        assert_eq!(exceeded(class, &just), Vec::<String>::new());
        for (over, word) in [
            (
                Measured {
                    flash_bytes: class.flash_bytes + 1,
                    ..just
                },
                "flash",
            ),
            (
                Measured {
                    ram_bytes: class.ram_bytes + 1,
                    ..just
                },
                "RAM",
            ),
            (
                Measured {
                    auth_instructions: 20_001,
                    ..just
                },
                "proof",
            ),
        ] {
            let found = exceeded(class, &over);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].starts_with("ultra-light") && found[0].contains(word));
        }
    }
}
