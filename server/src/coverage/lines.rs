//! Counts and places → lines of files. A line counts if a statement begins there, or a rule or `else` whose statements can
//! hold; it is reached if one of them ran.

use std::collections::{BTreeMap, HashMap};

use gavel_compiler::places::{Place, PlaceKind};
use gavel_compiler::source::{FileId, Span};

use super::hits::{Hits, Key};
use crate::trace::Texts;

/// What was reached in one file.
#[derive(Debug)]
pub(crate) struct FileCoverage {
    /// As it was named on the command line.
    pub(crate) name: String,
    /// By row: which module stands there, and how often what begins there ran.
    pub(crate) lines: BTreeMap<u32, Line>,
}

/// One line that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// MRN of the policy or library; the file's own name for a `.rego` file.
    pub(crate) module: String,
    /// Times that what begins here ran, the largest of them.
    pub(crate) hits: u64,
}

/// What was reached in all files.
#[derive(Debug)]
pub(crate) struct Coverage {
    /// In the order of their names.
    pub(crate) files: Vec<FileCoverage>,
}

impl Coverage {
    /// Lays counts upon places. Both speak of the program behind `texts`.
    pub(crate) fn new(texts: Texts<'_>, places: &[Place], hits: &Hits) -> Coverage {
        let counts = Counts::new(texts, hits);
        let mut files: BTreeMap<String, BTreeMap<u32, Line>> = BTreeMap::new();
        for place in places {
            let on_disk = texts.sources.on_disk(place.span);
            let name = texts.sources.source(on_disk.file).name.to_string();
            let row = texts.sources.row(on_disk);
            let module = &texts.sources.source(place.span.file).name;
            let line = files.entry(name).or_default().entry(row).or_insert_with(|| Line {
                module: module.to_string(),
                hits: 0,
            });
            line.hits = line.hits.max(counts.of(place));
        }
        Coverage {
            files: files
                .into_iter()
                .map(|(name, lines)| FileCoverage { name, lines })
                .collect(),
        }
    }

    /// Lines that were reached in a hundred.
    pub(crate) fn percent(&self) -> f64 {
        percent(self.total())
    }

    /// Lines that were reached, and all lines.
    pub(crate) fn total(&self) -> (usize, usize) {
        self.files.iter().fold((0, 0), |(reached, all), file| {
            let (some, of) = file.total();
            (reached + some, all + of)
        })
    }
}

impl FileCoverage {
    /// Lines that were reached, and all lines.
    pub(crate) fn total(&self) -> (usize, usize) {
        count(self.lines.values())
    }
}

/// Lines that were reached, and all lines.
pub(crate) fn count<'l>(lines: impl Iterator<Item = &'l Line>) -> (usize, usize) {
    lines.fold((0, 0), |(reached, all), line| {
        (reached + usize::from(line.hits > 0), all + 1)
    })
}

/// So many in a hundred; all of nothing.
pub(crate) fn percent((reached, all): (usize, usize)) -> f64 {
    if all == 0 {
        return 100.0;
    }
    // Lines of files are far below 2^52.
    #[expect(clippy::cast_precision_loss, reason = "counts of lines")]
    let share = reached as f64 / all as f64;
    share * 100.0
}

/// Counts by span.
struct Counts {
    bodies: HashMap<Span, u64>,
    statements: HashMap<Span, u64>,
    failures: HashMap<FileId, Vec<(u32, u32, u64)>>,
}

impl Counts {
    fn new(texts: Texts<'_>, hits: &Hits) -> Counts {
        let by_span = |counts: &HashMap<Key, u64>| {
            let mut found: HashMap<Span, u64> = HashMap::new();
            for (key, count) in counts {
                if let Some(span) = span(texts, *key) {
                    let sum = found.entry(span).or_default();
                    *sum = sum.saturating_add(*count);
                }
            }
            found
        };
        let mut failures: HashMap<FileId, Vec<(u32, u32, u64)>> = HashMap::new();
        for (span, count) in by_span(&hits.failures) {
            failures
                .entry(span.file)
                .or_default()
                .push((span.start, span.end, count));
        }
        Counts {
            bodies: by_span(&hits.bodies),
            statements: by_span(&hits.statements),
            failures,
        }
    }

    fn of(&self, place: &Place) -> u64 {
        let of = |counts: &HashMap<Span, u64>| counts.get(&place.span).copied().unwrap_or(0);
        match place.kind {
            PlaceKind::Body => of(&self.bodies),
            PlaceKind::Statement => match of(&self.statements) {
                // What a statement needs is asked in front of it; where that fails, the statement has been asked.
                0 => self.failures_within(place.span),
                count => count,
            },
        }
    }

    fn failures_within(&self, span: Span) -> u64 {
        let within = |(start, end, _): &&(u32, u32, u64)| span.start <= *start && *end <= span.end;
        let failures = self.failures.get(&span.file);
        let counts = failures.into_iter().flatten().filter(within);
        counts.map(|(_, _, count)| *count).max().unwrap_or(0)
    }
}

fn span(texts: Texts<'_>, (source, start, end): Key) -> Option<Span> {
    let file = *texts.files.get(usize::try_from(source).ok()?)?;
    Some(Span { file, start, end })
}
