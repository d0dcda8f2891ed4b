//! Where in a text its faults are: in bytes as the node says, in pieces to be drawn, and in UTF-16 units as the
//! browser selects.

use fog_api::PolicyFault;

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What stands there.
    pub text: String,
    /// Whether a fault is about it.
    pub is_faulty: bool,
}

/// The bytes that are marked for a fault: within the text, at the borders of characters, one character at least
/// where there is one, without white space around.
#[must_use]
pub fn marked(text: &str, fault: &PolicyFault) -> (usize, usize) {
    let from = text.floor_char_boundary(fault.from);
    let to = text.ceil_char_boundary(fault.to.min(text.len())).max(from);
    let found = text.get(from..to).unwrap_or_default();
    let word = found.trim();
    if !word.is_empty() {
        let from = from + (found.len() - found.trim_start().len());
        return (from, from + word.len());
    }
    // Nothing stands there: something is missing, after what comes before.
    let before = text.get(..from).unwrap_or_default().trim_end();
    let last = before.chars().next_back().map_or(0, char::len_utf8);
    (before.len() - last, before.len())
}

/// The text in pieces, those with faults apart.
#[must_use]
pub fn pieces(text: &str, faults: &[PolicyFault]) -> Vec<Piece> {
    let mut spans: Vec<_> = faults.iter().map(|fault| marked(text, fault)).collect();
    spans.sort_unstable();
    let mut pieces = Vec::new();
    let mut at = 0;
    let mut push = |from: usize, to: usize, is_faulty| {
        let text = text.get(from..to).unwrap_or_default().to_owned();
        if !text.is_empty() {
            pieces.push(Piece { text, is_faulty });
        }
    };
    for (from, to) in spans {
        // What two faults are about is marked once.
        let from = from.max(at);
        if to > from {
            push(at, from, false);
            push(from, to, true);
            at = to;
        }
    }
    push(at, text.len(), false);
    pieces
}

/// A byte's place in UTF-16 units, as a browser counts.
#[must_use]
pub fn utf16(text: &str, byte: usize) -> u32 {
    let before = text.get(..text.floor_char_boundary(byte)).unwrap_or(text);
    u32::try_from(before.encode_utf16().count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    //! Goal: whatever bytes a fault names, its mark lies in the text, and no letter is lost. Method: a table, and
    //! random faults on texts with letters of several bytes.

    use proptest::prelude::*;

    use super::*;

    fn fault(from: usize, to: usize) -> PolicyFault {
        PolicyFault {
            message: "x".to_owned(),
            help: None,
            from,
            to,
        }
    }

    fn drawn(text: &str, faults: &[PolicyFault]) -> String {
        let pieces = pieces(text, faults).into_iter();
        let drawn = pieces.map(|piece| match piece.is_faulty {
            true => format!("[{}]", piece.text),
            false => piece.text,
        });
        drawn.collect()
    }

    #[test]
    fn faults_are_marked_at_their_words() {
        let cases = [
            ("when { roel }", fault(7, 11), "when { [roel] }"),
            // White space is not the fault.
            ("a  b", fault(1, 4), "a  [b]"),
            // Something is missing at the end: what stands before it is marked.
            ("permit(p)\n", fault(10, 10), "permit(p[)]\n"),
            ("é ", fault(1, 1), "[é] "),
            ("ab", fault(7, 9), "a[b]"),
            ("", fault(0, 0), ""),
        ];
        for (text, fault, expected) in cases {
            assert_eq!(drawn(text, &[fault]), expected);
        }
        let two = [fault(2, 5), fault(0, 3)];
        assert_eq!(drawn("abcdef", &two), "[abc][de]f");
    }

    #[test]
    fn places_are_counted_as_they_are_used() {
        let text = "é\n𝄞x";
        assert_eq!(fault(7, 8).line_and_column(text), (2, 2));
        assert_eq!(fault(0, 1).line_and_column(text), (1, 1));
        assert_eq!(fault(99, 99).line_and_column(text), (2, 3));
        assert_eq!(utf16(text, 7), 4);
        assert_eq!(utf16(text, 99), 5);
    }

    proptest! {
        #[test]
        fn no_letter_is_lost(text in "[aé𝄞 \n]{0,12}", spans in prop::collection::vec((0_usize..40, 0_usize..40), 0..5)) {
            let faults: Vec<_> = spans.into_iter().map(|(from, to)| fault(from, to)).collect();
            let joined: String = pieces(&text, &faults).into_iter().map(|piece| piece.text).collect();
            prop_assert_eq!(&joined, &text);
            for one in &faults {
                let (from, to) = marked(&text, one);
                prop_assert!(text.get(from..to).is_some());
                let (line, column) = one.line_and_column(&text);
                prop_assert!(line > 0 && column > 0);
            }
        }
    }
}
