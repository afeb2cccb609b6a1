//! Answers above 5 ms at half of saturation, counted by what the machine did while they were waited for.

use gavel_benches::load::{Seen, Slow, Span, Union};

/// An answer is late when it takes longer.
const LATE_NS: u64 = 5_000_000;

/// What was seen of one server during a slice of its load.
#[derive(Default)]
pub(crate) struct Slice {
    /// Answers that took long, as many of them as were kept.
    pub(crate) kept: Vec<Slow>,
    /// Those that were not.
    pub(crate) more: u64,
    /// Stalls of the generator.
    pub(crate) stalls: Vec<Span>,
    /// What the witness on the server's processor saw.
    pub(crate) seen: Seen,
}

/// How many answers came late, and for how long the machine was the worse for something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Late {
    /// They would have been in time without stalls and the queues behind these.
    pub(crate) stalled: u64,
    /// Others that would have been without the times in which the machine was sluggish.
    pub(crate) sluggish: u64,
    /// All others.
    pub(crate) other: u64,
    /// ns in which the server's processor or the generator stalled.
    pub(crate) stalled_ns: u64,
    /// ns in which the server's processor was sluggish.
    pub(crate) sluggish_ns: u64,
    /// ns that were watched.
    pub(crate) watched_ns: u64,
}

impl Late {
    /// Counts those of all slices. `usual_ns`: what system calls take when the machine is not sluggish.
    pub(crate) fn count(slices: &[Slice], usual_ns: u64) -> Late {
        let mut late = Late::default();
        for slice in slices {
            let stalls = Union::of([slice.stalls.as_slice(), &slice.seen.stalls].concat());
            let sluggish = Union::of(slice.seen.sluggish(usual_ns));
            late.sort(&slice.kept, &stalls.with_queues(), &sluggish);
            // Of these nobody knows when they were.
            late.other += slice.more;
            late.stalled_ns += stalls.length_ns();
            late.sluggish_ns += sluggish.length_ns();
            late.watched_ns += slice.seen.length_ns();
        }
        late
    }

    /// Counts answers. Stalls come with the queues behind them.
    fn sort(&mut self, answers: &[Slow], stalls: &Union, sluggish: &Union) {
        let either = stalls.and(sluggish);
        for answer in answers {
            let waited = Span {
                from_ns: answer.due_ns,
                to_ns: answer.due_ns + answer.latency_ns,
            };
            let is_in_time_without = |times: &Union| answer.latency_ns - times.covered_ns(waited) <= LATE_NS;
            let count = if is_in_time_without(stalls) {
                &mut self.stalled
            } else if is_in_time_without(&either) {
                &mut self.sluggish
            } else {
                &mut self.other
            };
            *count += 1;
        }
    }

    /// All of them.
    pub(crate) fn all(self) -> u64 {
        self.stalled + self.sluggish + self.other
    }

    /// The part of the time in which the machine was sluggish.
    pub(crate) fn sluggish_share(self) -> f64 {
        self.sluggish_ns as f64 / self.watched_ns.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::{Late, Seen, Slice, Slow, Span, Union};

    fn answer((due_ms, latency_ms): (u64, u64)) -> Slow {
        Slow {
            due_ns: due_ms * 1_000_000,
            latency_ns: latency_ms * 1_000_000,
        }
    }

    /// A stall from 10 to 14 ms, so that its queue is gone at 18.
    #[test]
    fn an_answer_is_explained_that_would_have_been_in_time() {
        let counted = |answers_ms: &[(u64, u64)]| {
            let slice = || Slice {
                kept: answers_ms.iter().copied().map(answer).collect(),
                more: 1,
                stalls: vec![Span {
                    from_ns: 10_000_000,
                    to_ns: 14_000_000,
                }],
                seen: Seen::default(),
            };
            let late = Late::count(&[slice(), slice()], 2_300);
            assert_eq!(late.stalled_ns, 8_000_000);
            (late.stalled, late.other)
        };
        // Each twice, and beside them the two that were only counted.
        assert_eq!(counted(&[]), (0, 2));
        assert_eq!(counted(&[(10, 8), (13, 6)]), (4, 2));
        // Of 13 ms 8 are the stall's, of 14 no more.
        assert_eq!(counted(&[(7, 13)]), (2, 2));
        assert_eq!(counted(&[(7, 14)]), (0, 4));
        // It was late before the stall began, or due behind the queue.
        assert_eq!(counted(&[(4, 7), (18, 6)]), (0, 6));
    }

    /// A stall with its queue from 10 to 18 ms, a sluggish time from 16 to 40.
    #[test]
    fn what_stalls_explain_is_no_sluggish_machine() {
        let times = |from_ms: u64, to_ms: u64| {
            Union::of(vec![Span {
                from_ns: from_ms * 1_000_000,
                to_ns: to_ms * 1_000_000,
            }])
        };
        let sorted = |answers_ms: (u64, u64)| {
            let mut late = Late::default();
            late.sort(&[answer(answers_ms)], &times(10, 18), &times(16, 40));
            (late.stalled, late.sluggish, late.other)
        };
        assert_eq!(sorted((16, 7)), (1, 0, 0));
        assert_eq!(sorted((20, 6)), (0, 1, 0));
        // Of 30 ms the stall has 5, both have 27 from 13 to 40: what both cover counts once.
        assert_eq!(sorted((13, 30)), (0, 1, 0));
        assert_eq!(sorted((13, 32)), (0, 1, 0));
        assert_eq!(sorted((13, 33)), (0, 0, 1));
    }
}
