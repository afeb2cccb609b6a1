//! gavel against the same rules written by hand in Rust: how many times as long a decision takes, and on what.

use crate::corpus::{self, Example};
use crate::measure::{Pair, bests, one};
use crate::native::Native;
use gavel_runtime::image::Image;
use gavel_runtime::input::Trailing;
use std::hint::black_box;

/// ns of one decision, the mean over all requests of a domain, which take turns, by what they go into.
#[derive(Clone, Copy, Debug, Default)]
struct Shares {
    /// The rival: reading the body into the fields that its rules name.
    native_reading: f64,
    /// The rival, all of it.
    native: f64,
    /// gavel: reading the body into the slots of all policies.
    reading: f64,
    /// gavel: each phase, with the reading of the clock at its end.
    phases: [f64; 4],
    /// gavel: what all readings of the clock cost together; parts of the others.
    clock: f64,
    /// gavel, all of it.
    whole: f64,
}

impl Shares {
    /// gavel: operation, resource and annotations are looked up and put together, the outcome is noted for a record.
    fn facts(&self) -> f64 {
        self.whole - self.reading - self.phases.iter().sum::<f64>()
    }
}

/// Both rivals on all requests.
#[derive(Debug)]
pub struct Comparison {
    /// Domain and request, and the times: first the rules by hand, then gavel.
    pub requests: Vec<(String, Pair)>,
    /// gavel's time over that of the rules by hand, each domain's requests together, each of them over and over.
    pub domains: Vec<f64>,
    /// The same, a domain's requests in turns: nothing that was learnt of one request holds for the next.
    pub rotated: Vec<f64>,
    /// What the times are made of, in Markdown, a row for each domain.
    pub table: String,
}

/// Times every request on both, interleaved, after comparing their answers.
///
/// # Errors
/// A domain that does not compile or has no rules by hand; answers that differ.
pub fn compare(examples: &[Example], rounds: usize, round_ns: u64) -> Result<Comparison, String> {
    let mut all = Comparison {
        requests: Vec::new(),
        domains: Vec::new(),
        rotated: Vec::new(),
        table: HEAD.to_owned(),
    };
    for example in examples {
        let image = corpus::image(example)?;
        let (mut ours, mut theirs) = (0.0, 0.0);
        for (name, body) in &example.requests {
            let times = request(example, &image, name, body, rounds, round_ns)?;
            theirs += times.first_ns;
            ours += times.second_ns;
            all.requests.push((format!("{}/{name}", example.name), times));
        }
        all.domains.push(ours / theirs);
        let shares = shares(example, &image, rounds, round_ns)?;
        all.rotated.push(shares.whole / shares.native);
        all.table.push_str(&row(&example.name, &shares));
    }
    Ok(all)
}

/// One request on both.
fn request(
    example: &Example,
    image: &Image,
    name: &str,
    body: &[u8],
    rounds: usize,
    round_ns: u64,
) -> Result<Pair, String> {
    let mut decider = corpus::decider(image);
    let mut native = Native::new(&example.name)?;
    if native.decide(body)? != corpus::decide(&mut decider, image, body)?.granted {
        return Err(format!(
            "{}/{name}: gavel and the rules by hand decide differently",
            example.name
        ));
    }
    Ok(bests(
        rounds,
        round_ns,
        || {
            black_box(native.decide(black_box(body))).ok();
        },
        || {
            black_box(corpus::decide(&mut decider, image, black_box(body)).map(|d| d.granted)).ok();
        },
    ))
}

const HEAD: &str = "\
    | ns of a decision | by hand | reading | rules | gavel | reading | facts | operation | identity | resource | scope | clock, in these |\n\
    |---|---|---|---|---|---|---|---|---|---|---|---|\n";

fn row(name: &str, shares: &Shares) -> String {
    let [operation, identity, resource, scope] = shares.phases;
    let cells = [
        shares.native,
        shares.native_reading,
        shares.native - shares.native_reading,
        shares.whole,
        shares.reading,
        shares.facts(),
        operation,
        identity,
        resource,
        scope,
        shares.clock,
    ];
    let cells: Vec<String> = cells.iter().map(|cell| format!("{cell:.0}")).collect();
    format!("| {name} | {} |\n", cells.join(" | "))
}

/// What a decision's time goes into, over all requests of a domain.
fn shares(example: &Example, image: &Image, rounds: usize, round_ns: u64) -> Result<Shares, String> {
    let bodies: Vec<&[u8]> = example.requests.iter().map(|(_, body)| body.as_slice()).collect();
    let count = bodies.len().max(1) as f64;
    let each = |run: &mut dyn FnMut(&[u8])| {
        one(rounds, round_ns, || {
            bodies.iter().for_each(|body| run(black_box(body)))
        }) / count
    };
    let mut native = Native::new(&example.name)?;
    let mut decider = corpus::decider(image);
    let env = corpus::env();
    let native_reading = each(&mut |body| {
        black_box(native.read(body)).ok();
    });
    let reading = each(&mut |body| {
        black_box(decider.read(image, body, Trailing::Ignore, &env)).ok();
    });
    let both = bests(
        rounds,
        round_ns,
        || {
            for body in &bodies {
                black_box(native.decide(black_box(body))).ok();
            }
        },
        || {
            for body in &bodies {
                black_box(corpus::decide(&mut decider, image, black_box(body)).map(|d| d.granted)).ok();
            }
        },
    );
    let mut shares = Shares {
        native_reading,
        native: both.first_ns / count,
        reading,
        whole: both.second_ns / count,
        ..Shares::default()
    };
    let without_clock = each(&mut |body| {
        let decision = decider.decide(image, body, Trailing::Ignore, &corpus::TIMELESS);
        black_box(decision.map(|decision| decision.granted)).ok();
    });
    shares.clock = shares.whole - without_clock;
    shares.phases = phases(
        image,
        &bodies,
        (rounds as u64 * round_ns) as f64 / shares.whole.max(1.0),
    )?;
    Ok(shares)
}

/// ns of each phase by the decisions' own clock: of each request the best time, the mean over the requests.
fn phases(image: &Image, bodies: &[&[u8]], decisions: f64) -> Result<[f64; 4], String> {
    let mut decider = corpus::decider(image);
    let rounds = (decisions / bodies.len().max(1) as f64).max(1.0) as u64;
    let mut sums = [0_u64; 4];
    for body in bodies {
        let mut bests = [u64::MAX; 4];
        for _ in 0..rounds {
            let times = corpus::decide(&mut decider, image, body)?
                .phases_ns
                .unwrap_or_default();
            for (best, time) in bests.iter_mut().zip(times) {
                *best = time.min(*best);
            }
        }
        for (sum, best) in sums.iter_mut().zip(bests) {
            *sum += best;
        }
    }
    Ok(sums.map(|sum| sum as f64 / bodies.len().max(1) as f64))
}
