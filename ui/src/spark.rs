//! A small line of the last minutes, for a table cell or a bed: fixed buckets, gaps stay gaps.
//!
//! One SVG path in a 1000 × 100 box. The newest value of each bucket counts; a bucket without a value
//! breaks the line.

/// Buckets in a line.
pub const BUCKETS: usize = 60;
/// Length of a bucket in milliseconds, unless another is asked for: 60 of them are ten minutes.
pub const BUCKET_MILLIS: i64 = 10_000;

/// The values behind a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Spark {
    bucket_millis: i64,
    /// Number of the newest bucket since 1970.
    newest: i64,
    values: [Option<f32>; BUCKETS],
}

impl Default for Spark {
    fn default() -> Self {
        Self::of(BUCKET_MILLIS)
    }
}

impl Spark {
    /// An empty line of buckets of this length.
    #[must_use]
    pub const fn of(bucket_millis: i64) -> Self {
        Self {
            bucket_millis,
            newest: 0,
            values: [None; BUCKETS],
        }
    }

    /// Takes a value in; older than the line is ignored. Answers whether the line changed.
    pub fn push(&mut self, time_millis: i64, value: f32) -> bool {
        let bucket = time_millis.div_euclid(self.bucket_millis);
        self.advance(bucket);
        let Some(back) = usize::try_from(self.newest - bucket)
            .ok()
            .filter(|back| *back < BUCKETS)
        else {
            return false;
        };
        let Some(place) = self.values.get_mut(BUCKETS - 1 - back) else {
            return false;
        };
        let changed = *place != Some(value);
        *place = Some(value);
        changed
    }

    /// Puts older values in, where nothing is known of their bucket yet.
    pub fn fill(&mut self, values: impl Iterator<Item = (i64, f32)>) {
        for (time_millis, value) in values {
            let bucket = time_millis.div_euclid(self.bucket_millis);
            self.advance(bucket);
            let back = usize::try_from(self.newest - bucket)
                .ok()
                .filter(|back| *back < BUCKETS);
            if let Some(place) = back.and_then(|back| self.values.get_mut(BUCKETS - 1 - back)) {
                place.get_or_insert(value);
            }
        }
    }

    /// Lets time pass without a value. Answers whether the line changed.
    pub fn advance_to(&mut self, time_millis: i64) -> bool {
        let before = self.newest;
        self.advance(time_millis.div_euclid(self.bucket_millis));
        self.newest != before
    }

    fn advance(&mut self, bucket: i64) {
        if bucket <= self.newest {
            return;
        }
        let steps = usize::try_from(bucket - self.newest)
            .unwrap_or(BUCKETS)
            .min(BUCKETS);
        self.values.rotate_left(steps);
        for place in self.values.iter_mut().rev().take(steps) {
            *place = None;
        }
        self.newest = bucket;
    }

    /// The path, with `low` at the bottom and `high` at the top; widened where values lie outside.
    #[must_use]
    pub fn path(&self, low: f32, high: f32) -> String {
        let (low, high) = self.range(low, high);
        let scale = 100.0 / (high - low).max(f32::EPSILON);
        let step = 1000.0 / (BUCKETS - 1) as f32;
        let mut path = String::with_capacity(BUCKETS * 10);
        let mut drawing = false;
        for (place, value) in self.values.iter().enumerate() {
            let Some(value) = value else {
                drawing = false;
                continue;
            };
            let (x, y) = (place as f32 * step, (high - value) * scale);
            path.push_str(&format!("{}{x:.0} {y:.1}", if drawing { 'L' } else { 'M' }));
            if !drawing {
                // A value between two gaps is a dot: a line of no length with round ends.
                path.push_str("h0");
            }
            drawing = true;
        }
        path
    }

    /// Lowest and highest value in the line.
    #[must_use]
    pub fn extremes(&self) -> Option<(f32, f32)> {
        let mut values = self.values.iter().flatten().copied();
        let first = values.next()?;
        Some(values.fold((first, first), |(low, high), value| {
            (low.min(value), high.max(value))
        }))
    }

    fn range(&self, low: f32, high: f32) -> (f32, f32) {
        self.extremes().map_or((low, high), |(least, most)| {
            (low.min(least), high.max(most))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A gap breaks the line; nothing is drawn across it.
    #[test]
    fn gaps_stay_gaps() {
        let mut spark = Spark::default();
        let start = 1_000_000 * BUCKET_MILLIS;
        spark.push(start, 97.0);
        spark.push(start + BUCKET_MILLIS, 96.0);
        spark.push(start + 5 * BUCKET_MILLIS, 95.0);
        let path = spark.path(90.0, 100.0);
        assert_eq!(path.matches('M').count(), 2);
        assert_eq!(path.matches('L').count(), 1);
        assert!(path.ends_with("M1000 50.0h0"), "{path}");
    }

    /// The line moves with time, forgets after ten minutes and ignores what is older.
    #[test]
    fn time_moves_the_line() {
        let mut spark = Spark::default();
        assert!(spark.push(10 * BUCKET_MILLIS, 72.0));
        assert!(!spark.push(10 * BUCKET_MILLIS + 1, 72.0));
        assert!(spark.advance_to(11 * BUCKET_MILLIS));
        assert_eq!(spark.extremes(), Some((72.0, 72.0)));
        spark.advance_to(500 * BUCKET_MILLIS);
        assert_eq!(spark.extremes(), None);
        assert!(!spark.push(10 * BUCKET_MILLIS, 72.0));
        assert_eq!(spark.path(0.0, 1.0), "");
    }

    /// What the node kept fills the past and never replaces what was seen live.
    #[test]
    fn the_past_is_filled_in() {
        let mut spark = Spark::default();
        spark.push(9 * BUCKET_MILLIS, 95.0);
        spark.fill([(8 * BUCKET_MILLIS, 91.0), (9 * BUCKET_MILLIS, 92.0)].into_iter());
        assert_eq!(spark.extremes(), Some((91.0, 95.0)));
    }

    /// Values outside the usual range widen it, so that no line leaves its cell.
    #[test]
    fn no_line_leaves_its_cell() {
        let mut spark = Spark::default();
        spark.push(BUCKET_MILLIS, 60.0);
        spark.push(2 * BUCKET_MILLIS, 110.0);
        let path = spark.path(90.0, 100.0);
        assert!(path.contains("100.0") && path.contains(" 0.0"), "{path}");
    }
}
