//! How waiting readings are parted into batches: a plain function over counts.

/// A run of one stream's waiting readings that goes into a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    /// Index of the stream.
    pub stream: usize,
    /// Place of the first among the stream's waiting readings.
    pub from: usize,
    /// How many.
    pub len: usize,
}

/// Parts `waiting` readings (stream index, count) into batches of at most `limit`, in order, each
/// reading in exactly one batch, no batch empty.
#[must_use]
pub fn plan_batches(waiting: &[(usize, usize)], limit: usize) -> Vec<Vec<Part>> {
    let limit = limit.max(1);
    let mut batches = Vec::new();
    let mut batch = Vec::new();
    let mut room = limit;
    for &(stream, count) in waiting {
        let mut from = 0;
        while from < count {
            let len = room.min(count - from);
            batch.push(Part { stream, from, len });
            from += len;
            room -= len;
            if room == 0 {
                batches.push(std::mem::take(&mut batch));
                room = limit;
            }
        }
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

#[cfg(test)]
mod tests {
    //! Goal: every waiting reading is batched once. Method: property against a count per stream.

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_reading_is_in_one_batch(counts in proptest::collection::vec(0usize..40, 0..12), limit in 1usize..30) {
            let waiting: Vec<_> = counts.iter().copied().enumerate().collect();
            let batches = plan_batches(&waiting, limit);
            let mut next = vec![0; counts.len()];
            for batch in &batches {
                let size: usize = batch.iter().map(|part| part.len).sum();
                prop_assert!(size >= 1 && size <= limit);
                let mut streams: Vec<_> = batch.iter().map(|part| part.stream).collect();
                streams.dedup();
                prop_assert_eq!(streams.len(), batch.len());
                for part in batch {
                    prop_assert_eq!(part.from, next[part.stream]);
                    next[part.stream] += part.len;
                }
            }
            prop_assert_eq!(next, counts);
            prop_assert!(batches.iter().rev().skip(1).all(|batch| batch.iter().map(|part| part.len).sum::<usize>() == limit));
        }
    }
}
