//! What a load came to: latencies, failures by kind, how late the generator itself was; as text and as JSON.

use std::fmt::Write as _;

use hdrhistogram::Histogram;

use super::span::Span;

/// The longest latency that is told apart: an hour.
const LATENCY_NS_MAX: u64 = 3_600_000_000_000;

/// Digits of a latency that are kept.
const DIGITS: u8 = 3;

/// Slow answers that are kept one by one; more are only counted.
const SLOW_MAX: usize = 200_000;

/// What is told of latencies, in this order.
const QUANTILES: [(&str, f64); 5] = [
    ("p50", 0.5),
    ("p90", 0.9),
    ("p99", 0.99),
    ("p99.9", 0.999),
    ("p99.99", 0.9999),
];

/// One answer that took long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slow {
    /// When the request was due, in ns after the generator's origin.
    pub due_ns: u64,
    /// How long after that its answer came.
    pub latency_ns: u64,
}

/// Failures by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// Another status or body than expected.
    pub wrong: u64,
    /// Bytes that are no answer.
    pub broken: u64,
    /// The connection ended before the answer.
    pub closed: u64,
    /// No answer in time.
    pub late: u64,
    /// Due, but no connection took it before the end.
    pub unsent: u64,
    /// Attempts to connect that failed; no request is lost by them.
    pub unconnected: u64,
    /// The first failure in words.
    pub first: Option<String>,
}

impl Failures {
    /// Requests without the answer that they should have.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.wrong + self.broken + self.closed + self.late + self.unsent
    }
}

/// The outcome of a load.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// ns from the moment a request was due (open loop) or sent (closed loop) to its answer; the warm-up left out.
    pub latency: Histogram<u64>,
    /// ns by which the generator itself sent late although a connection was free.
    pub lateness: Histogram<u64>,
    /// Right answers, the warm-up included.
    pub right: u64,
    /// Those of them whose latency is counted.
    pub measured: u64,
    /// What went wrong.
    pub failures: Failures,
    /// Connections opened after the first ones.
    pub reconnects: u64,
    /// Seconds from the end of the warm-up to the last answer.
    pub seconds: f64,
    /// Answers above the job's bound for slow ones.
    pub slow: Vec<Slow>,
    /// How many of these there were.
    pub slow_count: u64,
    /// Times in which the generator itself did not run although it had asked to.
    pub stalls: Vec<Span>,
}

impl Outcome {
    /// Nothing yet.
    ///
    /// # Errors
    /// Bounds that the histogram does not take.
    pub fn new(seconds: f64) -> Result<Outcome, String> {
        let histogram = Histogram::new_with_bounds(1, LATENCY_NS_MAX, DIGITS).map_err(|e| e.to_string())?;
        Ok(Outcome {
            lateness: histogram.clone(),
            latency: histogram,
            right: 0,
            measured: 0,
            failures: Failures::default(),
            reconnects: 0,
            seconds,
            slow: Vec::new(),
            slow_count: 0,
            stalls: Vec::new(),
        })
    }

    /// One latency, kept by itself when it is above `slow_ns`.
    pub(super) fn count(&mut self, due_ns: u64, latency_ns: u64, slow_ns: u64) {
        self.latency.saturating_record(latency_ns);
        if latency_ns > slow_ns {
            self.slow_count += 1;
            if self.slow.len() < SLOW_MAX {
                self.slow.push(Slow { due_ns, latency_ns });
            }
        }
    }

    /// Takes in the outcome of another thread of the same job.
    ///
    /// # Errors
    /// Histograms of other bounds.
    pub fn add(&mut self, other: &Outcome) -> Result<(), String> {
        self.latency.add(&other.latency).map_err(|e| e.to_string())?;
        self.lateness.add(&other.lateness).map_err(|e| e.to_string())?;
        self.right += other.right;
        self.measured += other.measured;
        self.seconds = self.seconds.max(other.seconds);
        self.reconnects += other.reconnects;
        self.slow.extend_from_slice(&other.slow);
        self.slow_count += other.slow_count;
        self.stalls.extend_from_slice(&other.stalls);
        let (mine, theirs) = (&mut self.failures, &other.failures);
        mine.wrong += theirs.wrong;
        mine.broken += theirs.broken;
        mine.closed += theirs.closed;
        mine.late += theirs.late;
        mine.unsent += theirs.unsent;
        mine.unconnected += theirs.unconnected;
        if mine.first.is_none() {
            mine.first.clone_from(&theirs.first);
        }
        Ok(())
    }

    /// Right answers a second, the warm-up left out.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.measured as f64 / self.seconds
    }

    /// A quantile of the latencies in microseconds.
    #[must_use]
    pub fn latency_us(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / 1000.0
    }

    /// An error when any request had no right answer, or none had one.
    ///
    /// # Errors
    /// The first failure in words.
    pub fn checked(self) -> Result<Outcome, String> {
        let failed = self.failures.requests();
        if failed > 0 || self.right == 0 {
            let first = self.failures.first.as_deref().unwrap_or("no answer came");
            return Err(format!(
                "{failed} requests failed, {} were answered: {first}",
                self.right
            ));
        }
        Ok(self)
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!(
            "{} right answers, {:.0} a second over {:.1} s; {} requests failed\n",
            self.right,
            self.rate(),
            self.seconds,
            self.failures.requests()
        );
        // Writing to a `String` cannot fail.
        let _ = write!(text, "latency in us:");
        for (name, quantile) in QUANTILES {
            let _ = write!(text, "  {name} {:.1}", self.latency_us(quantile));
        }
        let _ = writeln!(text, "  max {:.1}", self.latency.max() as f64 / 1000.0);
        let _ = writeln!(
            text,
            "the generator itself sent late by, in us:  p50 {:.1}  p99.9 {:.1}  max {:.1}",
            self.lateness.value_at_quantile(0.5) as f64 / 1000.0,
            self.lateness.value_at_quantile(0.999) as f64 / 1000.0,
            self.lateness.max() as f64 / 1000.0
        );
        let failures = &self.failures;
        let kinds = [
            ("wrong answers", failures.wrong),
            ("broken answers", failures.broken),
            ("connections closed before the answer", failures.closed),
            ("answers that did not come in time", failures.late),
            ("requests never sent: no connection was free", failures.unsent),
            ("attempts to connect that failed", failures.unconnected),
            ("connections opened again", self.reconnects),
        ];
        for (kind, count) in kinds {
            if count > 0 {
                let _ = writeln!(text, "{kind}: {count}");
            }
        }
        if let Some(first) = &failures.first {
            let _ = writeln!(text, "the first failure: {first}");
        }
        text
    }

    /// For programs: one object.
    #[must_use]
    pub fn json(&self) -> String {
        let quantiles = |histogram: &Histogram<u64>| {
            let mut object: serde_json::Map<String, serde_json::Value> = QUANTILES
                .iter()
                .map(|(name, quantile)| ((*name).to_owned(), histogram.value_at_quantile(*quantile).into()))
                .collect();
            object.insert("max".to_owned(), histogram.max().into());
            object
        };
        let failures = &self.failures;
        serde_json::json!({
            "right": self.right,
            "failed": failures.requests(),
            "seconds": self.seconds,
            "rate": self.rate(),
            "latency_ns": quantiles(&self.latency),
            "lateness_ns": quantiles(&self.lateness),
            "slow": self.slow_count,
            "wrong": failures.wrong,
            "broken": failures.broken,
            "closed": failures.closed,
            "late": failures.late,
            "unsent": failures.unsent,
            "unconnected": failures.unconnected,
            "reconnects": self.reconnects,
            "first_failure": failures.first,
        })
        .to_string()
    }
}
