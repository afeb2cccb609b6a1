//! What a report says of its own figures: which of the project's targets are reached, and where a peer wins.

use std::fmt::Write as _;

use crate::outcome::{Report, Series};

/// On which side of a number a figure has to be.
#[derive(Clone, Copy, Debug)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

use Bound::{AtLeast, AtMost};

impl Bound {
    fn is_kept_by(self, value: f64) -> bool {
        match self {
            AtLeast(least) => value >= least,
            AtMost(most) => value <= most,
        }
    }

    fn text(self) -> String {
        match self {
            AtLeast(least) => format!("≥ {least}"),
            AtMost(most) => format!("≤ {most}"),
        }
    }
}

/// What was to be reached when the project began.
const TARGETS: [(&str, &str, Bound); 24] = [
    (
        "a whole decision against the regorus RVM, the worst domain",
        "decision.regorus_rvm_over_gavel.worst",
        AtLeast(20.0),
    ),
    (
        "against rules written by hand in Rust, the worst domain",
        "decision.over_native.worst",
        AtMost(1.3),
    ),
    (
        "allocator calls of a decision",
        "decision.allocations",
        AtMost(0.0),
    ),
    (
        "served, the rate against constant answers",
        "http.share_of_constant",
        AtLeast(0.85),
    ),
    (
        "the same by processor time",
        "http.share_of_constant.cpu",
        AtLeast(0.85),
    ),
    (
        "the rate over the reference's",
        "http.over_reference",
        AtLeast(75.0),
    ),
    ("the rate over OPA's server", "http.over_opa_server", AtLeast(6.0)),
    (
        "p99.9 over p50 at half of saturation",
        "http.p999_over_p50_half_load",
        AtMost(3.0),
    ),
    ("seconds of that load", "http.half_load_seconds", AtLeast(600.0)),
    (
        "answers above 5 ms in that time that would have been above without stalls and sluggish times of the machine",
        "http.outliers_above_5ms",
        AtMost(0.0),
    ),
    (
        "a decision among 100,000 policies over one among 10",
        "decision.policies_100000_over_10",
        AtMost(1.1),
    ),
    (
        "ns for each role of the principal",
        "decision.ns_per_role",
        AtMost(300.0),
    ),
    (
        "two cores against one",
        "decision.two_cores_over_one",
        AtLeast(1.9),
    ),
    (
        "what a record adds to a decision, the median request",
        "record.share_of_decision.median",
        AtMost(0.15),
    ),
    (
        "the same, the worst request",
        "record.share_of_decision.worst",
        AtMost(0.15),
    ),
    (
        "with the line that the audit thread makes, the median request",
        "record.share_of_decision.with_line.median",
        AtMost(0.15),
    ),
    (
        "the same, the worst request",
        "record.share_of_decision.with_line.worst",
        AtMost(0.15),
    ),
    (
        "what a record adds to a served request, its worker",
        "record.share_of_http_request",
        AtMost(0.15),
    ),
    (
        "the same, all threads",
        "record.share_of_http_request.with_line",
        AtMost(0.15),
    ),
    ("idle memory, MiB", "rss_idle_mib", AtMost(12.0)),
    (
        "memory of an idle connection, KiB",
        "rss_kib_per_idle_connection",
        AtMost(4.0),
    ),
    (
        "memory of 10,000 policies, MiB",
        "image.rss_mib_per_10000_policies",
        AtMost(64.0),
    ),
    (
        "ms to the first answer from an image file of 1,000 policies",
        "image.start_ms_1000_policies",
        AtMost(20.0),
    ),
    (
        "ms to compile 1,000 policies",
        "compile.ms_per_1000_policies",
        AtMost(1000.0),
    ),
];

/// What peers take over what gavel takes, or gavel's rate over theirs: below 1 the peer wins.
const RIVALS: [(&str, &str); 6] = [
    (
        "regorus' register VM, its best request",
        "decision.regorus_rvm_over_gavel.worst_request",
    ),
    (
        "regorus' interpreter, its best request",
        "decision.regorus_interpreter_over_gavel.worst_request",
    ),
    (
        "Cedar with request and entities prepared, its best request",
        "decision.cedar_prepared_over_gavel.worst_request",
    ),
    (
        "Cedar from JSON, its best request",
        "decision.cedar_over_gavel.worst_request",
    ),
    ("OPA's server, its rate", "http.over_opa_server"),
    ("Cerbos' server, its rate", "http.over_cerbos_server"),
];

/// Titles and texts, in Markdown.
pub(crate) fn tables(report: &Report) -> [(&'static str, String); 2] {
    [
        ("What was to be reached", targets(report)),
        ("Where a peer wins", wins(report)),
    ]
}

fn figure(report: &Report, name: &str) -> Option<f64> {
    let mut figures = report.figures.iter();
    figures.find_map(|(known, value)| (*known == name).then_some(*value))
}

fn targets(report: &Report) -> String {
    let mut table = String::from("| what | figure | must be | is | |\n|---|---|---|---|---|\n");
    for (what, name, bound) in TARGETS {
        let (value, word) = match figure(report, name) {
            Some(value) if bound.is_kept_by(value) => (format!("{value:.3}"), "reached"),
            Some(value) => (format!("{value:.3}"), "**not reached**"),
            None => (String::new(), "not measured"),
        };
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            table,
            "| {what} | `{name}` | {} | {value} | {word} |",
            bound.text()
        );
    }
    table
}

fn wins(report: &Report) -> String {
    let mut text = String::new();
    let mut is_any = false;
    let mut say = |line: String| {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "* {line}");
    };
    for (who, name) in RIVALS {
        match figure(report, name) {
            Some(value) if value < 1.0 => {
                is_any = true;
                say(format!("{who}: wins (`{name}` {value:.3})"));
            }
            Some(value) => say(format!("{who}: does not (`{name}` {value:.3})")),
            None => say(format!("{who}: not measured")),
        }
    }
    for (line, quicker, all) in quicker_peers(report) {
        is_any |= quicker > 0;
        say(format!(
            "{line} under load, each at the same share of its own saturation: lower than gavel's at {quicker} of {all} loads"
        ));
    }
    say(format!(
        "of the peers that were measured {}",
        if is_any { "the above win" } else { "none does" }
    ));
    match figure(report, "decision.over_native.worst") {
        Some(ratio) if ratio > 1.0 => say(format!(
            "rules written by hand in Rust, which are no product: they win, {ratio:.3} times at the worst domain"
        )),
        Some(ratio) => say(format!(
            "rules written by hand in Rust, which are no product: they do not ({ratio:.3})"
        )),
        None => {}
    }
    text
}

/// Each line of a peer in the plot of latencies, at how many loads it is below gavel's, and how many there are.
fn quicker_peers(report: &Report) -> Vec<(&str, usize, usize)> {
    let Some(curve) = report.curves.iter().find(|curve| curve.file == "latency") else {
        return Vec::new();
    };
    let peers = curve.lines.iter().filter(|line| !line.name.starts_with("gavel"));
    let compared = peers.filter_map(|peer| {
        let (_, quantile) = peer.name.rsplit_once(", ")?;
        let is_ours = |line: &&Series| line.name == format!("gavel, {quantile}");
        let ours = curve.lines.iter().find(is_ours)?;
        let pairs = peer.points.iter().zip(&ours.points);
        let quicker = pairs.filter(|((_, theirs), (_, ours))| theirs < ours).count();
        Some((peer.name.as_str(), quicker, peer.points.len()))
    });
    compared.collect()
}
