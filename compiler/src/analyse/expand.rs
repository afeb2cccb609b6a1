//! Lifts calls out of terms: after this stage a call is a statement whose last argument takes the result.
//!
//! The statements stand before the one they were lifted from, with its `with` modifiers; under legacy negation that puts
//! them outside of the `not`, which is what decides that `not startswith(input.missing, "a")` fails. What heads need
//! evaluated is moved to the end of bodies, comprehension heads to the end of theirs.

use super::findings::Findings;
use super::keys;
use super::tree::{
    Body, Call, Comprehension, Every, Expr, ExprKind, Head, Kind, Program, Ref, Rule, Term, Vars, With,
    append,
};
use super::walk::{self, Place, VisitMut};
use crate::diagnostic::Code;
use crate::limits::MODIFIER_COPIES_MAX;

/// Refuses statements that would become too many: each lifted call carries all modifiers of its statement.
pub(super) fn check_size(program: &Program, findings: &mut Findings) {
    walk::program(program, &mut |place| {
        if let Place::Expr(expr) = place
            && !expr.with.is_empty()
        {
            check_modifiers(expr, findings);
        }
    });
}

fn check_modifiers(expr: &Expr, findings: &mut Findings) {
    let mut calls = 0;
    walk::expr(expr, &mut |place| {
        if let Place::Term(term) = place {
            calls += usize::from(matches!(term.kind, Kind::Call(_)));
        }
    });
    if calls.saturating_mul(expr.with.len()) > MODIFIER_COPIES_MAX {
        let message = format!(
            "{calls} calls under {} `with` modifiers: their product is more than {MODIFIER_COPIES_MAX}",
            expr.with.len()
        );
        findings.fatal(Code::Limit, expr.span, message);
    }
}

/// Expands all rules.
pub(super) fn expand(program: &mut Program) {
    for module in &mut program.modules {
        for rule in &mut module.rules {
            rule_calls(rule);
        }
    }
}

/// Lifts what heads must have evaluated: the value and parameters of rules, heads of comprehensions.
pub(super) fn expand_heads(program: &mut Program) {
    for module in &mut program.modules {
        for rule in &mut module.rules {
            let mut heads = Heads(&mut rule.vars);
            for clause in &mut rule.clauses {
                heads.visit_body(&mut clause.body);
                heads.visit_term(&mut clause.value);
                heads.lift(&mut clause.value, &mut clause.body);
            }
            if let Some(args) = &mut rule.args {
                for arg in args {
                    if !needs_evaluation(arg) {
                        continue;
                    }
                    heads.visit_term(arg);
                    let var = heads.0.generated();
                    let term = std::mem::replace(arg, Term::var(arg.span, var));
                    for clause in &mut rule.clauses {
                        append(&mut clause.body, vec![Expr::capture(var, term.clone())]);
                    }
                }
            }
        }
    }
}

/// Expands the statements of a query.
pub(super) fn expand_query(body: &mut Body, vars: &mut Vars) {
    expand_body(body, vars);
    Heads(vars).visit_body(body);
}

fn rule_calls(rule: &mut Rule) {
    let args = rule.args.as_deref_mut().unwrap_or_default();
    let of_args = lift(args, &mut rule.vars);
    for clause in &mut rule.clauses {
        let lifted = lift([&mut clause.value], &mut rule.vars);
        // Before the body is expanded: what is lifted from a `with` of its only `true` does not keep that there.
        append(&mut clause.body, of_args.clone());
        append(&mut clause.body, lifted);
        expand_body(&mut clause.body, &mut rule.vars);
    }
}

fn expand_body(body: &mut Body, vars: &mut Vars) {
    let mut expanded = Vec::with_capacity(body.len());
    for expr in body.drain(..) {
        expand_expr(expr, vars, &mut expanded);
    }
    *body = expanded;
}

fn expand_expr(mut expr: Expr, vars: &mut Vars, out: &mut Vec<Expr>) {
    out.append(&mut lift(expr.with.iter_mut().map(|with| &mut with.value), vars));
    let mut lifter = Lifter::new(vars);
    lifter.walk_statement(&mut expr.kind);
    for mut lifted in lifter.lifted {
        lifted.with.clone_from(&expr.with);
        out.push(lifted);
    }
    out.push(expr);
}

/// Lifts the calls out of terms.
fn lift<'t>(terms: impl IntoIterator<Item = &'t mut Term>, vars: &mut Vars) -> Vec<Expr> {
    let mut lifter = Lifter::new(vars);
    terms.into_iter().for_each(|term| lifter.visit_term(term));
    lifter.lifted
}

struct Lifter<'v> {
    vars: &'v mut Vars,
    lifted: Vec<Expr>,
}

impl Lifter<'_> {
    fn new(vars: &mut Vars) -> Lifter<'_> {
        Lifter {
            vars,
            lifted: Vec::new(),
        }
    }
}

impl VisitMut for Lifter<'_> {
    fn visit_body(&mut self, body: &mut Body) {
        expand_body(body, self.vars);
    }

    fn visit_every(&mut self, every: &mut Every) {
        let var = self.vars.generated();
        let placeholder = Term::var(every.domain.span, var);
        let mut domain = std::mem::replace(&mut every.domain, placeholder);
        self.visit_term(&mut domain);
        self.lifted.push(Expr::capture(var, domain));
        self.visit_body(&mut every.body);
    }

    fn visit_term(&mut self, term: &mut Term) {
        match &mut term.kind {
            Kind::Set(members) => keys::sort_members(members, self.vars),
            Kind::Object(entries) => keys::sort(entries, self.vars),
            _ => {}
        }
        self.walk_term(term);
        if let Kind::Call(call) = &mut term.kind {
            let span = term.span;
            let var = self.vars.generated();
            let mut args = std::mem::take(&mut call.args);
            args.push(Term::var(span, var));
            let callee = call.callee.clone();
            let mut expr = Expr::new(span, ExprKind::Call(Call { callee, args }));
            expr.generated = true;
            self.lifted.push(expr);
            term.kind = Kind::Var(var);
        }
    }

    /// A reference starts from a document, a variable or a scalar afterwards.
    fn visit_ref(&mut self, reference: &mut Ref) {
        self.walk_ref(reference);
        if let Head::Term(head) = &reference.head {
            // OPA leaves scalars where they are; such a reference is undefined.
            if head.is_scalar() {
                return;
            }
            let var = match head.kind {
                Kind::Var(var) => var,
                _ => {
                    let var = self.vars.generated();
                    self.lifted.push(Expr::capture(var, head.clone()));
                    var
                }
            };
            reference.head = Head::Var(var);
        }
    }

    fn visit_comprehension(&mut self, comprehension: &mut Comprehension) {
        expand_body(&mut comprehension.body, self.vars);
        for head in comprehension.key.iter_mut().chain([&mut comprehension.value]) {
            let lifted = lift([head], self.vars);
            append(&mut comprehension.body, lifted);
        }
    }
}

/// Whether a term reads documents or runs a comprehension.
pub(super) fn needs_evaluation(term: &Term) -> bool {
    match &term.kind {
        Kind::Const(_) | Kind::Var(_) | Kind::Builtin(_) | Kind::Call(_) | Kind::Template(_) => false,
        Kind::Ref(_) | Kind::Comprehension(_) => true,
        Kind::Array(items) | Kind::Set(items) => items.iter().any(needs_evaluation),
        Kind::Object(entries) => entries
            .iter()
            .any(|(key, value)| needs_evaluation(key) || needs_evaluation(value)),
    }
}

/// Moves what the heads of comprehensions must have evaluated to the end of their bodies.
struct Heads<'v>(&'v mut Vars);

impl Heads<'_> {
    fn lift(&mut self, head: &mut Term, body: &mut Body) {
        if needs_evaluation(head) {
            let var = self.0.generated();
            let term = std::mem::replace(head, Term::var(head.span, var));
            append(body, vec![Expr::capture(var, term)]);
        }
    }
}

impl VisitMut for Heads<'_> {
    /// What is replaced is not evaluated.
    fn visit_with(&mut self, with: &mut With) {
        self.visit_term(&mut with.value);
    }

    fn visit_comprehension(&mut self, comprehension: &mut Comprehension) {
        self.walk_comprehension(comprehension);
        for head in comprehension.key.iter_mut().chain([&mut comprehension.value]) {
            self.lift(head, &mut comprehension.body);
        }
    }
}
