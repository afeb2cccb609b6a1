//! Safety: puts the statements of every body in an order in which each finds its variables known, or tells which
//! variables can never be.
//!
//! Repeatedly takes the earliest statement whose variables are known or bound by itself. Closures need the variables
//! they share with the body around them; then their own bodies are ordered. Source: OPA's language reference, and its
//! answers on the conformance corpora.

use super::findings::Findings;
use super::outputs;
use super::resolve_rule::parameter_vars;
use super::rule_tree::RuleTree;
use super::same;
use super::text;
use super::tree::{
    Body, Callee, Comprehension, Expr, ExprKind, Kind, Module, Operand, Part, Program, Rule, Term, Vars,
};
use super::vars::{self, Arity, Known, VarSet};
use crate::constant;
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::VarId;
use crate::source::{SourceMap, Span};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Variables in heads that no statement of the body binds.
pub(super) fn check_heads(program: &Program, sources: &SourceMap, findings: &mut Findings) {
    for module in &program.modules {
        let scopes = RuleNames::of(module, sources);
        for rule in &module.rules {
            for (index, clause) in rule.clauses.iter().enumerate() {
                let mut known = vars::Collector::open();
                known.body(&clause.body);
                let mut known = known.found;
                known.extend(parameter_vars(rule));
                let mut head: Vec<&Term> = vec![&clause.value];
                if index == 0 {
                    head.extend(rule.reference.iter());
                }
                let scope = scopes.label(rule, module.package.len(), sources);
                let mut seen = VarSet::new();
                for term in head {
                    for (var, span) in places_of_vars(term) {
                        if !known.contains(&var) && rule.vars.is_written(var) && seen.insert(var) {
                            let message = format!("var {} is unsafe{scope}", rule.vars.text(var));
                            findings.fatal(Code::RegoUnsafeVar, span, message);
                        }
                    }
                }
            }
        }
    }
}

/// Orders the bodies of all rules.
pub(super) fn order(program: &mut Program, tree: &RuleTree, sources: &SourceMap, findings: &mut Findings) {
    let arity = |callee: &Callee| tree.arity(callee);
    for module in &mut program.modules {
        let scopes = RuleNames::of(module, sources);
        let package_len = module.package.len();
        for rule in &mut module.rules {
            let known = Known::new(parameter_vars(rule));
            let scope = scopes.label(rule, package_len, sources);
            for clause in &mut rule.clauses {
                let unsafe_vars = order_body(&mut clause.body, &known, &arity);
                findings.fatal_all(report(&unsafe_vars, &rule.vars, &scope));
            }
        }
    }
}

/// Orders the body of a query.
pub(super) fn order_query(body: &mut Body, vars: &Vars, tree: &RuleTree, findings: &mut Findings) {
    let arity = |callee: &Callee| tree.arity(callee);
    let unsafe_vars = order_body(body, &Known::new(VarSet::new()), &arity);
    findings.fatal_all(report(&unsafe_vars, vars, ""));
}

/// A statement that could not be placed.
#[derive(Debug)]
struct Unsafe {
    span: Span,
    vars: VarSet,
    /// Variables on the left of the statement's `:=`.
    assigned: VarSet,
}

/// Orders a body and the bodies in it; `known`: variables from outside.
fn order_body(body: &mut Body, known: &Known<'_>, arity: Arity<'_>) -> Vec<Unsafe> {
    let mut ordering = Ordering::new(std::mem::take(body), known, arity);
    ordering.run();
    let Ordering {
        mut ordered, waiting, ..
    } = ordering;
    let waiting: Vec<Waiting> = waiting.into_iter().flatten().collect();
    let left = waiting.iter().filter(|candidate| !candidate.missing.is_empty());
    let mut found: Vec<Unsafe> = left.map(Waiting::as_unsafe).collect();
    let mut around = Known::inside(known);
    for at in 0..ordered.len() {
        if let Some(previous) = at.checked_sub(1).and_then(|at| ordered.get(at)) {
            around.extend(vars::needed_in_expr(previous, arity));
        }
        if let Some(expr) = ordered.get_mut(at) {
            let mut closures = Closures {
                span: expr.span,
                known: &mut around,
                arity,
                found: &mut found,
            };
            closures.expr(expr);
        }
    }
    ordered.extend(waiting.into_iter().map(|candidate| candidate.expr));
    *body = ordered;
    found
}

/// A body that is being put in order.
///
/// In each round the statements are asked one after the other. A statement is asked again only after one of its
/// variables became known: nothing else changes its answer.
struct Ordering<'x> {
    arity: Arity<'x>,
    /// Variables of the body that have a value.
    safe: VarSet,
    /// By place in the source; `None`: placed.
    waiting: Vec<Option<Waiting>>,
    ordered: Body,
    /// Places among `ordered` of statements that may bind more once more is known.
    binding_later: Vec<usize>,
    /// What those may bind, by their place in the source.
    possible: BTreeMap<usize, VarSet>,
    /// Statements to ask in this round and in the next one.
    asked: BTreeSet<usize>,
    asked_next: BTreeSet<usize>,
    /// Statements in which a variable occurs.
    readers: HashMap<VarId, Vec<usize>>,
}

impl<'x> Ordering<'x> {
    fn new(body: Body, known: &Known<'_>, arity: Arity<'x>) -> Ordering<'x> {
        let body_vars = vars::needed_in_body(&body, arity);
        let safe: VarSet = body_vars
            .iter()
            .copied()
            .filter(|var| known.contains(*var))
            .collect();
        let mut readers: HashMap<VarId, Vec<usize>> = HashMap::new();
        for (at, expr) in body.iter().enumerate() {
            for var in vars::all_in_expr(expr) {
                readers.entry(var).or_default().push(at);
            }
        }
        let waiting: Vec<Option<Waiting>> = body
            .into_iter()
            .map(|expr| Some(Waiting::new(expr, &safe, known, &body_vars, arity)))
            .collect();
        Ordering {
            arity,
            safe,
            ordered: Body::with_capacity(waiting.len()),
            binding_later: Vec::new(),
            possible: BTreeMap::new(),
            asked: (0..waiting.len()).collect(),
            asked_next: BTreeSet::new(),
            waiting,
            readers,
        }
    }

    fn run(&mut self) {
        while !self.asked.is_empty() {
            while let Some(at) = self.asked.pop_first() {
                self.ask(at);
            }
            self.asked = std::mem::take(&mut self.asked_next);
        }
    }

    /// Places a statement when its variables are known.
    fn ask(&mut self, at: usize) {
        let Some(Some(candidate)) = self.waiting.get_mut(at) else {
            return;
        };
        // OPA takes a statement for one that is placed already if that is the same and now has this one's number: it
        // never becomes safe.
        if self
            .ordered
            .get(at)
            .is_some_and(|placed| same::exprs(placed, &candidate.expr))
        {
            return;
        }
        let later = self
            .binding_later
            .iter()
            .filter_map(|place| self.ordered.get(*place));
        if !candidate.is_ready(&self.safe, later, self.arity) {
            return;
        }
        let Some(placed) = self.waiting.get_mut(at).and_then(Option::take) else {
            return;
        };
        let mut changed: Vec<VarId> = Vec::new();
        for var in placed.outputs {
            if self.safe.insert(var) {
                changed.push(var);
            }
        }
        let mut possible = outputs::possible(&placed.expr, self.arity);
        possible.retain(|var| !self.safe.contains(var));
        if !possible.is_empty() {
            self.binding_later.push(self.ordered.len());
            changed.extend(&possible);
            self.possible.insert(at, possible);
        }
        self.ordered.push(placed.expr);
        while let Some(var) = changed.pop() {
            for reader in self.readers.get(&var).into_iter().flatten() {
                let round = if *reader > at {
                    &mut self.asked
                } else {
                    &mut self.asked_next
                };
                if round.insert(*reader) {
                    changed.extend(self.possible.get(reader).into_iter().flatten());
                }
            }
        }
    }
}

/// A statement that waits for its variables.
struct Waiting {
    expr: Expr,
    missing: VarSet,
    /// Variables that its closures share with the body.
    closed_over: VarSet,
    outputs: VarSet,
}

impl Waiting {
    fn new(expr: Expr, safe: &VarSet, known: &Known<'_>, body_vars: &VarSet, arity: Arity<'_>) -> Waiting {
        let missing = vars::needed_in_expr(&expr, arity)
            .difference(safe)
            .copied()
            .collect();
        let closed_over = vars::in_closures(&expr)
            .intersection(body_vars)
            .copied()
            .filter(|var| !known.contains(*var))
            .collect();
        Waiting {
            expr,
            missing,
            closed_over,
            outputs: VarSet::new(),
        }
    }

    /// `later`: statements before it that may bind more than is counted as safe.
    fn is_ready<'b>(
        &mut self,
        safe: &VarSet,
        later: impl Iterator<Item = &'b Expr>,
        arity: Arity<'_>,
    ) -> bool {
        let known = |var| safe.contains(&var);
        self.outputs = outputs::of_expr(&self.expr, arity, &known);
        if !self.closed_over.is_empty() {
            let bound = outputs::of_body(later, arity, &known);
            let open: VarSet = self.closed_over.difference(&bound).copied().collect();
            if !open.is_empty() {
                if open == self.outputs {
                    return false;
                }
                self.missing = open;
            }
        }
        let outputs = &self.outputs;
        self.missing
            .retain(|var| !outputs.contains(var) && !safe.contains(var));
        self.missing.is_empty()
    }

    fn as_unsafe(&self) -> Unsafe {
        let assigned = match &self.expr.kind {
            ExprKind::Eq {
                left, directed: true, ..
            } => vars::all_in_term(left),
            _ => VarSet::new(),
        };
        Unsafe {
            span: self.expr.span,
            vars: self.missing.clone(),
            assigned,
        }
    }
}

/// Orders the closures of one statement.
struct Closures<'x, 'k> {
    span: Span,
    known: &'x mut Known<'k>,
    arity: Arity<'x>,
    found: &'x mut Vec<Unsafe>,
}

impl Closures<'_, '_> {
    fn expr(&mut self, expr: &mut Expr) {
        match &mut expr.kind {
            ExprKind::Term(term) => self.term(term),
            ExprKind::Eq { left, right, .. } => {
                self.term(left);
                self.term(right);
            }
            ExprKind::Call(call) => call.args.iter_mut().for_each(|arg| self.term(arg)),
            ExprKind::Every { key, value, body, .. } => {
                self.known.extend(*key);
                self.known.insert(*value);
                self.body(body);
            }
            ExprKind::Not(operand) => self.operand(operand),
            ExprKind::And(left, right) | ExprKind::Or(left, right) => {
                self.operand(left);
                self.operand(right);
            }
        }
        expr.with.iter_mut().for_each(|with| self.term(&mut with.value));
    }

    fn operand(&mut self, operand: &mut Operand) {
        self.body(&mut operand.body);
    }

    fn body(&mut self, body: &mut Body) {
        let mut found = order_body(body, self.known, self.arity);
        self.found.append(&mut found);
    }

    fn term(&mut self, term: &mut Term) {
        match &mut term.kind {
            Kind::Const(_) | Kind::Var(_) | Kind::Builtin(_) => {}
            Kind::Ref(reference) => reference.path.iter_mut().for_each(|element| self.term(element)),
            Kind::Call(call) => call.args.iter_mut().for_each(|arg| self.term(arg)),
            Kind::Array(items) | Kind::Set(items) => items.iter_mut().for_each(|item| self.term(item)),
            Kind::Object(entries) => entries.iter_mut().for_each(|(key, value)| {
                self.term(key);
                self.term(value);
            }),
            Kind::Comprehension(comprehension) => self.comprehension(comprehension),
            Kind::Template(parts) => {
                for part in parts {
                    if let Part::Expr(expr) = part {
                        self.expr(expr);
                    }
                }
            }
        }
    }

    fn comprehension(&mut self, comprehension: &mut Comprehension) {
        let bound = vars::needed_in_body(&comprehension.body, self.arity);
        let mut head = vars::all_in_term(&comprehension.value);
        if let Some(key) = &comprehension.key {
            head.extend(vars::all_in_term(key));
        }
        head.retain(|var| !bound.contains(var) && !self.known.contains(*var));
        let open = head;
        if !open.is_empty() {
            self.found.push(Unsafe {
                span: self.span,
                vars: open,
                assigned: VarSet::new(),
            });
        }
        self.body(&mut comprehension.body);
    }
}

/// Diagnostics for what could not be placed: each variable once, at its first statement. Variables on the left of `:=`
/// are left out when the cause has another name; generated ones are never named.
fn report(found: &[Unsafe], vars: &Vars, scope: &str) -> Vec<Diagnostic> {
    let mut places: BTreeMap<VarId, Span> = BTreeMap::new();
    for entry in found {
        for var in &entry.vars {
            let place = places.entry(*var).or_insert(entry.span);
            if entry.span.start < place.start {
                *place = entry.span;
            }
        }
    }
    let assigned: VarSet = found.iter().flat_map(|entry| &entry.assigned).copied().collect();
    let named: Vec<(VarId, Span)> = places
        .iter()
        .map(|(var, span)| (*var, *span))
        .filter(|(var, _)| vars.is_written(*var))
        .collect();
    let has_cause = named.iter().any(|(var, _)| !assigned.contains(var));
    let mut diagnostics: Vec<Diagnostic> = named
        .into_iter()
        .filter(|(var, _)| !has_cause || !assigned.contains(var))
        .map(|(var, span)| {
            let name = vars.text(var);
            let hint = if matches!(
                name.as_str(),
                "in" | "every" | "contains" | "if" | "and" | "or" | "not"
            ) {
                format!(" (hint: `import future.keywords.{name}` to import a future keyword)")
            } else {
                String::new()
            };
            let message = format!("var {name} is unsafe{scope}{hint}");
            Diagnostic::error(Code::RegoUnsafeVar, span, message)
        })
        .collect();
    if !diagnostics.is_empty() {
        return diagnostics;
    }
    let mut entries: Vec<&Unsafe> = found.iter().collect();
    entries.sort_by_key(|entry| entry.span.start);
    let mut seen = VarSet::new();
    for entry in entries {
        let before = seen.len();
        seen.extend(entry.vars.iter().filter(|var| vars.is_generated(**var)));
        if seen.len() > before {
            let message = format!("expression is unsafe{scope}");
            diagnostics.push(Diagnostic::error(Code::RegoUnsafeVar, entry.span, message));
        }
    }
    diagnostics
}

/// Variables of a head's term with their places.
fn places_of_vars(term: &Term) -> Vec<(VarId, Span)> {
    let mut places = Vec::new();
    super::walk::term(term, &mut |place| {
        if let super::walk::Place::Term(term) = place
            && let Kind::Var(var) = term.kind
        {
            places.push((var, term.span));
        }
    });
    places
}

/// Rows that hold rules of several names: there a message names the rule.
struct RuleNames(HashMap<u32, Option<String>>);

impl RuleNames {
    fn of(module: &Module, sources: &SourceMap) -> RuleNames {
        let mut rows: HashMap<u32, Option<String>> = HashMap::new();
        for rule in &module.rules {
            let name = rule_name(rule, module.package.len());
            for clause in &rule.clauses {
                let row = sources.row(clause.span);
                rows.entry(row)
                    .and_modify(|known| {
                        if known.as_ref() != Some(&name) {
                            *known = None;
                        }
                    })
                    .or_insert_with(|| Some(name.clone()));
            }
        }
        RuleNames(rows)
    }

    fn label(&self, rule: &Rule, package_len: usize, sources: &SourceMap) -> String {
        let row = sources.row(rule.span);
        match self.0.get(&row) {
            Some(None) => format!(" in rule {}", rule_name(rule, package_len)),
            Some(Some(_)) | None => String::new(),
        }
    }
}

/// The constant part of a head's reference as written.
fn rule_name(rule: &Rule, package_len: usize) -> String {
    let prefix = rule.ground_prefix().get(package_len..).unwrap_or_default();
    let names: Vec<String> = prefix
        .iter()
        .map(|term| match term.as_const() {
            Some(gavel_runtime::value::Constant::String(name)) => name.clone(),
            Some(other) => constant::text(other),
            None => String::new(),
        })
        .collect();
    match names.split_first() {
        Some((first, rest)) => text::dotted(first, rest),
        None => String::new(),
    }
}
