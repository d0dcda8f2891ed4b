//! Rule for `Cargo.lock`: every dependency comes from the public registry.

/// How cargo writes "the public registry", whatever mirror a machine uses.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Names every line with another source: a mirror, a git repository, a folder.
pub fn check(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| line.strip_prefix("source = "))
        .filter(|source| source.trim_matches('"') != REGISTRY)
        .map(|source| format!("Cargo.lock: {source} is not the public registry"))
        .collect()
}

#[cfg(test)]
mod tests {
    //! The one allowed source and three others.
    use super::*;

    #[test]
    fn other_sources_are_found() {
        let good = format!("[[package]]\nname = \"a\"\nsource = \"{REGISTRY}\"\n");
        assert_eq!(check(&good), Vec::<String>::new());
        for bad in [
            "registry+https://mirror.example/index",
            "sparse+https://mirror.example/",
            "git+https://example.org/a.git#0123",
        ] {
            let text = format!("{good}source = \"{bad}\"\n");
            assert_eq!(check(&text).len(), 1, "{bad}");
        }
    }
}
