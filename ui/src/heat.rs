//! Participation as cells: how much of each slice of the day a validator signed.
//!
//! One path a class, so that a row is five elements however long the day. A slice without a block to
//! sign says nothing about the validator and is drawn as a hairline, not as a failure.

/// Width of a cell and its gap in the drawing's units.
const STEP: usize = 10;

/// What a cell says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Every block was signed.
    Full,
    /// More than nine in ten.
    Most,
    /// Nine in ten or fewer.
    Few,
    /// Not one.
    None,
    /// There was no block to sign.
    Idle,
}

impl Cell {
    /// All classes, in the order of the key.
    pub const ALL: [Self; 5] = [Self::Full, Self::Most, Self::Few, Self::None, Self::Idle];

    /// The class of a share between 0 and 1.
    #[must_use]
    pub fn of(share: Option<f64>) -> Self {
        match share {
            None => Self::Idle,
            Some(share) if share >= 1.0 => Self::Full,
            Some(share) if share > 0.9 => Self::Most,
            Some(share) if share > 0.0 => Self::Few,
            Some(_) => Self::None,
        }
    }

    /// Its class in the style sheet.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Most => "most",
            Self::Few => "few",
            Self::None => "none",
            Self::Idle => "idle",
        }
    }

    /// Its word in the key.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Full => "all",
            Self::Most => "over 90 %",
            Self::Few => "under 90 %",
            Self::None => "none",
            Self::Idle => "no block",
        }
    }

    /// Its outline at that offset.
    #[must_use]
    pub fn outline(self, x: usize) -> String {
        match self {
            Self::Full | Self::Most | Self::Few => format!("M{x} 1h8v18h-8z"),
            Self::None => format!("M{} 2h6v16h-6zM{0} 18L{} 2", x + 1, x + 7),
            Self::Idle => format!("M{} 9.5h4v1h-4z", x + 2),
        }
    }
}

/// The drawing's box for so many slices.
#[must_use]
pub fn view_box(slices: usize) -> String {
    format!("0 0 {} 20", (slices.max(1) * STEP).saturating_sub(2))
}

/// The path of every class, empty where it has no cell; oldest slice first.
#[must_use]
pub fn paths(slices: &[Option<f64>]) -> [String; 5] {
    Cell::ALL.map(|wanted| {
        slices
            .iter()
            .enumerate()
            .filter(|(_, share)| Cell::of(**share) == wanted)
            .map(|(place, _)| wanted.outline(place * STEP))
            .collect()
    })
}

/// What the drawing says to who cannot see it.
#[must_use]
pub fn label(name: &str, slices: &[Option<f64>]) -> String {
    let known: Vec<f64> = slices.iter().copied().flatten().collect();
    if known.is_empty() {
        return format!("{name}: no block to sign in the last 24 hours");
    }
    let whole = known.iter().filter(|share| **share >= 1.0).count();
    let silent = known.iter().filter(|share| **share <= 0.0).count();
    format!(
        "{name}: of {} half hours with blocks in the last 24 hours, all signed in {whole}, none in {silent}",
        known.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each class begins where its word says, and a slice without blocks is no failure.
    #[test]
    fn shares_become_cells() {
        for (share, expected) in [
            (Some(1.0), Cell::Full),
            (Some(0.999), Cell::Most),
            (Some(0.9), Cell::Few),
            (Some(0.001), Cell::Few),
            (Some(0.0), Cell::None),
            (None, Cell::Idle),
        ] {
            assert_eq!(Cell::of(share), expected, "{share:?}");
        }
    }

    /// Every slice is drawn once, at its own place, in the path of its class.
    #[test]
    fn each_slice_is_drawn_once() {
        let slices = [Some(1.0), Some(0.95), Some(0.5), Some(0.0), None, Some(1.0)];
        let [full, most, few, none, idle] = paths(&slices);
        assert_eq!(full, "M0 1h8v18h-8zM50 1h8v18h-8z");
        assert_eq!(most, "M10 1h8v18h-8z");
        assert_eq!(few, "M20 1h8v18h-8z");
        assert_eq!(none, "M31 2h6v16h-6zM31 18L37 2");
        assert_eq!(idle, "M42 9.5h4v1h-4z");
        assert_eq!(view_box(48), "0 0 478 20");
        assert_eq!(view_box(0), "0 0 8 20");
    }

    /// The words count what the colours show.
    #[test]
    fn the_label_counts() {
        assert_eq!(
            label("harbour-1", &[Some(1.0), Some(0.0), None]),
            "harbour-1: of 2 half hours with blocks in the last 24 hours, all signed in 1, none in 1"
        );
        assert!(label("x", &[None, None]).contains("no block"));
    }
}
