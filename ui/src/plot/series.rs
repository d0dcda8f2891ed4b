//! A bounded series of one metric: points in order of time, its gaps, and its decimation for a screen.
//!
//! Plain data and functions; nothing here paints. A point that could not be measured is kept as one
//! without a value, because a gap is part of the record. Left out on purpose: smoothing and
//! interpolation of any kind.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A moment in Unix milliseconds.
pub type Millis = i64;

/// One value, or the lowest and highest of several, at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// When.
    pub time: Millis,
    /// Lowest and highest value; `None` where nothing could be measured.
    pub range: Option<(f64, f64)>,
}

impl Point {
    /// A single value; one that is not finite counts as absent.
    #[must_use]
    pub fn value(time: Millis, value: f64) -> Self {
        Self::range(time, value, value)
    }

    /// The lowest and highest of several values.
    #[must_use]
    pub fn range(time: Millis, min: f64, max: f64) -> Self {
        let range = (min.is_finite() && max.is_finite()).then_some((min.min(max), min.max(max)));
        Self { time, range }
    }

    /// Nothing could be measured.
    #[must_use]
    pub const fn absent(time: Millis) -> Self {
        Self { time, range: None }
    }
}

/// A stretch of time, `from` before `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Start.
    pub from: Millis,
    /// End.
    pub to: Millis,
}

impl Span {
    /// From `from` to `to`; the two may come in any order.
    #[must_use]
    pub fn new(from: Millis, to: Millis) -> Self {
        Self {
            from: from.min(to),
            to: from.max(to),
        }
    }

    /// Its length in milliseconds.
    #[must_use]
    pub const fn length(self) -> Millis {
        self.to.saturating_sub(self.from)
    }

    /// The part inside `other`, if there is any.
    #[must_use]
    pub fn within(self, other: Self) -> Option<Self> {
        let (from, to) = (self.from.max(other.from), self.to.min(other.to));
        (from < to).then_some(Self { from, to })
    }
}

/// Points in order of time, the oldest dropped beyond a bound.
#[derive(Clone, Debug)]
pub struct Series {
    points: VecDeque<Point>,
    capacity: usize,
    break_after_millis: Millis,
    revision: u64,
}

impl Series {
    /// A series of at most `capacity` points, whose line breaks where two of them lie more than
    /// `break_after_millis` apart.
    #[must_use]
    pub fn new(capacity: usize, break_after_millis: Millis) -> Self {
        Self {
            points: VecDeque::new(),
            capacity: capacity.max(1),
            break_after_millis: break_after_millis.max(1),
            revision: 0,
        }
    }

    /// Adds a point; a late one goes where it belongs, one of the same time takes the other's place.
    pub fn push(&mut self, point: Point) {
        self.revision += 1;
        let newest = self.points.back().map(|last| last.time);
        if newest.is_none_or(|newest| newest < point.time) {
            self.points.push_back(point);
        } else {
            let at = self.points.partition_point(|other| other.time < point.time);
            match self.points.get_mut(at) {
                Some(other) if other.time == point.time => *other = point,
                _ => self.points.insert(at, point),
            }
        }
        while self.points.len() > self.capacity {
            self.points.pop_front();
        }
    }

    /// Puts other points in place of all; they may come in any order.
    pub fn replace(&mut self, points: impl IntoIterator<Item = Point>) {
        let mut points: Vec<_> = points.into_iter().collect();
        points.sort_by_key(|point| point.time);
        points.dedup_by_key(|point| point.time);
        let surplus = points.len().saturating_sub(self.capacity);
        self.points = points.split_off(surplus).into();
        self.revision += 1;
    }

    /// The newest point.
    #[must_use]
    pub fn latest(&self) -> Option<Point> {
        self.points.back().copied()
    }

    /// How many points it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// A number that grows with every change.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// The points inside `window` and one neighbour on each side, so that lines run to the edge.
    pub fn around(&self, window: Span) -> impl Iterator<Item = Point> + '_ {
        let first = self
            .points
            .partition_point(|point| point.time < window.from);
        let end = self.points.partition_point(|point| point.time <= window.to);
        let end = (end + 1).min(self.points.len());
        self.points
            .range(first.saturating_sub(1).min(end)..end)
            .copied()
    }

    /// The points inside `window`.
    pub fn inside(&self, window: Span) -> impl Iterator<Item = Point> + '_ {
        self.around(window)
            .filter(move |point| (window.from..=window.to).contains(&point.time))
    }

    /// The lowest and highest value inside `window`.
    #[must_use]
    pub fn extent(&self, window: Span) -> Option<(f64, f64)> {
        self.inside(window)
            .filter_map(|point| point.range)
            .reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
    }

    /// The measured point nearest to `time`, unless it lies further away than the line would reach.
    #[must_use]
    pub fn nearest(&self, time: Millis) -> Option<Point> {
        let at = self.points.partition_point(|point| point.time < time);
        let reach = self.break_after_millis;
        let candidates = [at.checked_sub(1), Some(at)];
        candidates
            .into_iter()
            .filter_map(|index| self.points.get(index?).copied())
            .filter(|point| point.range.is_some() && point.time.abs_diff(time) <= reach as u64)
            .min_by_key(|point| point.time.abs_diff(time))
    }

    /// The line in unbroken runs, at most one lowest and one highest value per `bucket_millis`.
    #[must_use]
    pub fn runs(&self, window: Span, bucket_millis: Millis) -> Vec<Vec<[f64; 2]>> {
        decimate(self.around(window), bucket_millis, self.break_after_millis)
    }

    /// Where nothing was measured inside `window`: between two measured points too far apart or with
    /// absent ones between them, and from the newest to the window's end. What lies before the very
    /// first point is no gap: nothing was expected yet.
    #[must_use]
    pub fn gaps(&self, window: Span) -> Vec<Span> {
        let mut gaps = Vec::new();
        let mut open: Option<Millis> = None;
        let mut last: Option<Millis> = None;
        for point in self.around(window) {
            let silent = last.filter(|last| point.time - last > self.break_after_millis);
            open = open.or(silent);
            last = Some(point.time);
            match (point.range, open) {
                (None, None) => open = Some(point.time),
                (Some(_), Some(from)) => {
                    gaps.extend(Span::new(from, point.time).within(window));
                    open = None;
                }
                _ => {}
            }
        }
        let silent = last.filter(|last| window.to - last > self.break_after_millis);
        gaps.extend(
            open.or(silent)
                .and_then(|from| Span::new(from, window.to).within(window)),
        );
        gaps
    }
}

/// Splits `points` into unbroken runs of `[time, value]` and keeps of each bucket the lowest and the
/// highest value, in the order they came; no peak is lost. Buckets lie at multiples of their length, so
/// that a line does not shimmer as its window moves on.
#[must_use]
pub fn decimate(
    points: impl Iterator<Item = Point>,
    bucket_millis: Millis,
    break_after_millis: Millis,
) -> Vec<Vec<[f64; 2]>> {
    let bucket_millis = bucket_millis.max(1);
    let mut runs: Vec<Vec<[f64; 2]>> = Vec::new();
    let mut bucket: Option<Bucket> = None;
    let mut last: Option<Millis> = None;
    for point in points {
        let broken = last.is_none_or(|last| point.time - last > break_after_millis);
        last = point.range.map(|_| point.time);
        if broken || point.range.is_none() {
            flush(&mut runs, bucket.take());
            runs.push(Vec::new());
        }
        let Some((min, max)) = point.range else {
            continue;
        };
        let number = point.time.div_euclid(bucket_millis);
        match &mut bucket {
            Some(open) if open.number == number => open.add(point.time, min, max),
            _ => flush(
                &mut runs,
                bucket.replace(Bucket::new(number, point.time, min, max)),
            ),
        }
    }
    flush(&mut runs, bucket);
    runs.retain(|run| !run.is_empty());
    runs
}

struct Bucket {
    number: i64,
    low: (Millis, f64),
    high: (Millis, f64),
}

impl Bucket {
    const fn new(number: i64, time: Millis, min: f64, max: f64) -> Self {
        Self {
            number,
            low: (time, min),
            high: (time, max),
        }
    }

    fn add(&mut self, time: Millis, min: f64, max: f64) {
        if min < self.low.1 {
            self.low = (time, min);
        }
        if max > self.high.1 {
            self.high = (time, max);
        }
    }
}

fn flush(runs: &mut [Vec<[f64; 2]>], bucket: Option<Bucket>) {
    let (Some(run), Some(Bucket { low, high, .. })) = (runs.last_mut(), bucket) else {
        return;
    };
    let (first, second) = if low.0 <= high.0 {
        (low, high)
    } else {
        (high, low)
    };
    run.push([first.0 as f64, first.1]);
    if first != second {
        run.push([second.0 as f64, second.1]);
    }
}

/// A series that a page fills and a plot paints.
#[derive(Clone, Debug)]
pub struct SeriesHandle(Arc<RwLock<Series>>);

impl SeriesHandle {
    /// See [`Series::new`].
    #[must_use]
    pub fn new(capacity: usize, break_after_millis: Millis) -> Self {
        Self(Arc::new(RwLock::new(Series::new(
            capacity,
            break_after_millis,
        ))))
    }

    /// Looks at the series.
    pub fn read(&self) -> RwLockReadGuard<'_, Series> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the series.
    pub fn write(&self) -> RwLockWriteGuard<'_, Series> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// See [`Series::push`].
    pub fn push(&self, point: Point) {
        self.write().push(point);
    }

    /// See [`Series::replace`].
    pub fn replace(&self, points: impl IntoIterator<Item = Point>) {
        self.write().replace(points);
    }
}
