//! Counts what the test programs themselves report.
//!
//! Reads the closing lines of cargo-nextest and of the standard test harness. A
//! check without tests of its own (formatting, lints) counts as one. A program
//! that fails without naming a failed test counts as one failure, so a build
//! that breaks can never read as "0 failed".

/// How many tests passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tests that ran and held.
    pub passed: u64,
    /// Tests that ran and did not hold.
    pub failed: u64,
}

impl Tally {
    /// One check that held or did not.
    pub fn of_one(held: bool) -> Self {
        Self {
            passed: held.into(),
            failed: (!held).into(),
        }
    }

    /// What a test program printed, corrected by how it ended.
    pub fn of_tests(success: bool, text: &str) -> Self {
        let mut tally = text.lines().fold(Self::default(), |sum, line| {
            sum.plus(
                harness_line(line)
                    .or_else(|| nextest_line(line))
                    .unwrap_or_default(),
            )
        });
        if !success && tally.failed == 0 {
            tally.failed = 1;
        }
        tally
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
        }
    }
}

/// `test result: ok. 3 passed; 0 failed; 0 ignored; …`
fn harness_line(line: &str) -> Option<Tally> {
    let counts = line.trim().strip_prefix("test result: ")?;
    let counts = counts.split_once(". ")?.1;
    Some(Tally {
        passed: number_before(counts, " passed")?,
        failed: number_before(counts, " failed")?,
    })
}

/// `Summary [ 1.2s] 120 tests run: 118 passed (1 slow), 1 failed, 1 timed out, 0 skipped`
fn nextest_line(line: &str) -> Option<Tally> {
    let counts = line.trim().strip_prefix("Summary [")?;
    let counts = counts.split_once(" run: ")?.1;
    let bad = [" failed", " timed out", " exec failed"];
    Some(Tally {
        passed: number_before(counts, " passed")?,
        failed: bad
            .iter()
            .filter_map(|word| number_before(counts, word))
            .sum(),
    })
}

/// The number that stands right before `word`.
fn number_before(text: &str, word: &str) -> Option<u64> {
    let before = text.split_once(word)?.0;
    before.rsplit([' ', ',', ';', '(']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    //! Closing lines of both runners, as they print them.
    use super::*;

    #[test]
    fn closing_lines_are_read() {
        let nextest = "     Summary [   1.204s] 120 tests run: 118 passed (1 slow), 1 failed, 1 timed out, 0 skipped";
        let green = "     Summary [   0.004s] 1 test run: 1 passed, 7 skipped";
        let harness = "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        for (text, passed, failed) in [
            (nextest, 118, 2),
            (green, 1, 0),
            (harness, 2, 1),
            ("nothing to see", 0, 0),
        ] {
            assert_eq!(
                Tally::of_tests(failed == 0, text),
                Tally { passed, failed },
                "{text}"
            );
        }
    }

    #[test]
    fn several_programs_add_up() {
        let text = "test result: ok. 3 passed; 0 failed; 0 ignored\nx\ntest result: ok. 4 passed; 0 failed; 1 ignored\n";
        assert_eq!(
            Tally::of_tests(true, text),
            Tally {
                passed: 7,
                failed: 0
            }
        );
    }

    #[test]
    fn a_broken_build_is_a_failure() {
        assert_eq!(
            Tally::of_tests(false, "error: could not compile `x`"),
            Tally {
                passed: 0,
                failed: 1
            }
        );
    }
}
