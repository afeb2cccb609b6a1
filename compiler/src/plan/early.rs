//! Which statements of a rule's body run first: cheap questions to the input that cannot raise an error.
//!
//! OPA asks them before it evaluates a rule at all, through its rule index: a body whose question fails is never
//! entered, so that a conflict in front of the question is not raised. It is also the fastest order.

use super::body::{Body, Env};
use crate::hir::{Block, Callee, Ref, RefHead, Stmt, StmtKind, Term, VarId};
use crate::source::Span;
use gavel_runtime::value::Constant;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// The statements of a body by when they run.
#[derive(Debug, Default)]
pub(super) struct Order<'b> {
    /// Cheap questions and what they need.
    pub early: Vec<&'b Stmt>,
    /// Several questions to one document, behind something that may abort: to OPA's index they are alternatives, so that
    /// the body is entered when one of them holds. They are late, too. So is what asks for a document some member of which
    /// is asked for.
    pub contested: Vec<Vec<&'b Stmt>>,
    /// All others, as written.
    pub late: Vec<&'b Stmt>,
    /// Documents that are asked.
    asked: BTreeSet<String>,
}

/// What a term is known to stand for.
#[derive(Clone, Copy, Debug)]
enum Source<'b> {
    /// A part of the input or of a base document.
    Document,
    /// A function's argument.
    Argument,
    /// A constant.
    Constant(&'b Constant),
    /// Something that takes work.
    Other,
}

impl Source<'_> {
    /// Whether it is a value that OPA's index can look at.
    fn is_asked(self) -> bool {
        matches!(self, Source::Document | Source::Argument)
    }
}

impl Body<'_, '_> {
    /// The statements of a rule's body in the order in which they are planned.
    ///
    /// `args`: variables that have values are a function's arguments, which can be asked like documents.
    pub(super) fn early_first<'b>(&mut self, block: &'b Block, args: bool) -> Order<'b> {
        let mut sources: HashMap<VarId, Source<'b>> = HashMap::new();
        for (var, _) in self.env.since(&Env::default()) {
            sources.insert(var, if args { Source::Argument } else { Source::Other });
        }
        let mut names: HashMap<VarId, String> = HashMap::new();
        let mut order = Order::default();
        let mut asked: Vec<(String, &'b Stmt)> = Vec::new();
        // Documents that are asked behind something that may abort.
        let mut behind: HashSet<String> = HashSet::new();
        let mut raises = false;
        for stmt in &block.stmts {
            let asks_shape = raises && self.asks_shape(stmt, &mut sources);
            if !asks_shape && !self.is_early(stmt, &mut sources) {
                note_bound(stmt, &mut sources);
                raises = raises || self.raises(stmt);
                order.late.push(stmt);
                continue;
            }
            match self.asked(stmt, &sources, &mut names) {
                Some(document) => {
                    if raises {
                        behind.insert(document.clone());
                    }
                    asked.push((document, stmt));
                }
                None => order.early.push(stmt),
            }
        }
        order.asked = asked.iter().map(|(document, _)| document.clone()).collect();
        let of_members = self.asked_members(block);
        let mut contested: BTreeMap<String, Vec<&'b Stmt>> = BTreeMap::new();
        for (document, stmt) in &asked {
            let questions = asked.iter().filter(|(other, _)| other == document).count();
            let is_behind = behind.contains(document);
            if is_behind && of_members.contains(document) {
                // To OPA's index the value and its members are alternatives, too: better an error too many.
                continue;
            }
            if is_behind && questions > 1 {
                contested.entry(document.clone()).or_default().push(stmt);
            } else {
                order.early.push(stmt);
            }
        }
        if asked.iter().any(|(document, _)| behind.contains(document)) {
            let is_early = |stmt: &Stmt| order.early.iter().any(|early| std::ptr::eq(*early, stmt));
            order.late = block.stmts.iter().filter(|stmt| !is_early(stmt)).collect();
            order.contested = contested.into_values().map(one_affix_end).collect();
        }
        order
    }

    /// The document that an early statement asks for a value; `None`: it only reads one. `names`: what variables stand for.
    fn asked(
        &self,
        stmt: &Stmt,
        sources: &HashMap<VarId, Source<'_>>,
        names: &mut HashMap<VarId, String>,
    ) -> Option<String> {
        let terms: Vec<&Term> = match &stmt.kind {
            StmtKind::Unify { left, right, .. } => vec![left, right],
            StmtKind::Call { args, .. } => args.iter().collect(),
            _ => return None,
        };
        let document = |term: &Term| match term {
            Term::Ref(r) => Some(name_of(r)),
            Term::Var(var) if sources.get(var).is_some_and(|source| source.is_asked()) => {
                Some(names.get(var).cloned().unwrap_or_else(|| format!("{var:?}")))
            }
            _ => None,
        };
        // A variable that is given a value here has no name of its own.
        let named = terms.iter().filter(|term| matches!(term, Term::Ref(_)));
        let name = named.chain(&terms).find_map(|term| document(term));
        let is_question = terms.iter().any(|term| match term {
            Term::Const(_) | Term::Array(_) => true,
            Term::Var(var) => matches!(sources.get(var), Some(Source::Constant(_))),
            _ => false,
        });
        if is_question {
            return name;
        }
        for term in terms {
            if let (Term::Var(var), Some(name)) = (term, &name) {
                names.entry(*var).or_insert_with(|| name.clone());
            }
        }
        None
    }

    /// Documents that must be defined for the late statements, and where those stand; unless `all` are wanted, in so far as
    /// something stands in front of them.
    pub(super) fn wanted<'b>(&self, stmts: &[&'b Stmt], all: bool) -> Vec<(&'b Ref, Span)> {
        let behind = stmts.iter().skip_while(|stmt| !all && self.needs(stmt).is_some());
        behind
            .filter_map(|stmt| Some((self.needs(stmt)?, stmt.span)))
            .collect()
    }

    /// Documents that must have some member for the late statements, in so far as what stands in front of them may abort.
    pub(super) fn wanted_members<'b>(&mut self, order: &Order<'b>) -> Vec<(Ref, &'b Constant, Span)> {
        let mut found = Vec::new();
        let mut raises = false;
        for stmt in &order.late {
            if raises && let Some((document, member)) = self.asked_member(stmt) {
                found.push((document, member, stmt.span));
            }
            raises = raises || self.raises(stmt);
        }
        // Several questions to one document are alternatives for OPA: better an error too many.
        let mut names: Vec<String> = order.asked.iter().cloned().collect();
        names.extend(found.iter().map(|(document, ..)| name_of(document)));
        found.retain(|(document, ..)| names.iter().filter(|other| **other == name_of(document)).count() == 1);
        found
    }

    /// The documents some element of which is asked for a value.
    fn asked_members(&self, block: &Block) -> BTreeSet<String> {
        let stmts = block.stmts.iter();
        stmts
            .filter_map(|stmt| self.asked_member(stmt))
            .map(|(document, _)| name_of(&document))
            .collect()
    }

    /// The document some element of which a statement asks for a value, and the value: `input.xs[_] == "a"`.
    fn asked_member<'b>(&self, stmt: &'b Stmt) -> Option<(Ref, &'b Constant)> {
        let StmtKind::Unify { left, right, .. } = &stmt.kind else {
            return None;
        };
        let (r, member): (&Ref, _) = match (left, right) {
            (Term::Ref(r), Term::Const(value)) | (Term::Const(value), Term::Ref(r)) => (r, value),
            _ => return None,
        };
        let (element, path) = r.path.split_last()?;
        self.unbound(element)?;
        let document = Ref {
            path: path.to_vec(),
            ..r.clone()
        };
        (is_scalar(member) && self.is_document(&document)).then_some((document, member))
    }

    /// The document without which a statement fails.
    fn needs<'b>(&self, stmt: &'b Stmt) -> Option<&'b Ref> {
        let (document, other) = match &stmt.kind {
            StmtKind::Test(Term::Ref(r))
            | StmtKind::Every {
                domain: Term::Ref(r), ..
            } => (r, None),
            StmtKind::Unify {
                left: Term::Ref(r),
                right: other,
                ..
            }
            | StmtKind::Unify {
                left: other,
                right: Term::Ref(r),
                ..
            } => (r, Some(other)),
            _ => return None,
        };
        let is_plain = match other {
            None | Some(Term::Var(_)) => true,
            Some(Term::Const(value)) => is_plain(value),
            Some(Term::Array(items)) => items.iter().all(|item| match item {
                Term::Var(_) => true,
                Term::Const(value) => is_scalar(value),
                Term::Array(_) | Term::Object(_) | Term::Set(_) | Term::Ref(_) | Term::Comprehension(_) => {
                    false
                }
            }),
            Some(_) => false,
        };
        (is_plain && self.is_document(document)).then_some(document)
    }

    /// A document against an array of scalars and of variables without a value: OPA's index looks at its length and at
    /// the scalars.
    fn asks_shape<'b>(&self, stmt: &'b Stmt, sources: &mut HashMap<VarId, Source<'b>>) -> bool {
        let (document, pattern, items) = match &stmt.kind {
            StmtKind::Unify { left, right, .. } => match (left, right) {
                (pattern @ Term::Array(items), document) | (document, pattern @ Term::Array(items)) => {
                    (document, pattern, items)
                }
                _ => return false,
            },
            _ => return false,
        };
        let is_simple = |item: &Term| match item {
            Term::Const(value) => is_scalar(value),
            Term::Var(var) => self.env.get(*var).is_none() && !sources.contains_key(var),
            _ => false,
        };
        let is_asked = self.source(document, sources).is_some_and(Source::is_asked);
        let asks = is_asked && items.iter().all(is_simple);
        if asks {
            note_others(pattern, sources);
        }
        asks
    }

    fn is_early<'b>(&self, stmt: &'b Stmt, sources: &mut HashMap<VarId, Source<'b>>) -> bool {
        match &stmt.kind {
            StmtKind::Unify { left, right, .. } => {
                let (a, b) = (self.source(left, sources), self.source(right, sources));
                for (term, other) in [(left, b), (right, a)] {
                    if let (Term::Var(var), Some(source)) = (term, other)
                        && self.env.get(*var).is_none()
                        && !sources.contains_key(var)
                    {
                        sources.insert(*var, source);
                        return !matches!(source, Source::Other);
                    }
                }
                is_question(a, b, left, right)
            }
            StmtKind::Call {
                callee: callee @ Callee::Builtin(id),
                args,
                out: None,
            } if !self.planner.replaced.is_mocked(callee) => {
                if let ([Term::Const(pattern), Term::Const(delimiters), text], "glob.match") =
                    (args.as_slice(), id.get().name)
                {
                    return !self.planner.strict
                        && is_plain_glob(pattern, delimiters)
                        && self.source(text, sources).is_some_and(Source::is_asked);
                }
                let [left, right] = args.as_slice() else {
                    return false;
                };
                let (a, b) = (self.source(left, sources), self.source(right, sources));
                match id.get().name {
                    "strings.any_prefix_match" | "strings.any_suffix_match" => {
                        !self.planner.strict
                            && matches!(a, Some(Source::Document))
                            && matches!(right, Term::Const(affixes) if are_strings(affixes))
                    }
                    "equal" => is_question(a, b, left, right),
                    "internal.member_2" => match (a, b) {
                        (Some(Source::Document | Source::Argument), Some(Source::Constant(members))) => {
                            are_plain_members(members)
                        }
                        (Some(Source::Constant(member)), Some(Source::Document)) => is_scalar(member),
                        _ => false,
                    },
                    "startswith" | "endswith" => {
                        matches!((a, b), (Some(Source::Document), Some(Source::Constant(_))))
                    }
                    _ => false,
                }
            }
            StmtKind::Test(_)
            | StmtKind::Call { .. }
            | StmtKind::With { .. }
            | StmtKind::Not(_)
            | StmtKind::Every { .. }
            | StmtKind::And(..)
            | StmtKind::Or(..) => false,
        }
    }

    fn source<'b>(&self, term: &'b Term, sources: &HashMap<VarId, Source<'b>>) -> Option<Source<'b>> {
        match term {
            Term::Const(value) => Some(Source::Constant(value)),
            Term::Var(var) => sources.get(var).copied(),
            Term::Ref(r) if self.is_document(r) => Some(Source::Document),
            Term::Array(_) | Term::Object(_) | Term::Set(_) | Term::Ref(_) | Term::Comprehension(_) => {
                Some(Source::Other)
            }
        }
    }

    /// A constant path into the input or a base document.
    fn is_document(&self, r: &Ref) -> bool {
        let is_constant = r.path.iter().all(|element| matches!(element, Term::Const(_)));
        match r.head {
            RefHead::Input => is_constant,
            RefHead::Data => is_constant && !self.is_virtual(&super::refs::strings(&r.path)),
            RefHead::Var(_) | RefHead::Const(_) => false,
        }
    }

    /// Whether a path leads to a rule, or to a package.
    fn is_virtual(&self, path: &[String]) -> bool {
        let tree = &self.planner.tree;
        let through = (0..path.len()).any(|len| {
            path.get(..len)
                .and_then(|above| tree.find(above))
                .is_some_and(super::tree::Node::is_group)
        });
        through || tree.find(path).is_some()
    }
}

/// The same for the same document.
fn name_of(document: &Ref) -> String {
    format!("{:?}{:?}", document.head, document.path)
}

/// A comparison of a document with a constant that can be decided by looking. Of two variables OPA's index knows nothing.
fn is_question(a: Option<Source<'_>>, b: Option<Source<'_>>, left: &Term, right: &Term) -> bool {
    let are_variables = matches!((left, right), (Term::Var(_), Term::Var(_)));
    match (a, b) {
        (Some(asked), Some(Source::Constant(value))) | (Some(Source::Constant(value)), Some(asked)) => {
            !are_variables && asked.is_asked() && is_plain(value)
        }
        _ => false,
    }
}

/// OPA's index knows scalars and arrays of them.
fn is_plain(value: &Constant) -> bool {
    match value {
        Constant::Array(items) => items.iter().all(is_scalar),
        other => is_scalar(other),
    }
}

/// A collection of such values. Without any OPA's index has nothing to ask for.
fn are_plain_members(collection: &Constant) -> bool {
    match collection {
        Constant::Array(items) | Constant::Set(items) => !items.is_empty() && items.iter().all(is_plain),
        Constant::Object(entries) => !entries.is_empty() && entries.iter().all(|(_, value)| is_plain(value)),
        _ => false,
    }
}

fn is_scalar(value: &Constant) -> bool {
    !matches!(value, Constant::Array(_) | Constant::Object(_) | Constant::Set(_))
}

/// One text or a collection of texts, some of them.
fn are_strings(value: &Constant) -> bool {
    match value {
        Constant::String(_) => true,
        Constant::Array(items) | Constant::Set(items) => {
            !items.is_empty() && items.iter().all(|item| matches!(item, Constant::String(_)))
        }
        _ => false,
    }
}

/// A pattern whose parts are texts or a lone `*`: to OPA's index an array of which some elements are given.
fn is_plain_glob(pattern: &Constant, delimiters: &Constant) -> bool {
    let (Constant::String(pattern), Constant::Array(delimiters)) = (pattern, delimiters) else {
        return false;
    };
    let mut among = String::new();
    for delimiter in delimiters {
        match delimiter {
            Constant::String(text) => among.push_str(text),
            _ => return false,
        }
    }
    if among.is_empty() {
        among.push('.');
    }
    let is_text = |part: &str| !part.contains(['[', '?', '{', '*', '\\']);
    pattern
        .split(|c| among.contains(c))
        .all(|part| part == "*" || is_text(part))
}

/// Questions to one document for its start and for its end: OPA's index looks at the end of which it knows most.
fn one_affix_end(questions: Vec<&Stmt>) -> Vec<&Stmt> {
    let affix = |stmt: &Stmt| match &stmt.kind {
        StmtKind::Call {
            callee: Callee::Builtin(id),
            args,
            ..
        } => match id.get().name {
            "startswith" | "strings.any_prefix_match" => Some((true, shortest(args.get(1)?)?)),
            "endswith" | "strings.any_suffix_match" => Some((false, shortest(args.get(1)?)?)),
            _ => None,
        },
        _ => None,
    };
    let least = |is_start: bool| {
        let lengths = questions.iter().filter_map(|stmt| affix(stmt));
        lengths
            .filter(|(start, _)| *start == is_start)
            .map(|(_, len)| len)
            .min()
    };
    let (Some(start), Some(end)) = (least(true), least(false)) else {
        return questions;
    };
    let dropped = end > start;
    questions
        .into_iter()
        .filter(|stmt| affix(stmt).is_none_or(|(is_start, _)| is_start != dropped))
        .collect()
}

fn shortest(affixes: &Term) -> Option<usize> {
    match affixes {
        Term::Const(Constant::String(text)) => Some(text.len()),
        Term::Const(Constant::Array(items) | Constant::Set(items)) => items
            .iter()
            .filter_map(|item| match item {
                Constant::String(text) => Some(text.len()),
                _ => None,
            })
            .min(),
        _ => None,
    }
}

/// Notes the variables that a late statement may give values. What compares one of them with a constant stays behind it: a
/// key that is looked up is not spelled as the one that iteration finds, and another one may raise a conflict.
fn note_bound(stmt: &Stmt, sources: &mut HashMap<VarId, Source<'_>>) {
    match &stmt.kind {
        StmtKind::Test(term) | StmtKind::Every { domain: term, .. } => note_others(term, sources),
        StmtKind::Unify { left, right, .. } => {
            note_others(left, sources);
            note_others(right, sources);
        }
        StmtKind::Call { args, out, .. } => {
            args.iter().chain(out).for_each(|term| note_others(term, sources));
        }
        StmtKind::With { block, .. } => block.stmts.iter().for_each(|stmt| note_bound(stmt, sources)),
        // Their bindings end with them.
        StmtKind::Not(_) | StmtKind::And(..) | StmtKind::Or(..) => {}
    }
}

fn note_others(term: &Term, sources: &mut HashMap<VarId, Source<'_>>) {
    match term {
        Term::Var(var) => {
            sources.entry(*var).or_insert(Source::Other);
        }
        Term::Array(items) | Term::Set(items) => items.iter().for_each(|item| note_others(item, sources)),
        Term::Object(entries) => entries.iter().for_each(|(key, value)| {
            note_others(key, sources);
            note_others(value, sources);
        }),
        Term::Ref(r) => r.path.iter().for_each(|item| note_others(item, sources)),
        Term::Const(_) | Term::Comprehension(_) => {}
    }
}
