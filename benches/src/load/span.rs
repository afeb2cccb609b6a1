//! Times between two moments of a load: unions of them, how far queues reach behind them, and how much of a wait they cover.

/// A time, in ns after the origin of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// When it began.
    pub from_ns: u64,
    /// When it was over.
    pub to_ns: u64,
}

impl Span {
    /// How long it was.
    #[must_use]
    pub fn length_ns(self) -> u64 {
        self.to_ns.saturating_sub(self.from_ns)
    }
}

/// Times of which no two have a moment in common, in order.
#[derive(Clone, Debug, Default)]
pub struct Union {
    spans: Vec<Span>,
}

impl Union {
    /// All moments of these.
    #[must_use]
    pub fn of(mut spans: Vec<Span>) -> Union {
        spans.sort_unstable();
        let mut merged: Vec<Span> = Vec::new();
        for span in spans {
            match merged.last_mut() {
                Some(last) if last.to_ns >= span.from_ns => last.to_ns = last.to_ns.max(span.to_ns),
                _ => merged.push(span),
            }
        }
        Union { spans: merged }
    }

    /// The moments of both.
    #[must_use]
    pub fn and(&self, other: &Union) -> Union {
        Union::of([self.spans.as_slice(), &other.spans].concat())
    }

    /// These were times without service at half of saturation: with the queues behind them. Such a queue is gone after as long
    /// as nothing was served, and two that meet take as long as both.
    #[must_use]
    pub fn with_queues(&self) -> Union {
        let mut gone_ns = 0_u64;
        let behind = self.spans.iter().map(|span| {
            gone_ns = span.to_ns + span.length_ns() + gone_ns.saturating_sub(span.from_ns);
            Span {
                to_ns: gone_ns,
                ..*span
            }
        });
        Union::of(behind.collect())
    }

    /// How long all of them are.
    #[must_use]
    pub fn length_ns(&self) -> u64 {
        self.spans.iter().map(|span| span.length_ns()).sum()
    }

    /// How much of a time is in one of them.
    #[must_use]
    pub fn covered_ns(&self, of: Span) -> u64 {
        let first = self.spans.partition_point(|span| span.to_ns <= of.from_ns);
        let meeting = self
            .spans
            .iter()
            .skip(first)
            .take_while(|span| span.from_ns < of.to_ns);
        let common = meeting.map(|span| span.to_ns.min(of.to_ns) - span.from_ns.max(of.from_ns));
        common.sum()
    }
}

#[cfg(test)]
mod tests {
    use super::{Span, Union};

    fn spans(times: &[(u64, u64)]) -> Vec<Span> {
        let span = |(from_ns, to_ns): &(u64, u64)| Span {
            from_ns: *from_ns,
            to_ns: *to_ns,
        };
        times.iter().map(span).collect()
    }

    fn union(times: &[(u64, u64)]) -> Union {
        Union::of(spans(times))
    }

    #[test]
    fn times_that_touch_are_one() {
        assert_eq!(
            union(&[(30, 40), (0, 10), (10, 12), (5, 7), (35, 50)]).spans,
            spans(&[(0, 12), (30, 50)])
        );
        assert_eq!(
            union(&[(0, 10)]).and(&union(&[(5, 20), (21, 22)])).spans,
            spans(&[(0, 20), (21, 22)])
        );
        assert_eq!(union(&[(0, 12), (30, 50)]).length_ns(), 32);
    }

    #[test]
    fn a_queue_lasts_as_long_as_nothing_was_served() {
        assert_eq!(
            union(&[(10, 14), (100, 101)]).with_queues().spans,
            spans(&[(10, 18), (100, 102)])
        );
        // 10 without service, of which 1 is made up for when the next 10 begin: 19 are left at 21.
        assert_eq!(union(&[(0, 10), (11, 21)]).with_queues().spans, spans(&[(0, 40)]));
    }

    #[test]
    fn a_wait_is_covered_by_what_is_common() {
        let times = union(&[(10, 20), (30, 40), (50, 60)]);
        let covered = |from_ns, to_ns| times.covered_ns(Span { from_ns, to_ns });
        assert_eq!(covered(0, 10), 0);
        assert_eq!(covered(20, 30), 0);
        assert_eq!(covered(12, 18), 6);
        assert_eq!(covered(15, 55), 5 + 10 + 5);
        assert_eq!(covered(60, 70), 0);
    }
}
