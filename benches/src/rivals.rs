//! Whole decisions in process, from the bytes of the body, against peers that run in process, on the same requests in turns.

use std::hint::black_box;

use gavel_benches::corpus::{self, Example};
use gavel_benches::measure::{Pair, pair};
use gavel_benches::peers::cedar;
use gavel_benches::peers::clinic::{self, realised};
use gavel_benches::peers::regorus::{self, Kind, Peer};
use gavel_runtime::decision::Decider;
use gavel_runtime::image::Image;
use serde_json::Value;

use crate::effort::Effort;
use crate::outcome::Report;

/// Against regorus on every domain and against Cedar on the clinic.
///
/// # Errors
/// A peer that decides differently.
pub(crate) fn decisions(examples: &[Example], effort: &Effort, report: &mut Report) -> Result<(), String> {
    report.table("What gavel and its peers read", sizes(examples)?);
    let vm = against_regorus(examples, Kind::Vm, effort)?;
    report.table("Against regorus, register VM", vm.rows);
    report.figure("decision.regorus_rvm_over_gavel.worst", vm.example);
    report.figure("decision.regorus_rvm_over_gavel.worst_request", vm.request);
    report.figure("decision.regorus_rvm_over_gavel.parsed.worst", vm.parsed);
    report.note(FEATURES.to_owned());
    report.figure("decision.ns.worst", vm.ns);
    let interpreter = against_regorus(examples, Kind::Interpreter, effort)?;
    report.table("Against regorus, interpreter", interpreter.rows);
    report.figure(
        "decision.regorus_interpreter_over_gavel.worst",
        interpreter.example,
    );
    report.figure(
        "decision.regorus_interpreter_over_gavel.worst_request",
        interpreter.request,
    );
    match examples.iter().find(|example| example.name == clinic::EXAMPLE) {
        Some(example) => against_cedar(example, effort, report),
        None => Ok(()),
    }
}

/// The smallest ratios, and our slowest request.
struct Worst {
    example: f64,
    request: f64,
    /// Of a domain, where the peer gets documents that are parsed.
    parsed: f64,
    ns: f64,
    /// A row of Markdown for each request, and three for each domain with all of its requests: over and over, in turns, and
    /// without the peer's parsing.
    rows: String,
}

fn against_regorus(examples: &[Example], kind: Kind, effort: &Effort) -> Result<Worst, String> {
    let mut worst = Worst {
        example: f64::INFINITY,
        request: f64::INFINITY,
        parsed: f64::INFINITY,
        ns: 0.0,
        rows: HEAD.to_owned(),
    };
    for example in examples {
        let image = corpus::image(example)?;
        let mut decider = corpus::decider(&image);
        let mut rival = Peer::new(example, kind)?;
        let (mut ours_ns, mut theirs_ns) = (0.0, 0.0);
        let mut questions = Vec::new();
        for (name, body) in &example.requests {
            let decision = corpus::decide(&mut decider, &image, body)?;
            let granted = decision.granted;
            let asked = regorus::asked(decision.references);
            let request = regorus::request(&mut decider, &image, body, &asked)?;
            if rival.decide(&request)? != granted {
                return Err(format!(
                    "{}/{name}: gavel and its peer decide differently",
                    example.name
                ));
            }
            let times = pair(
                effort.rounds,
                effort.round_ns / 2,
                || {
                    black_box(corpus::decide(&mut decider, &image, black_box(body)).map(|d| d.granted)).ok();
                },
                || {
                    black_box(rival.decide(black_box(&request))).ok();
                },
            );
            worst
                .rows
                .push_str(&row(&format!("{}/{name}", example.name), &times));
            worst.request = worst.request.min(times.ratio);
            worst.ns = worst.ns.max(times.first_ns);
            ours_ns += times.first_ns;
            theirs_ns += times.second_ns;
            questions.push((body.as_slice(), request));
        }
        let whole = Pair {
            first_ns: ours_ns,
            second_ns: theirs_ns,
            ratio: theirs_ns / ours_ns,
        };
        worst
            .rows
            .push_str(&row(&format!("**{}**, all", example.name), &whole));
        let turns = in_turns(&image, &mut decider, &mut rival, &questions, effort);
        worst
            .rows
            .push_str(&row(&format!("**{}**, in turns", example.name), &turns));
        worst.example = worst.example.min(whole.ratio).min(turns.ratio);
        let turns = parsed_in_turns(&image, &mut decider, &mut rival, &questions, effort)?;
        worst.rows.push_str(&row(
            &format!("**{}**, in turns, parsed beforehand for the peer", example.name),
            &turns,
        ));
        worst.parsed = worst.parsed.min(turns.ratio);
    }
    Ok(worst)
}

/// All requests of a domain one after the other, so that nothing that was learnt of one holds for the next; ns of all
/// together.
fn in_turns(
    image: &Image,
    decider: &mut Decider,
    rival: &mut Peer,
    questions: &[(&[u8], regorus::Request)],
    effort: &Effort,
) -> Pair {
    pair(
        effort.rounds,
        effort.round_ns,
        || decide_each(image, decider, questions),
        || {
            for (_, request) in questions {
                black_box(rival.decide(black_box(request))).ok();
            }
        },
    )
}

fn decide_each(image: &Image, decider: &mut Decider, questions: &[(&[u8], regorus::Request)]) {
    for (body, _) in questions {
        black_box(corpus::decide(decider, image, black_box(body)).map(|d| d.granted)).ok();
    }
}

/// The same without the peer's parsing: its evaluation alone against all of a decision.
fn parsed_in_turns(
    image: &Image,
    decider: &mut Decider,
    rival: &mut Peer,
    questions: &[(&[u8], regorus::Request)],
    effort: &Effort,
) -> Result<Pair, String> {
    let parsed = questions.iter().map(|(_, request)| request.parsed());
    let parsed = parsed.collect::<Result<Vec<_>, _>>()?;
    Ok(pair(
        effort.rounds,
        effort.round_ns,
        || decide_each(image, decider, questions),
        || {
            for ((_, request), input) in questions.iter().zip(&parsed) {
                black_box(rival.decide_parsed(request, black_box(input))).ok();
            }
        },
    ))
}

/// What gavel reads and what peers read, which get annotations merged and resources looked up: all requests of each domain.
fn sizes(examples: &[Example]) -> Result<String, String> {
    let mut table = "| domain | gavel reads, bytes | without blanks | peers read, bytes | over those of gavel without blanks |\n\
                     |---|---|---|---|---|\n"
        .to_owned();
    for example in examples {
        let image = corpus::image(example)?;
        let mut decider = corpus::decider(&image);
        let (mut sent, mut minified, mut read) = (0, 0, 0);
        for (_, body) in &example.requests {
            let document: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
            sent += body.len();
            minified += document.to_string().len();
            read += realised(&mut decider, &image, body)?.len();
        }
        let ratio = read as f64 / minified.max(1) as f64;
        table.push_str(&format!(
            "| {} | {sent} | {minified} | {read} | {ratio:.2} |\n",
            example.name
        ));
    }
    Ok(table)
}

/// Cedar twice: with request and entities made beforehand, which is its evaluator alone against all of ours, and from the
/// bytes of the document, as a service has them.
fn against_cedar(example: &Example, effort: &Effort, report: &mut Report) -> Result<(), String> {
    let image = corpus::image(example)?;
    let mut decider = corpus::decider(&image);
    let rival = cedar::Peer::new()?;
    let (mut prepared_worst, mut whole_worst) = (f64::INFINITY, f64::INFINITY);
    let mut rows = HEAD.to_owned();
    for (name, body) in &example.requests {
        let granted = corpus::decide(&mut decider, &image, body)?.granted;
        let document = realised(&mut decider, &image, body)?;
        let whole = |document: &str| {
            let prepared = rival.prepare(document)?;
            Ok::<bool, String>(rival.decide(&prepared))
        };
        if whole(&document)? != granted {
            return Err(format!(
                "{}/{name}: gavel and Cedar decide differently",
                example.name
            ));
        }
        let prepared = rival.prepare(&document)?;
        let mut ours = || {
            black_box(corpus::decide(&mut decider, &image, black_box(body)).map(|d| d.granted)).ok();
        };
        let times = pair(effort.rounds, effort.round_ns, &mut ours, || {
            black_box(rival.decide(black_box(&prepared)));
        });
        rows.push_str(&row(&format!("{name}, request and entities prepared"), &times));
        prepared_worst = prepared_worst.min(times.ratio);
        let times = pair(effort.rounds, effort.round_ns, &mut ours, || {
            black_box(whole(black_box(&document))).ok();
        });
        rows.push_str(&row(&format!("{name}, from JSON"), &times));
        whole_worst = whole_worst.min(times.ratio);
    }
    report.table("Against Cedar, the clinic", rows);
    report.figure("decision.cedar_prepared_over_gavel.worst_request", prepared_worst);
    report.figure("decision.cedar_over_gavel.worst_request", whole_worst);
    Ok(())
}

/// Measured apart from this report, since one build has one set of features; `benches/README.md` says how.
const FEATURES: &str = "regorus reads JSON with features of serde_json that gavel asks for and it does not: 3.4 % of its whole time on saas, 2.0 % or less elsewhere, when that was measured with regorus 0.14.1; the figures \"parsed\" leave its parsing out";

const HEAD: &str = "| request | gavel, ns | peer, ns | ratio |\n|---|---|---|---|\n";

fn row(name: &str, times: &Pair) -> String {
    format!(
        "| {name} | {:.0} | {:.0} | {:.1} |\n",
        times.first_ns, times.second_ns, times.ratio
    )
}
