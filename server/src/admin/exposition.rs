//! Prometheus' text format, version 0.0.4.

use std::fmt::{Display, Write as _};

use crate::metrics::Snapshot;

/// Media type of the format.
pub(super) const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A name, its kind, and what it means.
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) help: &'static str,
}

/// What a family's numbers do.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// They grow.
    Counter,
    /// They go up and down.
    Gauge,
    /// They are distributions.
    Histogram,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        }
    }
}

/// The text of one answer.
#[derive(Default)]
pub(super) struct Exposition {
    text: String,
}

/// Bounds of the buckets: powers of two, where [`Snapshot::below`] is exact, from half a microsecond to a second.
const BOUNDS_NS_LOG2: std::ops::RangeInclusive<u32> = 9..=30;

impl Exposition {
    /// Begins a family; its samples follow.
    pub(super) fn family(&mut self, family: &Family) {
        let Family { name, kind, help } = family;
        let kind = kind.word();
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    /// A family of one sample without labels.
    pub(super) fn single(&mut self, family: &Family, value: impl Display) {
        self.family(family);
        self.sample(family, &[], value);
    }

    /// A sample of the present family.
    pub(super) fn sample(&mut self, family: &Family, labels: &[(&str, &str)], value: impl Display) {
        self.named(family.name, labels, value);
    }

    /// The samples of a histogram, in seconds.
    pub(super) fn histogram(&mut self, family: &Family, labels: &[(&str, &str)], times: &Snapshot) {
        let bucket = format!("{}_bucket", family.name);
        let with_bound = |bound: &str, this: &mut Exposition, count: u64| {
            let mut labels = labels.to_vec();
            labels.push(("le", bound));
            this.named(&bucket, &labels, count);
        };
        for power in BOUNDS_NS_LOG2 {
            let bound_ns = 1u64 << power;
            with_bound(&seconds(bound_ns), self, times.below(bound_ns));
        }
        let count = times.count();
        with_bound("+Inf", self, count);
        self.named(&format!("{}_sum", family.name), labels, seconds(times.sum_ns()));
        self.named(&format!("{}_count", family.name), labels, count);
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn named(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let mut shown = String::new();
        for (label, value) in labels {
            let separator = if shown.is_empty() { '{' } else { ',' };
            let value = value
                .replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n");
            shown.push(separator);
            shown.push_str(&format!("{label}=\"{value}\""));
        }
        if !shown.is_empty() {
            shown.push('}');
        }
        self.line(format_args!("{name}{shown} {value}"));
    }

    fn line(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{text}");
    }
}

/// Nanoseconds as seconds, exactly.
pub(super) fn seconds(ns: u64) -> String {
    let (whole, part) = (ns / 1_000_000_000, ns % 1_000_000_000);
    if part == 0 {
        return whole.to_string();
    }
    format!("{whole}.{part:09}").trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Histogram;

    #[test]
    fn samples_are_written_as_prometheus_reads_them() {
        const INFO: Family = Family {
            name: "x_info",
            kind: Kind::Gauge,
            help: "What x is.",
        };
        let mut exposition = Exposition::default();
        exposition.family(&INFO);
        exposition.sample(&INFO, &[("a", "say \"hi\"\n\\"), ("b", "")], 1);
        let want =
            "# HELP x_info What x is.\n# TYPE x_info gauge\nx_info{a=\"say \\\"hi\\\"\\n\\\\\",b=\"\"} 1\n";
        assert_eq!(exposition.into_text(), want);
    }

    #[test]
    fn buckets_hold_what_is_below_them() {
        const TIME: Family = Family {
            name: "t_seconds",
            kind: Kind::Histogram,
            help: "A time.",
        };
        let histogram = Histogram::default();
        [500, 2000, 3_000_000_000]
            .into_iter()
            .for_each(|ns| histogram.record(ns));
        let mut times = Snapshot::default();
        times.add(&histogram);
        let mut exposition = Exposition::default();
        exposition.histogram(&TIME, &[("phase", "p")], &times);
        let text = exposition.into_text();
        for line in [
            "t_seconds_bucket{phase=\"p\",le=\"0.000000512\"} 1",
            "t_seconds_bucket{phase=\"p\",le=\"0.000002048\"} 2",
            "t_seconds_bucket{phase=\"p\",le=\"+Inf\"} 3",
            "t_seconds_sum{phase=\"p\"} 3.0000025",
            "t_seconds_count{phase=\"p\"} 3",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
    }
}
