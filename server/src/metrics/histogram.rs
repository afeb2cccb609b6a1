//! Times in log-linear buckets: 16 to an octave, from 64 ns to about a second, so that a time is known to 6 %.
//!
//! Writing is a shift, two additions and two stores to memory of one's own. Reading copies bucket by bucket while the
//! writer goes on: a snapshot may miss the newest times, and its sum may be ahead of its count by those.

use crate::metrics::counter::Counter;

/// Buckets of an octave.
const PER_OCTAVE: u64 = 16;
/// The first octave begins with 2 to this power, in ns; all below it is in the first bucket.
const FIRST_OCTAVE: u32 = 6;
/// Octaves: the last one ends with 2^30 ns; all above is in the last bucket.
const OCTAVES: u32 = 24;
/// Number of buckets.
pub const BUCKETS: usize = OCTAVES as usize * PER_OCTAVE as usize;

/// Times in buckets, with one writer.
#[derive(Debug)]
pub struct Histogram {
    buckets: [Counter; BUCKETS],
    sum_ns: Counter,
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram {
            buckets: [const { Counter::new() }; BUCKETS],
            sum_ns: Counter::new(),
        }
    }
}

impl Histogram {
    /// Counts a time; only the owning thread may call this. Cannot fail, does not allocate.
    #[inline]
    pub fn record(&self, time_ns: u64) {
        if let Some(bucket) = self.buckets.get(index_of(time_ns)) {
            bucket.add(1);
        }
        self.sum_ns.add(time_ns);
    }
}

/// Upper bound of a bucket in ns: the smallest time that is not in it. The last bucket holds all above it, too.
#[must_use]
pub const fn upper_ns(index: usize) -> u64 {
    let next = index as u64 + 1;
    (PER_OCTAVE + next % PER_OCTAVE) << (next / PER_OCTAVE + FIRST_OCTAVE as u64 - PER_OCTAVE.ilog2() as u64)
}

#[inline]
fn index_of(time_ns: u64) -> usize {
    let time_ns = time_ns.clamp(1 << FIRST_OCTAVE, (1 << (FIRST_OCTAVE + OCTAVES)) - 1);
    let octave = time_ns.ilog2();
    // Below the leading bit the next four say which part of the octave it is.
    let part = (time_ns >> (octave - PER_OCTAVE.ilog2())) - PER_OCTAVE;
    // INVARIANT: below `BUCKETS`, by the clamp.
    (u64::from(octave - FIRST_OCTAVE) * PER_OCTAVE + part) as usize
}

/// What one or several histograms held at some moment; they add up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    buckets: Vec<u64>,
    sum_ns: u64,
}

impl Default for Snapshot {
    fn default() -> Snapshot {
        Snapshot {
            buckets: vec![0; BUCKETS],
            sum_ns: 0,
        }
    }
}

impl Snapshot {
    /// Adds what a histogram holds now. Any thread may call this at any time.
    pub fn add(&mut self, histogram: &Histogram) {
        for (sum, bucket) in self.buckets.iter_mut().zip(&histogram.buckets) {
            *sum += bucket.get();
        }
        self.sum_ns = self.sum_ns.wrapping_add(histogram.sum_ns.get());
    }

    /// Number of times.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Sum of all times in ns.
    #[must_use]
    pub fn sum_ns(&self) -> u64 {
        self.sum_ns
    }

    /// Number of times in each bucket; [`upper_ns`] says where each ends.
    #[must_use]
    pub fn buckets(&self) -> &[u64] {
        &self.buckets
    }

    /// Number of times below `ns`, exact where `ns` ends a bucket (as the powers of two from 2^7 to 2^30 do), else of the
    /// buckets that lie below it whole.
    #[must_use]
    pub fn below(&self, ns: u64) -> u64 {
        let whole = |(index, _): &(usize, &u64)| upper_ns(*index) <= ns;
        self.buckets
            .iter()
            .enumerate()
            .take_while(whole)
            .map(|(_, count)| count)
            .sum()
    }

    /// The time that a share `of` (0 to 1) of all times are not above: the upper bound of its bucket in ns. 0 without times.
    #[must_use]
    pub fn quantile_ns(&self, of: f64) -> u64 {
        let count = self.count();
        if count == 0 {
            return 0;
        }
        let wanted = ((count as f64 * of).ceil() as u64).clamp(1, count);
        let mut seen = 0;
        for (index, bucket) in self.buckets.iter().enumerate() {
            seen += bucket;
            if seen >= wanted {
                return upper_ns(index);
            }
        }
        upper_ns(BUCKETS - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_lies_in_its_bucket() {
        let mut time_ns = 1u64;
        while time_ns < 1 << 31 {
            for ns in [time_ns - 1, time_ns, time_ns + 1] {
                let index = index_of(ns);
                let lower = if index == 0 { 0 } else { upper_ns(index - 1) };
                assert!(lower <= ns, "{ns} is below bucket {index}");
                assert!(
                    ns < upper_ns(index) || index == BUCKETS - 1,
                    "{ns} is above bucket {index}"
                );
            }
            time_ns += 1 + time_ns / 50;
        }
        assert_eq!((index_of(0), index_of(u64::MAX)), (0, BUCKETS - 1));
        assert_eq!(
            (upper_ns(0), upper_ns(15), upper_ns(BUCKETS - 1)),
            (68, 128, 1 << 30)
        );
    }

    #[test]
    fn snapshots_add_up_and_tell_quantiles() {
        let (fast, slow) = (Histogram::default(), Histogram::default());
        (0..90).for_each(|_| fast.record(1000));
        (0..10).for_each(|_| slow.record(1_000_000));
        let mut both = Snapshot::default();
        assert_eq!((both.count(), both.quantile_ns(0.5)), (0, 0));
        both.add(&fast);
        both.add(&slow);
        assert_eq!((both.count(), both.sum_ns()), (100, 90 * 1000 + 10 * 1_000_000));
        assert_eq!(
            (both.below(1024), both.below(1 << 20), both.below(1 << 10)),
            (90, 100, 90)
        );
        assert_eq!((both.quantile_ns(0.5), both.quantile_ns(0.9)), (1024, 1024));
        assert!(both.quantile_ns(0.91) > 1_000_000 && both.quantile_ns(1.0) < 1_070_000);
    }
}
