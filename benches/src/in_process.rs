//! The figures of decisions in process: against rules by hand, as requests grow, on two cores.

use gavel_benches::corpus::Example;
use gavel_benches::growth_request::{self, Added, Policies};
use gavel_benches::measure::median;
use gavel_benches::{cores, handwritten};

use crate::effort::Effort;
use crate::outcome::Report;

/// All of them, with a row of text for each measurement.
///
/// # Errors
/// Answers that differ; domains that do not compile.
pub(crate) fn figures(examples: &[Example], effort: &Effort, report: &mut Report) -> Result<(), String> {
    let (rounds, round_ns) = (effort.rounds, effort.round_ns);
    by_hand(examples, effort, report)?;
    for (name, policies) in [
        ("decision.ns_per_role", Policies::Own),
        ("decision.ns_per_role.shared", Policies::Shared),
    ] {
        let series = growth_request::roles(policies, rounds, round_ns)?;
        for (roles, ns) in &series {
            println!("{roles} roles, {policies:?} policies: {ns:.0} ns");
        }
        report.figure(name, growth_request::per_role(&series));
    }
    if let Some(example) = examples.first() {
        for (bytes, ns) in growth_request::bodies(example, Added::Unread, rounds, round_ns)? {
            println!("a body of {bytes} bytes: {ns:.0} ns");
        }
        match cores::two_over_one(example, rounds, round_ns) {
            Ok(two) => {
                report.figure("decision.two_cores_over_one", two.decisions);
                report.figure("machine.two_cores_over_one", two.machine);
            }
            Err(why) => report.note(format!("skipped: decision.two_cores_over_one ({why})")),
        }
    }
    Ok(())
}

/// Against the rules by hand: the worst domain, in turns or not, the worst request, the median request; the worst and the
/// median domain in turns. With so many requests a round is a quarter as long.
fn by_hand(examples: &[Example], effort: &Effort, report: &mut Report) -> Result<(), String> {
    let compared = handwritten::compare(examples, effort.rounds, effort.round_ns / 4)?;
    let mut rows = "| request | by hand, ns | gavel, ns | ratio |\n|---|---|---|---|\n".to_owned();
    for (name, times) in &compared.requests {
        rows.push_str(&format!(
            "| {name} | {:.0} | {:.0} | {:.2} |\n",
            times.first_ns, times.second_ns, times.ratio
        ));
    }
    report.table("Against rules written by hand", rows);
    report.table(
        "What decisions and rules by hand take their time for, requests in turns",
        compared.table,
    );
    let mut ratios: Vec<f64> = compared.requests.iter().map(|(_, times)| times.ratio).collect();
    let worst = |ratios: &[f64]| ratios.iter().copied().fold(0.0, f64::max);
    let mut rotated = compared.rotated;
    report.figure(
        "decision.over_native.worst",
        worst(&compared.domains).max(worst(&rotated)),
    );
    report.figure("decision.over_native.rotated.worst", worst(&rotated));
    report.figure("decision.over_native.rotated.median", median(&mut rotated));
    report.figure("decision.over_native.worst_request", worst(&ratios));
    report.figure("decision.over_native.median", median(&mut ratios));
    Ok(())
}
