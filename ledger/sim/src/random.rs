//! Chance from a seed: SplitMix64 (Steele, Lea, Flood 2014), so that a seed means the same on every
//! machine and after every change of a library.
//!
//! Not for keys: whoever knows the seed knows it all.

/// A stream of numbers that its seed determines.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// The stream of `seed` for one `purpose`: drawing more for one purpose changes nothing of another.
    pub(crate) fn new(seed: u64, purpose: u64) -> Self {
        let mut stream = Self(seed ^ purpose.wrapping_mul(0xd6e8_feb8_6659_fd93));
        stream.next();
        stream
    }

    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 if `end` is 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or(0)
    }

    /// A number of `from..=to`.
    pub(crate) fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to.saturating_sub(from) + 1)
    }

    /// Yes in `per_mille` of thousand cases.
    pub(crate) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// One of `items`.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let at = self.below(items.len() as u64);
        items.get(at as usize)
    }
}

#[cfg(test)]
mod tests {
    //! Goal: the numbers never change, or no seed in a report would mean anything any more. Method: the
    //! first numbers of the published algorithm.

    use super::Random;

    #[test]
    fn the_numbers_are_those_of_splitmix() {
        let mut random = Random(1_234_567);
        let expected = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
        ];
        assert_eq!([random.next(), random.next(), random.next()], expected);
    }

    #[test]
    fn purposes_are_apart_and_ranges_hold() {
        let (mut one, mut other) = (Random::new(1, 1), Random::new(1, 2));
        assert_ne!(one.next(), other.next());
        for _ in 0..1000 {
            assert!((3..=5).contains(&one.between(3, 5)));
            assert!(one.below(7) < 7);
        }
        assert_eq!(one.below(0), 0);
        assert!(!one.chance(0) && one.chance(1000));
    }
}
