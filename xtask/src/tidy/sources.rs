//! Rules for single files: their head, their length, and words that do not belong.
//!
//! The forbidden words are written in halves so that this file does not break
//! its own rule.

/// No source file is longer.
const MAX_LINES: usize = 800;

/// Words that say how the project came to be instead of what it is.
const WORDS: &[&str] = &[
    concat!("clau", "de"),
    concat!("anthro", "pic"),
    concat!("chat", "gpt"),
    concat!("open", "ai"),
    concat!("copi", "lot"),
    concat!("l", "lm"),
    concat!("language ", "model"),
    concat!("ai ", "agent"),
    concat!("ai-", "generated"),
    concat!("steering ", "repo"),
    concat!("developers", ".md"),
];

/// Places that exist on one machine only.
const PATHS: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/fa", "rm/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("/tm", "p/"),
    concat!("../sha", "red"),
];

/// Registries are reached through their clients, never by name.
const HOSTS: &[&str] = &[
    concat!("index.crates", ".io"),
    concat!("static.crates", ".io"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("registry.npm", "js"),
    concat!("deb.debian", ".org"),
    concat!("proxy.golang", ".org"),
];

/// What the pure ledger must not name: input, output, clocks, threads, chance, unordered maps.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::io",
    "std::env",
    "std::process",
    "std::thread",
    "std::time",
    "SystemTime",
    "Instant::now",
    "tokio::",
    "rusqlite",
    "getrandom",
    "OsRng",
    "HashMap",
    "HashSet",
    "async fn",
];

/// Every breach in one file.
pub fn check(path: &str, text: &str) -> Vec<String> {
    let mut findings = foreign_words(path, text);
    if path.ends_with(".rs") {
        findings.extend(head_and_length(path, text));
    }
    if path.starts_with("ledger/core/src/") {
        findings.extend(impurities(path, text));
    }
    findings
}

fn head_and_length(path: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    if !text.starts_with("//!") {
        findings.push(format!("{path}:1: does not open with //!"));
    }
    let lines = text.lines().count();
    if lines > MAX_LINES {
        findings.push(format!("{path}: {lines} lines, {MAX_LINES} at most"));
    }
    findings
}

fn foreign_words(path: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let lower = line.to_lowercase();
        let words = WORDS.iter().filter(|word| has_word(&lower, word));
        let paths = PATHS.iter().filter(|place| has_path(line, place));
        let hosts = HOSTS.iter().filter(|host| lower.contains(*host));
        for found in words.chain(paths).chain(hosts) {
            findings.push(format!("{path}:{number}: `{found}` does not belong here"));
        }
    }
    findings
}

fn impurities(path: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let code = line.split("//").next().unwrap_or_default();
        for word in IMPURE.iter().filter(|word| code.contains(*word)) {
            findings.push(format!("{path}:{number}: the pure ledger names `{word}`"));
        }
    }
    findings
}

/// Whether `word` stands in `text` with no letter or digit at either end.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + word.len()..].chars().next();
        let outside = |neighbour: Option<char>| neighbour.is_none_or(|c| !c.is_alphanumeric());
        outside(before) && outside(after)
    })
}

/// Whether `place` begins an absolute path, and is not the middle of a longer or relative one.
fn has_path(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        before.is_none_or(|c| !(c.is_alphanumeric() || "._-/*})".contains(c)))
    })
}

#[cfg(test)]
mod tests {
    //! Each rule on a text that keeps it and one that breaks it.
    use super::*;

    #[test]
    fn a_head_is_asked_of_rust_files_only() {
        assert_eq!(check("a.rs", "//! What it is.\n"), Vec::<String>::new());
        assert_eq!(check("a.rs", "use std::fmt;\n").len(), 1);
        assert_eq!(check("a.md", "# A\n"), Vec::<String>::new());
    }

    #[test]
    fn long_files_are_found() {
        let lines = |count: usize| "//!\n".repeat(count);
        assert_eq!(check("a.rs", &lines(MAX_LINES)), Vec::<String>::new());
        assert_eq!(check("a.rs", &lines(MAX_LINES + 1)).len(), 1);
    }

    #[test]
    fn foreign_words_are_found_as_words() {
        for word in WORDS {
            let text = format!("made by {}, they say", word.to_uppercase());
            assert_eq!(check("a.md", &text).len(), 1, "{word}");
        }
        let inside = format!("a{}b", WORDS[5]);
        assert_eq!(check("a.md", &inside), Vec::<String>::new());
    }

    #[test]
    fn paths_and_hosts_are_found() {
        for place in PATHS {
            assert_eq!(check("a.toml", &format!("at = \"{place}x\"")).len(), 1);
        }
        assert_eq!(
            check("a.md", &format!("docs{}x", PATHS[5])),
            Vec::<String>::new(),
            "part of a relative path"
        );
        for host in HOSTS {
            assert_eq!(check("a.lock", &format!("https://{host}/x")).len(), 1);
        }
    }

    #[test]
    fn the_pure_ledger_names_no_outside() {
        let inside = "ledger/core/src/a.rs";
        for word in IMPURE {
            let text = format!("//! A.\nuse {word};\n");
            assert_eq!(check(inside, &text).len(), 1, "{word}");
            assert_eq!(check("fog-node/src/a.rs", &text), Vec::<String>::new());
        }
        assert_eq!(
            check(inside, "//! Knows no std::fs.\n"),
            Vec::<String>::new(),
            "a comment may"
        );
    }
}
