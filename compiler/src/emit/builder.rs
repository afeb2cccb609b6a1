//! Links the plans of several units into one program. Equal functions of different units become one, so that a library
//! rule used by forty policies has one place in the cache.

use super::encode::{Encoded, Linker, encode};
use super::pool::{Pools, Table};
use crate::diagnostic::{Code, Diagnostic};
use crate::opa_ast::parse_module;
use crate::plan::{FnRef, Function, K, Note, Plan, order, reachable};
use crate::source::{FileId, SourceMap, Span};
use gavel_runtime::bytecode::{Extent, FnId, FnInfo, FnKind, Line, Mark, MarkKind, RawProgram, Role, Sleep};
use std::collections::HashMap;

/// How a program is made.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmitOptions {
    /// Failing builtins abort instead of being undefined.
    pub strict_builtins: bool,
    /// The program will be traced: equal functions of different texts stay apart, so that each is shown where it stands.
    pub trace: bool,
    /// Waits for `test.sleep`.
    pub sleep: Option<Sleep>,
}

/// Where a unit's documents and queries are.
#[derive(Clone, Debug, Default)]
pub struct UnitEntries {
    /// Path behind `data`, and the function that yields the document there.
    pub entries: Vec<(Vec<String>, FnId)>,
    /// In the order of the request.
    pub queries: Vec<FnId>,
}

impl UnitEntries {
    /// The function of a path that was asked for.
    #[must_use]
    pub fn find(&self, path: &[&str]) -> Option<FnId> {
        self.entries
            .iter()
            .find(|(entry, _)| entry.iter().map(String::as_str).eq(path.iter().copied()))
            .map(|(_, id)| *id)
    }
}

/// A program in the making.
#[derive(Debug)]
pub struct ProgramBuilder {
    program: RawProgram,
    pools: Pools,
    base: Option<K>,
    sources: Table<FileId>,
    source_names: Vec<String>,
    same: HashMap<Shape, u32>,
    trace: bool,
}

/// What makes two functions the same. The name is part of it: `with` replaces a rule by its number.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Shape {
    name: String,
    kind: FnKind,
    params: u32,
    frame: u16,
    words: Vec<u64>,
    /// What a trace would show; empty where nothing is traced.
    shown: Vec<Span>,
}

impl ProgramBuilder {
    /// An empty program.
    #[must_use]
    pub fn new(options: EmitOptions) -> ProgramBuilder {
        ProgramBuilder {
            program: RawProgram {
                strict_builtins: options.strict_builtins,
                sleep: options.sleep,
                parse_module: Some(parse_module),
                ..RawProgram::default()
            },
            pools: Pools::new(),
            base: None,
            sources: Table::new(Vec::new()),
            source_names: Vec::new(),
            same: HashMap::new(),
            trace: options.trace,
        }
    }

    /// Adds the functions of a unit.
    ///
    /// # Errors
    /// A function beyond the limits of the word layout; a second unit with another base document that is read at run
    /// time.
    pub fn add_unit(&mut self, plan: &Plan, sources: &SourceMap) -> Result<UnitEntries, Diagnostic> {
        if plan.reads_base {
            match (&self.base, &plan.base) {
                (Some(first), Some(other)) if first != other => {
                    return Err(Diagnostic::global(
                        Code::Limit,
                        "two policies with different base documents cannot share a program",
                    ));
                }
                (_, Some(base)) => self.base = Some(K::clone(base)),
                (_, None) => {}
            }
        }
        let Ok(order) = order(plan) else {
            return Err(Diagnostic::global(
                Code::RegoRecursion,
                "a plan that calls itself",
            ));
        };
        let names: Vec<String> = plan
            .functions
            .iter()
            .map(|function| format!("{}/{}", function.name, function.params))
            .collect();
        let mut numbers: HashMap<FnRef, u32> = HashMap::new();
        let mut forward: Vec<(u32, FnRef)> = Vec::new();
        let reached = reachable(plan);
        for at in order {
            let Some(function) = plan.functions.get(at).filter(|_| reached.get(at) == Some(&true)) else {
                continue;
            };
            let mut linker = Linker {
                pools: &mut self.pools,
                numbers: &numbers,
                names: &names,
                functions: &plan.functions,
            };
            let encoded = encode(function, &mut linker)?;
            let number = self.place(function, encoded, sources, &mut forward);
            numbers.insert(FnRef(at), number);
        }
        for (word, func) in forward {
            let number = numbers.get(&func).copied().unwrap_or(u32::MAX);
            if let Some(word) = self.program.code.get_mut(word as usize) {
                *word = (*word & 0xffff_ffff) | u64::from(number) << 32;
            }
        }
        // Labels and constants are numbers of 24 bits.
        if self.program.code.len() >= WORDS_MAX || self.pools.constant_count() >= WORDS_MAX {
            return Err(Diagnostic::global(
                Code::Limit,
                "the program is larger than 16,777,216 words",
            ));
        }
        let id = |func: &FnRef| FnId(numbers.get(func).copied().unwrap_or(u32::MAX));
        Ok(UnitEntries {
            entries: plan
                .entries
                .iter()
                .map(|(path, func)| (path.clone(), id(func)))
                .collect(),
            queries: plan.queries.iter().map(id).collect(),
        })
    }

    /// The texts that the program's sources are, by their numbers.
    #[must_use]
    pub fn files(&self) -> Vec<FileId> {
        self.sources.items().to_vec()
    }

    /// The program.
    #[must_use]
    pub fn finish(mut self) -> RawProgram {
        self.program.constants = self.pools.take_constants();
        self.program.slots = self.pools.slots.into_items();
        self.program.prepared = self.pools.prepared.into_items();
        self.program.mocks = u16::try_from(self.pools.mocks.len()).unwrap_or(u16::MAX);
        self.program.base = self
            .base
            .map(|base| K::try_unwrap(base).unwrap_or_else(|shared| (*shared).clone()));
        self.program.sources = self.source_names;
        self.program
    }

    /// Appends a function, or finds the one that is the same.
    fn place(
        &mut self,
        function: &Function,
        encoded: Encoded,
        sources: &SourceMap,
        forward: &mut Vec<(u32, FnRef)>,
    ) -> u32 {
        let next = u32::try_from(self.program.functions.len()).unwrap_or(u32::MAX);
        let is_fixed = encoded.forward.is_empty();
        if is_fixed {
            let shape = Shape {
                name: function.name.clone(),
                kind: function.kind,
                params: function.params,
                frame: encoded.frame,
                words: words(&encoded, 0).collect(),
                shown: if self.trace {
                    shown(function, &encoded)
                } else {
                    Vec::new()
                },
            };
            let number = *self.same.entry(shape).or_insert(next);
            if number != next {
                return number;
            }
        }
        let entry = u32::try_from(self.program.code.len()).unwrap_or(u32::MAX);
        let mut at = entry;
        let mut unknown = encoded.forward.iter().peekable();
        for (index, op) in encoded.ops.iter().enumerate() {
            if let Some((_, func)) = unknown.next_if(|(op, _)| *op == index) {
                forward.push((at + 1, *func));
            }
            at += u32::try_from(op.len_words()).unwrap_or(2);
        }
        self.program.code.extend(words(&encoded, entry));
        self.program.functions.push(FnInfo {
            name: function.name.clone(),
            kind: function.kind,
            entry,
            end: u32::try_from(self.program.code.len()).unwrap_or(u32::MAX),
            params: u16::try_from(function.params).unwrap_or(u16::MAX),
            regs: encoded.frame,
        });
        for (pc, span) in encoded.spans {
            let row = sources.row(span);
            let source = self.source(sources, span.file);
            let line = Line {
                pc: entry + pc,
                source,
                row,
            };
            match self.program.lines.last() {
                Some(last) if last.source == line.source && last.row == line.row => {}
                _ => self.program.lines.push(line),
            }
        }
        for (pc, note, reg) in encoded.notes {
            let mark = Mark {
                pc: entry + pc,
                what: self.mark(sources, note, reg),
            };
            self.program.marks.push(mark);
        }
        next
    }

    fn mark(&mut self, sources: &SourceMap, note: Note, reg: u16) -> MarkKind {
        let mut extent = |span: Span| Extent {
            source: self.source(sources, span.file),
            start: span.start,
            end: span.end,
        };
        match note {
            Note::Body(span) => MarkKind::Body(extent(span)),
            Note::Stmt(span) => MarkKind::Stmt(extent(span)),
            Note::Asks(span) => MarkKind::Asks(extent(span)),
            Note::Rest => MarkKind::Rest,
            Note::Yields(span) => MarkKind::Yields(extent(span)),
            Note::Fails(span, undefined) => MarkKind::Fails(extent(span), undefined),
            Note::Holds(span) => MarkKind::Holds(extent(span)),
            Note::Bound { name, .. } => MarkKind::Bound { name, reg },
        }
    }

    fn source(&mut self, sources: &SourceMap, file: FileId) -> u32 {
        let at = self.sources.at(&file);
        if at as usize == self.source_names.len() {
            self.source_names.push(sources.source(file).name.to_string());
        }
        at
    }
}

/// Every place that a trace of the function may name.
fn shown(function: &Function, encoded: &Encoded) -> Vec<Span> {
    let of_note = |note: &Note| match note {
        Note::Body(span)
        | Note::Yields(span)
        | Note::Stmt(span)
        | Note::Asks(span)
        | Note::Fails(span, _)
        | Note::Holds(span) => Some(*span),
        Note::Rest | Note::Bound { .. } => None,
    };
    let notes = encoded.notes.iter().filter_map(|(_, note, _)| of_note(note));
    function.span.into_iter().chain(notes).collect()
}

/// What fits the label operand of an op.
const WORDS_MAX: usize = 1 << 24;

/// The words of a function placed at a word.
fn words(encoded: &Encoded, entry: u32) -> impl Iterator<Item = u64> + '_ {
    encoded.ops.iter().flat_map(move |op| {
        let mut op = *op;
        let [_, _, c, ..] = op.op.shape().roles;
        if c == Role::Label {
            op.c += entry;
        }
        let high = op.op.shape().is_wide().then(|| op.high_word());
        std::iter::once(op.low_word()).chain(high)
    })
}
