//! How a decision's cost in process grows: with the policies of a domain, the roles of a principal, the bytes of a body, and
//! how decisions in a second grow with cores.

use std::hint::black_box;

use gavel_benches::corpus::{self, Example};
use gavel_benches::growth;
use gavel_benches::growth_request::{self, Added, Policies};
use gavel_benches::measure::one;
use gavel_benches::{cores, synthetic};

use crate::effort::Effort;
use crate::outcome::{Curve, Report, Series};

/// Policies of the domains.
const POLICIES: [usize; 6] = [1, 10, 100, 1_000, 10_000, 100_000];

/// All four.
///
/// # Errors
/// A domain that does not compile.
pub(crate) fn in_process(example: &Example, effort: &Effort, report: &mut Report) -> Result<(), String> {
    let rounds = effort.rounds;
    report.curves.push(Curve {
        file: "policies",
        title: "Policies of the domain; each request meets the same few",
        across: "policies",
        upwards: "ns a decision",
        lines: vec![line("gavel", policies(effort)?)],
    });
    report.curves.push(Curve {
        file: "roles",
        title: "Roles of the principal",
        across: "roles",
        upwards: "ns a decision",
        lines: vec![
            line(
                "a policy for each",
                growth_request::roles(Policies::Own, rounds, effort.round_ns)?,
            ),
            line(
                "ten policies among all",
                growth_request::roles(Policies::Shared, rounds, effort.round_ns)?,
            ),
        ],
    });
    report.curves.push(Curve {
        file: "body",
        title: "Bytes of the body",
        across: "bytes",
        upwards: "ns a decision",
        lines: vec![
            line(
                "in members that no policy reads",
                growth_request::bodies(example, Added::Unread, rounds, effort.round_ns)?,
            ),
            line(
                "in a text whose length a policy asks",
                growth_request::bodies(example, Added::Read, rounds, effort.round_ns)?,
            ),
        ],
    });
    report.curves.push(Curve {
        file: "cores",
        title: "Threads, each with a decider of its own over one image",
        across: "threads",
        upwards: "decisions a second over those of one thread",
        lines: vec![line(
            "gavel",
            cores::over_one(example, usize::MAX, rounds, effort.round_ns)?,
        )],
    });
    Ok(())
}

fn line(name: &str, points: Vec<(f64, f64)>) -> Series {
    Series {
        name: name.to_owned(),
        points,
    }
}

fn policies(effort: &Effort) -> Result<Vec<(f64, f64)>, String> {
    // Of the only role that the smallest domain has.
    let body = synthetic::request(0);
    POLICIES
        .iter()
        .map(|count| {
            let image = growth::image_of(*count)?;
            let mut decider = corpus::decider(&image);
            corpus::decide(&mut decider, &image, body.as_bytes())?;
            let ns = one(effort.rounds, effort.round_ns, || {
                let decision = corpus::decide(&mut decider, &image, black_box(body.as_bytes()));
                black_box(decision.map(|decision| decision.granted)).ok();
            });
            Ok((*count as f64, ns))
        })
        .collect()
}
