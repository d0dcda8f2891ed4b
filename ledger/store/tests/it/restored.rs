//! The mark of a restored node.

use ledger_store::{RESTORED_FILE, RestoredMark};

/// Goal: the mark is read as written, its bytes are those on record, and one that cannot be read is an
/// error and not an absent mark, so that a node does not sign by mistake.
#[test]
fn a_mark_is_there_whole_or_an_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (data, path) = (folder.path(), folder.path().join(RESTORED_FILE));
    assert_eq!(RestoredMark::read(data).expect("read"), None);
    let mark = RestoredMark::new((1_000, 2_000), "ab".repeat(32), 41);
    mark.write(data).expect("write");
    assert_eq!(RestoredMark::read(data).expect("read"), Some(mark));
    let text = std::fs::read_to_string(&path).expect("read");
    let expected = format!(
        "{{\n  \"version\": 1,\n  \"made_at_millis\": 1000,\n  \"restored_at_millis\": 2000,\n  \
         \"validator_key\": \"{}\",\n  \"height\": 41,\n  \"watch_heights\": 20\n}}",
        "ab".repeat(32)
    );
    assert_eq!(text, expected);
    let spoiled = [
        String::new(),
        text[1..].to_owned(),
        text.replace("\"version\": 1", "\"version\": 2"),
        text.replace("height\"", "size\""),
        " ".repeat(5_000),
    ];
    for text in spoiled {
        std::fs::write(&path, &text).expect("write");
        assert!(RestoredMark::read(data).is_err(), "{text}");
    }
    RestoredMark::clear(data).expect("clear");
    assert_eq!(RestoredMark::read(data).expect("read"), None);
    RestoredMark::clear(data).expect("nothing to clear");
}
