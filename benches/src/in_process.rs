//! The figures of decisions in process: against rules by hand, as requests grow, on two cores.

use gavel_benches::corpus::Example;
use gavel_benches::growth_request::{self, Policies};
use gavel_benches::measure::median;
use gavel_benches::{cores, handwritten};

/// All of them, with a row of text for each measurement.
///
/// # Errors
/// Answers that differ; domains that do not compile.
pub(crate) fn figures(
    examples: &[Example],
    rounds: usize,
    round_ns: u64,
) -> Result<Vec<(&'static str, f64)>, String> {
    let mut figures = by_hand(examples, rounds, round_ns)?;
    for (name, policies) in [
        ("decision.ns_per_role", Policies::Own),
        ("decision.ns_per_role.shared", Policies::Shared),
    ] {
        let series = growth_request::roles(policies, rounds, round_ns)?;
        for (roles, ns) in &series {
            println!("{roles} roles, {policies:?} policies: {ns:.0} ns");
        }
        figures.push((name, growth_request::per_role(&series)));
    }
    if let Some(example) = examples.first() {
        for (bytes, ns) in growth_request::bodies(example, "opening-hours", rounds, round_ns)? {
            println!("a body of {bytes} bytes: {ns:.0} ns");
        }
        match cores::two_over_one(example, rounds, round_ns) {
            Ok(ratio) => figures.push(("decision.two_cores_over_one", ratio)),
            Err(why) => println!("skipped: decision.two_cores_over_one ({why})"),
        }
    }
    Ok(figures)
}

/// Against the rules by hand: the worst domain, the worst request, the median request. With so many requests a round is a
/// quarter as long.
fn by_hand(examples: &[Example], rounds: usize, round_ns: u64) -> Result<Vec<(&'static str, f64)>, String> {
    let compared = handwritten::compare(examples, rounds, round_ns / 4)?;
    for (name, times) in &compared.requests {
        println!(
            "{name}: by hand {:.0} ns, gavel {:.0} ns, ratio {:.2}",
            times.first_ns, times.second_ns, times.ratio
        );
    }
    println!("\n{}", compared.table);
    let mut ratios: Vec<f64> = compared.requests.iter().map(|(_, times)| times.ratio).collect();
    let worst = |ratios: &[f64]| ratios.iter().copied().fold(0.0, f64::max);
    Ok(vec![
        ("decision.over_native.worst", worst(&compared.domains)),
        ("decision.over_native.worst_request", worst(&ratios)),
        ("decision.over_native.median", median(&mut ratios)),
    ])
}
