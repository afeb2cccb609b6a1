//! Criterion benches of the single stages, on the corpus. `benches/README.md` says what each name means.
#![expect(
    clippy::unwrap_used,
    reason = "a bench that cannot set up has nothing to measure"
)]

use bumpalo::Bump;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use gavel_benches::corpus::{self, Example};
use gavel_benches::synthetic::{self, Crossing};
use gavel_compiler::parse::{ParseOptions, parse_module};
use gavel_compiler::source::{FileId, SourceMap};
use gavel_compiler::{domain, lexer};
use gavel_runtime::arena::Arena;
use gavel_runtime::bytecode::verify;
use gavel_runtime::input::Trailing;
use gavel_runtime::json;
use gavel_runtime::limits::Limits;
use gavel_runtime::vm::Vm;
use std::hint::black_box;
use std::time::Duration;

/// All Rego of a domain: the sources, and which of them are modules.
fn modules(example: &Example) -> (SourceMap, Vec<FileId>) {
    let text = std::fs::read_to_string(&example.domain).unwrap();
    let mut sources = SourceMap::default();
    let file = sources.add_file("domain", &text);
    let set = domain::load(&mut sources, &[file]).unwrap();
    let libraries = set.libraries.iter().map(|library| library.rego);
    let policies = set.policies.iter().map(|policy| policy.rego);
    let modules = libraries.chain(policies).collect();
    (sources, modules)
}

fn tokens(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tokens");
    for example in corpus::examples().unwrap() {
        let (sources, modules) = modules(&example);
        let texts: Vec<&str> = modules.iter().map(|file| &*sources.source(*file).text).collect();
        group.throughput(Throughput::Bytes(
            texts.iter().map(|text| text.len() as u64).sum(),
        ));
        group.bench_function(&example.name, |bencher| {
            bencher.iter(|| {
                for text in &texts {
                    black_box(lexer::lex(black_box(text)));
                }
            });
        });
    }
    group.finish();
}

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    for example in corpus::examples().unwrap() {
        let (sources, modules) = modules(&example);
        let bytes = modules.iter().map(|file| sources.source(*file).text.len() as u64);
        group.throughput(Throughput::Bytes(bytes.sum()));
        let mut bump = Bump::new();
        group.bench_function(&example.name, |bencher| {
            bencher.iter(|| {
                bump.reset();
                for file in &modules {
                    black_box(parse_module(&bump, &sources, *file, ParseOptions::default()).is_ok());
                }
            });
        });
    }
    group.finish();
}

fn compile(criterion: &mut Criterion) {
    for example in corpus::examples().unwrap() {
        criterion.bench_function(&format!("compile/{}", example.name), |bencher| {
            bencher.iter(|| corpus::image(black_box(&example)).unwrap());
        });
    }
}

fn verified(criterion: &mut Criterion) {
    for example in corpus::examples().unwrap() {
        let text = std::fs::read_to_string(&example.domain).unwrap();
        let program = corpus::parts_of(&example.name, &text).unwrap().program;
        criterion.bench_function(&format!("verify/{}", example.name), |bencher| {
            bencher.iter_batched(
                || program.clone(),
                |program| verify(program).unwrap(),
                BatchSize::SmallInput,
            );
        });
    }
}

/// How compilation grows with the domain: ten times the policies should take ten times as long.
fn growth(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compile/policies");
    group.sample_size(10);
    for policies in [100, 1_000, 10_000] {
        let text = synthetic::domain(policies, 1);
        group.throughput(Throughput::Elements(policies as u64));
        group.bench_function(policies.to_string(), |bencher| {
            bencher.iter(|| corpus::image_of("large.yml", black_box(&text)).unwrap());
        });
    }
    group.finish();
}

/// How compilation grows where libraries need each other and where selectors are many.
fn shapes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compile/shapes");
    group.sample_size(10);
    let mut one = |name: String, text: String| {
        group.bench_function(name, |bencher| {
            bencher.iter(|| corpus::image_of("large.yml", black_box(&text)).unwrap());
        });
    };
    for count in [250, 500, 1_000] {
        one(
            format!("apart-{count}"),
            synthetic::crossing(count, Crossing::Apart),
        );
        one(
            format!("tree-{count}"),
            synthetic::crossing(count, Crossing::Tree),
        );
    }
    for count in [100, 200, 400] {
        one(
            format!("chain-{count}"),
            synthetic::crossing(count, Crossing::Chain),
        );
    }
    for count in [1_250, 2_500, 5_000] {
        one(format!("selectors-{count}"), synthetic::selectors(count));
    }
    group.finish();
}

/// A body as a document: every value is built.
fn json(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("json");
    let mut arena = Arena::new(1 << 20, 1 << 24);
    for example in corpus::examples().unwrap() {
        for (name, body) in &example.requests {
            group.throughput(Throughput::Bytes(body.len() as u64));
            group.bench_function(format!("{}/{name}", example.name), |bencher| {
                bencher.iter(|| {
                    arena.reset();
                    black_box(json::parse(&arena, black_box(body), json::Numbers::ByValue).is_ok())
                });
            });
        }
    }
    group.finish();
}

/// A body as a request: what no policy reads is skipped.
fn slots(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("slots");
    let mut vm = Vm::new(&Limits::DEFAULT);
    let env = corpus::env();
    for example in corpus::examples().unwrap() {
        let image = corpus::image(&example).unwrap();
        for (name, body) in &example.requests {
            group.throughput(Throughput::Bytes(body.len() as u64));
            group.bench_function(format!("{}/{name}", example.name), |bencher| {
                bencher.iter(|| {
                    let mut request = vm.request(image.program(), &env);
                    request.read_porc(black_box(body), Trailing::Ignore).unwrap();
                });
            });
        }
    }
    group.finish();
}

/// The four phases by the decision's own clock, over all requests of a domain.
fn phases(criterion: &mut Criterion) {
    for example in corpus::examples().unwrap() {
        let image = corpus::image(&example).unwrap();
        let mut decider = corpus::decider(&image);
        for (at, phase) in ["operation", "identity", "resource", "scope"].iter().enumerate() {
            criterion.bench_function(&format!("phase/{}/{phase}", example.name), |bencher| {
                bencher.iter_custom(|rounds| {
                    let mut spent_ns = 0;
                    for _ in 0..rounds {
                        for (_, body) in &example.requests {
                            let decision = corpus::decide(&mut decider, &image, black_box(body)).unwrap();
                            spent_ns += decision
                                .phases_ns
                                .and_then(|phases| phases.get(at).copied())
                                .unwrap_or(0);
                        }
                    }
                    Duration::from_nanos(spent_ns / example.requests.len() as u64)
                });
            });
        }
    }
}

fn decide(criterion: &mut Criterion) {
    for example in corpus::examples().unwrap() {
        let image = corpus::image(&example).unwrap();
        let mut decider = corpus::decider(&image);
        for (name, body) in &example.requests {
            criterion.bench_function(&format!("decide/{}/{name}", example.name), |bencher| {
                bencher.iter(|| {
                    corpus::decide(&mut decider, &image, black_box(body))
                        .unwrap()
                        .granted
                });
            });
        }
    }
}

/// The access record of a domain's first request: what the deciding thread notes (`frame`), and the line that the audit
/// thread makes of it (`record`).
fn record(criterion: &mut Criterion) {
    use gavel_runtime::decision::{RecordOptions, Stamp, write_json};
    for example in corpus::examples().unwrap() {
        let image = corpus::image(&example).unwrap();
        let mut decider = corpus::decider(&image);
        let Some((name, body)) = example.requests.first() else {
            continue;
        };
        let stamp = Stamp {
            wall_ns: 1_700_000_000_000_000_000,
            random: [7; 16],
        };
        let mut frame = Vec::new();
        let decision = corpus::decide(&mut decider, &image, body).unwrap();
        criterion.bench_function(&format!("frame/{}/{name}", example.name), |bencher| {
            bencher.iter(|| {
                frame.clear();
                decision.encode(black_box(body), stamp, &mut frame);
            });
        });
        let mut line = Vec::new();
        criterion.bench_function(&format!("record/{}/{name}", example.name), |bencher| {
            bencher.iter(|| {
                line.clear();
                write_json(
                    &image,
                    black_box(&frame),
                    &RecordOptions::default(),
                    &mut decider,
                    &mut line,
                )
            });
        });
    }
}

criterion_group!(
    stages, tokens, parse, compile, verified, growth, shapes, json, slots, phases, decide, record
);
criterion_main!(stages);
