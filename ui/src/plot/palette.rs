//! The plots' colours, read from the page's custom properties.

use egui::Color32;

use super::spec::Colour;

/// Every colour a plot uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Palette {
    /// `--plot-1` to `--plot-8`.
    pub series: [Color32; 8],
    /// `--plot-surface`.
    pub surface: Color32,
    /// `--plot-grid`.
    pub grid: Color32,
    /// `--plot-axis`.
    pub axis: Color32,
    /// `--plot-cursor`.
    pub cursor: Color32,
    /// `--plot-gap`.
    pub gap: Color32,
    /// `--plot-limit`.
    pub limit: Color32,
    /// `--simulated-fill`.
    pub simulated: Color32,
}

impl Palette {
    /// Asks `read` for each custom property by its name; one that cannot be read is mid grey, which
    /// shows on both themes.
    pub fn read(read: impl Fn(&str) -> Option<String>) -> Self {
        let colour = |name: &str| {
            let text = read(name);
            text.and_then(|text| parse_css_colour(&text))
                .unwrap_or(Color32::GRAY)
        };
        Self {
            series: [1, 2, 3, 4, 5, 6, 7, 8].map(|n: u8| colour(&format!("--plot-{n}"))),
            surface: colour("--plot-surface"),
            grid: colour("--plot-grid"),
            axis: colour("--plot-axis"),
            cursor: colour("--plot-cursor"),
            gap: colour("--plot-gap"),
            limit: colour("--plot-limit"),
            simulated: colour("--simulated-fill"),
        }
    }

    /// A series' colour.
    #[must_use]
    pub fn of(&self, colour: Colour) -> Color32 {
        let index = usize::from(colour.number()).saturating_sub(1);
        self.series.get(index).copied().unwrap_or(self.axis)
    }
}

impl Default for Palette {
    /// Grey until the page's colours are read.
    fn default() -> Self {
        Self::read(|_| None)
    }
}

/// Reads a computed CSS colour: `rgb(…)`, `rgba(…)`, `color(srgb …)` or `#rrggbb`.
#[must_use]
pub fn parse_css_colour(text: &str) -> Option<Color32> {
    let text = text.trim();
    if let Some(digits) = text.strip_prefix('#') {
        let value = u32::from_str_radix(digits, 16)
            .ok()
            .filter(|_| digits.len() == 6)?;
        let [_, r, g, b] = value.to_be_bytes();
        return Some(Color32::from_rgb(r, g, b));
    }
    let (name, rest) = text.split_once('(')?;
    let rest = rest.strip_suffix(')')?;
    let (rest, scale) = match name {
        "rgb" | "rgba" => (rest, 1.0),
        "color" => (rest.trim_start().strip_prefix("srgb ")?, 255.0),
        _ => return None,
    };
    let mut parts = rest
        .split([',', ' ', '/'])
        .filter(|part| !part.is_empty())
        .map(|part| part.parse::<f32>().ok());
    let mut channel = |scale: f32| Some((parts.next()?? * scale).round().clamp(0.0, 255.0) as u8);
    let (r, g, b) = (channel(scale)?, channel(scale)?, channel(scale)?);
    let alpha = channel(255.0).unwrap_or(255);
    Some(Color32::from_rgba_unmultiplied(r, g, b, alpha))
}
