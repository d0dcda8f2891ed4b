//! Says which step runs, how long it may take, and how long it took.
//!
//! Plain lines, no cursor tricks: they read the same in a terminal and in a log.

use std::time::{Duration, Instant};

/// A numbered list of steps, of which one runs at a time.
#[derive(Debug)]
pub struct Progress {
    count: usize,
    done: usize,
    started: Instant,
}

impl Progress {
    /// Begins a list of `count` steps.
    pub fn new(count: usize) -> Self {
        Self {
            count,
            done: 0,
            started: Instant::now(),
        }
    }

    /// Runs the next step between its title and its time.
    pub fn step<T>(&mut self, title: &str, work: impl FnOnce() -> T) -> T {
        self.done += 1;
        println!("[{}/{}] {title}", self.done, self.count);
        let began = Instant::now();
        let result = work();
        println!(
            "      {} (total {})",
            spoken(began.elapsed()),
            spoken(self.started.elapsed())
        );
        result
    }
}

/// A duration as one says it: `0.4 s`, `12 s`, `3 min 5 s`.
pub fn spoken(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        _ => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    //! The spoken form at each of its borders.
    use super::*;

    #[test]
    fn durations_read_as_spoken() {
        for (millis, expected) in [
            (0, "0.0 s"),
            (9_940, "9.9 s"),
            (10_400, "10 s"),
            (59_999, "59 s"),
            (60_000, "1 min 0 s"),
            (185_000, "3 min 5 s"),
        ] {
            assert_eq!(spoken(Duration::from_millis(millis)), expected);
        }
    }
}
