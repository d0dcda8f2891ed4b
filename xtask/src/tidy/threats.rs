//! The threat model names a test for each threat; a name without its test is a claim that nothing holds.

/// The document.
pub const PATH: &str = "docs/threat-model.md";

/// Rows that name a test that is not there; `read` gives a file of the repository.
pub fn check(text: &str, read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let rows = text.lines().enumerate();
    let rows = rows.filter(|(_, line)| line.starts_with("| ") && line.contains(".rs`"));
    rows.filter_map(|(at, line)| {
        let quoted: Vec<&str> = line.split('`').skip(1).step_by(2).collect();
        let mut named = quoted.windows(2).filter(|pair| pair[0].ends_with(".rs"));
        let is_there = |pair: &[&str]| {
            let test = format!("fn {}(", pair[1]);
            read(pair[0]).is_some_and(|file| file.contains(&test))
        };
        match named.next() {
            Some(pair) if is_there(pair) => None,
            _ => Some(format!("{PATH}:{}: names no test that is there", at + 1)),
        }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    //! Goal: a row is held to its test. Method: rows with and without.
    use super::check;

    #[test]
    fn a_row_is_held_to_its_test() {
        let read = |path: &str| (path == "a.rs").then(|| "fn it_holds() {}".to_owned());
        let found = |row: &str| check(row, read).len();
        assert_eq!(found("| a threat | bounds | `a.rs` `it_holds` |"), 0);
        assert_eq!(found("| by `Host` | `x` | `a.rs` `it_holds` |"), 0);
        assert_eq!(found("| a threat | bounds | `a.rs` `it_does` |"), 1);
        assert_eq!(found("| a threat | bounds | `b.rs` `it_holds` |"), 1);
        assert_eq!(found("| a threat | bounds | `a.rs` |"), 1);
        assert_eq!(found("Text about `a.rs`."), 0);
    }
}
