//! Tables for people: columns as wide as their widest cell, numbers to the right.

/// A column's heading and whether its cells stand on the right.
pub(super) struct Column {
    heading: &'static str,
    is_number: bool,
}

/// A column of words.
pub(super) const fn words(heading: &'static str) -> Column {
    Column {
        heading,
        is_number: false,
    }
}

/// A column of numbers.
pub(super) const fn numbers(heading: &'static str) -> Column {
    Column {
        heading,
        is_number: true,
    }
}

/// The table as text, a heading and one line a row; says so where there is no row.
pub(super) fn table<const N: usize>(columns: [Column; N], rows: &[[String; N]]) -> String {
    if rows.is_empty() {
        return "none\n".to_owned();
    }
    let mut widths = columns.each_ref().map(|column| width(column.heading));
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = width(cell).max(*widest);
        }
    }
    let headings = columns.each_ref().map(|column| column.heading.to_owned());
    let mut text = String::new();
    for row in std::iter::once(&headings).chain(rows) {
        let mut line = String::new();
        for ((column, cell), widest) in columns.iter().zip(row).zip(widths) {
            let room = " ".repeat(widest - width(cell));
            if column.is_number {
                line.push_str(&room);
                line.push_str(cell);
            } else {
                line.push_str(cell);
                line.push_str(&room);
            }
            line.push_str("  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Names and values below each other.
pub(super) fn pairs(rows: &[(&str, String)]) -> String {
    let widest = rows.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    let line = |(name, value): &(&str, String)| {
        let room = " ".repeat(widest - width(name));
        format!("{name}{room}  {value}\n")
    };
    rows.iter().map(line).collect()
}

/// A cell that may be empty.
pub(super) fn cell<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| value.to_string())
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// The name that programs know a value by.
pub(super) fn name_of(value: impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    //! Goal: aligned columns. Method: examples.

    use super::*;

    #[test]
    fn columns_are_aligned() {
        let rows = [
            ["SpO₂".to_owned(), "97".to_owned()],
            ["Pulse".to_owned(), "102".to_owned()],
        ];
        let text = table([words("what"), numbers("value")], &rows);
        assert_eq!(text, "what   value\nSpO₂      97\nPulse    102\n");
        assert_eq!(table([words("a")], &[]), "none\n");
        assert_eq!(
            pairs(&[("a", "1".into()), ("bcd", "2".into())]),
            "a    1\nbcd  2\n"
        );
    }
}
