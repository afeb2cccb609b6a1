//! Lifts calls out of terms: after this stage a call is a statement whose last argument takes the result.
//!
//! The statements stand before the one they were lifted from, with its `with` modifiers; under legacy negation that puts
//! them outside of the `not`, which is what decides that `not startswith(input.missing, "a")` fails. What heads need
//! evaluated is moved to the end of bodies, comprehension heads to the end of theirs.

use super::findings::Findings;
use super::tree::{
    Body, Call, Comprehension, ComprehensionKind, Expr, ExprKind, Head, Kind, Operand, Program, Ref, Rule,
    Term, Vars, append,
};
use super::walk::{self, Place};
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
            for clause in &mut rule.clauses {
                body_heads(&mut clause.body, &mut rule.vars);
                term_heads(&mut clause.value, &mut rule.vars);
                lift_head(&mut clause.value, &mut clause.body, &mut rule.vars);
            }
            if let Some(args) = &mut rule.args {
                for arg in args {
                    if !needs_evaluation(arg) {
                        continue;
                    }
                    term_heads(arg, &mut rule.vars);
                    let var = rule.vars.generated();
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
    body_heads(body, vars);
}

fn rule_calls(rule: &mut Rule) {
    let mut lifter = Lifter {
        vars: &mut rule.vars,
        lifted: Vec::new(),
    };
    rule.args.iter_mut().flatten().for_each(|arg| lifter.term(arg));
    let of_args = lifter.lifted;
    for clause in &mut rule.clauses {
        let mut lifter = Lifter {
            vars: &mut rule.vars,
            lifted: Vec::new(),
        };
        lifter.term(&mut clause.value);
        let lifted = lifter.lifted;
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
    let mut lifter = Lifter {
        vars,
        lifted: Vec::new(),
    };
    for with in &mut expr.with {
        lifter.term(&mut with.value);
    }
    out.append(&mut lifter.lifted);
    match &mut expr.kind {
        ExprKind::Term(term) => lifter.term(term),
        ExprKind::Eq { left, right, .. } => {
            lifter.term(left);
            lifter.term(right);
        }
        ExprKind::Call(call) => call.args.iter_mut().for_each(|arg| lifter.term(arg)),
        ExprKind::Every { domain, body, .. } => {
            let span = domain.span;
            let var = lifter.vars.generated();
            let domain = std::mem::replace(domain, Term::var(span, var));
            let mut capture = Expr::capture(var, domain);
            if let ExprKind::Eq { right, .. } = &mut capture.kind {
                lifter.term(right);
            }
            lifter.lifted.push(capture);
            expand_body(body, lifter.vars);
        }
        ExprKind::Not(operand) => expand_body(&mut operand.body, lifter.vars),
        ExprKind::And(left, right) | ExprKind::Or(left, right) => {
            expand_body(&mut left.body, lifter.vars);
            expand_body(&mut right.body, lifter.vars);
        }
    }
    for mut lifted in lifter.lifted {
        lifted.with.clone_from(&expr.with);
        out.push(lifted);
    }
    out.push(expr);
}

struct Lifter<'v> {
    vars: &'v mut Vars,
    lifted: Vec<Expr>,
}

impl Lifter<'_> {
    fn term(&mut self, term: &mut Term) {
        let span = term.span;
        match &mut term.kind {
            Kind::Const(_) | Kind::Var(_) | Kind::Builtin(_) | Kind::Template(_) => {}
            Kind::Call(call) => {
                call.args.iter_mut().for_each(|arg| self.term(arg));
                let var = self.vars.generated();
                let mut args = std::mem::take(&mut call.args);
                args.push(Term::var(span, var));
                let mut expr = Expr::new(
                    span,
                    ExprKind::Call(Call {
                        callee: call.callee.clone(),
                        args,
                    }),
                );
                expr.generated = true;
                self.lifted.push(expr);
                term.kind = Kind::Var(var);
            }
            Kind::Ref(reference) => self.reference(reference),
            Kind::Array(items) | Kind::Set(items) => items.iter_mut().for_each(|item| self.term(item)),
            Kind::Object(entries) => entries.iter_mut().for_each(|(key, value)| {
                self.term(key);
                self.term(value);
            }),
            Kind::Comprehension(comprehension) => self.comprehension(comprehension),
        }
    }

    /// A reference starts from a document, a variable or a scalar afterwards.
    fn reference(&mut self, reference: &mut Ref) {
        if let Head::Term(head) = &mut reference.head {
            self.term(head);
        }
        reference.path.iter_mut().for_each(|element| self.term(element));
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

    fn comprehension(&mut self, comprehension: &mut Comprehension) {
        expand_body(&mut comprehension.body, self.vars);
        for head in comprehension
            .key
            .iter_mut()
            .chain(std::iter::once(&mut comprehension.value))
        {
            let mut inner = Lifter {
                vars: self.vars,
                lifted: Vec::new(),
            };
            inner.term(head);
            let lifted = inner.lifted;
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

fn lift_head(head: &mut Term, body: &mut Body, vars: &mut Vars) {
    if needs_evaluation(head) {
        let var = vars.generated();
        let term = std::mem::replace(head, Term::var(head.span, var));
        append(body, vec![Expr::capture(var, term)]);
    }
}

fn body_heads(body: &mut Body, vars: &mut Vars) {
    for expr in body {
        let operands: [Option<&mut Operand>; 2] = match &mut expr.kind {
            ExprKind::Term(term) => {
                term_heads(term, vars);
                [None, None]
            }
            ExprKind::Eq { left, right, .. } => {
                term_heads(left, vars);
                term_heads(right, vars);
                [None, None]
            }
            ExprKind::Call(call) => {
                call.args.iter_mut().for_each(|arg| term_heads(arg, vars));
                [None, None]
            }
            ExprKind::Every { domain, body, .. } => {
                term_heads(domain, vars);
                body_heads(body, vars);
                [None, None]
            }
            ExprKind::Not(operand) => [Some(operand), None],
            ExprKind::And(left, right) | ExprKind::Or(left, right) => [Some(left), Some(right)],
        };
        for operand in operands.into_iter().flatten() {
            body_heads(&mut operand.body, vars);
        }
        expr.with
            .iter_mut()
            .for_each(|with| term_heads(&mut with.value, vars));
    }
}

fn term_heads(term: &mut Term, vars: &mut Vars) {
    match &mut term.kind {
        Kind::Const(_) | Kind::Var(_) | Kind::Builtin(_) | Kind::Template(_) => {}
        Kind::Call(call) => call.args.iter_mut().for_each(|arg| term_heads(arg, vars)),
        Kind::Ref(reference) => reference
            .path
            .iter_mut()
            .for_each(|element| term_heads(element, vars)),
        Kind::Array(items) | Kind::Set(items) => items.iter_mut().for_each(|item| term_heads(item, vars)),
        Kind::Object(entries) => entries.iter_mut().for_each(|(key, value)| {
            term_heads(key, vars);
            term_heads(value, vars);
        }),
        Kind::Comprehension(comprehension) => {
            let Comprehension {
                kind,
                key,
                value,
                body,
            } = comprehension.as_mut();
            debug_assert!((*kind == ComprehensionKind::Object) == key.is_some());
            key.iter_mut().for_each(|key| term_heads(key, vars));
            term_heads(value, vars);
            body_heads(body, vars);
            key.iter_mut().for_each(|key| lift_head(key, body, vars));
            lift_head(value, body, vars);
        }
    }
}
