//! One thread publishes, another one decides, and the audit thread is well or stuck.
#![allow(clippy::unwrap_used, reason = "a failed test panics")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::thread;

use gavel_compiler::policies;
use gavel_compiler::source::SourceMap;
use gavel_runtime::decision::{Decider, RecordOptions};
use gavel_runtime::image::Image;
use gavel_runtime::limits::Limits;

use super::archive::Recorder;
use super::publisher::Publisher;
use super::revision::{Fresh, Revision};
use crate::audit::Render as _;
use crate::limits;

fn image() -> Arc<Image> {
    let text = r#"{"apiVersion": "iamlite.manetu.io/v1beta1", "kind": "PolicyDomain", "metadata": {"name": "lamp"}, "spec": {}}"#;
    let mut sources = SourceMap::default();
    let file = sources.add_file("lamp.yml", text);
    let compiled = policies::compile(&mut sources, &[file], &policies::Options::default());
    Arc::new(compiled.unwrap().image)
}

fn fresh(image: &Arc<Image>) -> Fresh {
    Fresh {
        image: Arc::clone(image),
        digest: [0; 32],
        label: None,
        lens: None,
        documents: None,
        tracing: None,
        records: RecordOptions::default(),
        is_recorded: true,
    }
}

/// What one core has.
struct Core {
    revision: Arc<Revision>,
    decider: Decider,
}

impl Core {
    fn new(publisher: &Publisher) -> Core {
        let revision = publisher.current();
        let decider = Decider::new(revision.image(), &Limits::DEFAULT);
        Core { revision, decider }
    }

    /// As before a request.
    fn refresh(&mut self, publisher: &Publisher) {
        let post = publisher.posts().first().unwrap();
        if post.has_news(self.revision.number) {
            post.exchange(&mut self.revision, &mut self.decider);
        }
    }
}

/// Also while the one behind it is being published.
#[test]
fn what_was_published_decides_from_then_on() {
    let image = image();
    let publisher = Publisher::new(fresh(&image), 1);
    let published = AtomicU64::new(1);
    let mut core = Core::new(&publisher);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut recorder = Recorder::new(Arc::clone(publisher.archive()));
            for _ in 0..20_000 {
                let number = publisher.publish(fresh(&image)).number;
                published.store(number, Ordering::SeqCst);
                recorder.begin_pass();
                recorder.end_pass();
            }
            published.store(u64::MAX, Ordering::SeqCst);
        });
        loop {
            let least = published.load(Ordering::SeqCst);
            core.refresh(&publisher);
            if least == u64::MAX {
                break;
            }
            assert!(
                core.revision.number >= least,
                "{} after {least}",
                core.revision.number
            );
        }
    });
    assert_eq!(core.revision.number, 20_001);
    publisher.tidy();
    // The core's, the publisher's, and the archive's.
    assert_eq!(Arc::strong_count(&core.revision), 3);
}

/// The audit thread hangs in a write: some revisions are kept for it, and records of no other one are taken until it is back.
#[test]
fn an_outage_keeps_a_bounded_number_of_revisions() {
    let image = image();
    let publisher = Publisher::new(fresh(&image), 1);
    let mut recorder = Recorder::new(Arc::clone(publisher.archive()));
    let mut core = Core::new(&publisher);
    let mut all: Vec<Weak<Revision>> = vec![Arc::downgrade(&core.revision)];
    recorder.begin_pass();
    let mut taken = Vec::new();
    for _ in 0..limits::AUDIT_REVISIONS_MAX + 4 {
        all.push(Arc::downgrade(&publisher.publish(fresh(&image))));
        core.refresh(&publisher);
        taken.push(core.revision.is_kept());
    }
    publisher.tidy();
    // Number 10 is the first one that finds so many which are kept for records alone.
    let want: Vec<bool> = (1..=taken.len())
        .map(|at| at <= limits::AUDIT_REVISIONS_MAX)
        .collect();
    assert_eq!(taken, want);
    let living = |all: &[Weak<Revision>]| all.iter().filter(|one| one.strong_count() > 0).count();
    assert_eq!(living(&all), limits::AUDIT_REVISIONS_MAX + 2);
    assert_eq!(publisher.archive().count(), limits::AUDIT_REVISIONS_MAX + 2);
    // This pass began when all of them were in use.
    recorder.end_pass();
    assert!(!core.revision.is_kept());
    recorder.begin_pass();
    recorder.end_pass();
    assert!(core.revision.is_kept());
    assert_eq!(living(&all), 1);
}
