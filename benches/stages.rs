//! Criterion benches of the single stages, on the examples.
#![expect(
    clippy::unwrap_used,
    reason = "a bench that cannot set up has nothing to measure"
)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gavel_benches::corpus;
use gavel_benches::synthetic::{self, Crossing};
use std::hint::black_box;

fn compile(criterion: &mut Criterion) {
    for example in corpus::examples().unwrap() {
        criterion.bench_function(&format!("compile/{}", example.name), |bencher| {
            bencher.iter(|| corpus::image(black_box(&example)).unwrap());
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
        corpus::decide(&mut decider, &image, body)
            .unwrap()
            .encode(body, stamp, &mut frame);
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

criterion_group!(stages, compile, growth, shapes, decide, record);
criterion_main!(stages);
