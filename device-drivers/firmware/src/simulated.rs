//! The pretended sensor: these values are **simulated**, no body is measured.
//!
//! A product reads its analogue front end here. The values go up and down in a fixed pattern, so
//! that a test knows what to expect.

use fogward_level0::{Reading, metric, quality};

/// A simulated oxygen saturation, 95 to 98 %, the `number`-th.
#[must_use]
pub const fn oxygen_saturation(number: u32) -> Reading {
    Reading {
        metric: metric::SPO2,
        quality: quality::GOOD,
        mantissa: 95 + (number % 4) as i32,
        exponent: 0,
    }
}
