//! Numbers and names in sentences.

/// A count at the start of a sentence.
pub(super) fn number(count: usize) -> String {
    let words = [
        "None", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten",
        "Eleven", "Twelve",
    ];
    words
        .get(count)
        .map_or_else(|| count.to_string(), ToString::to_string)
}

/// A count within a sentence.
pub(super) fn small(count: usize) -> String {
    number(count).to_lowercase()
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// `is` or `are`.
pub(super) const fn be(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

/// `one thing` or `3 things`.
pub(super) fn count(count: u64, one: &str, more: &str) -> String {
    if count == 1 {
        format!("1 {one}")
    } else {
        format!("{count} {more}")
    }
}
