//! Template strings become calls of `internal.template_string`: each expression a set of at most one value, so that an
//! undefined one is an empty set and not a failure.

use super::findings::Findings;
use super::outputs;
use super::rule_tree::RuleTree;
use super::tree::{
    Body, Call, Callee, Comprehension, ComprehensionKind, Expr, ExprKind, Head, Kind, Operand, Part, Program,
    Ref, Term, Vars, With,
};
use super::vars::{Known, VarSet, open_in_term};
use crate::diagnostic::Code;
use crate::source::Span;
use gavel_runtime::builtins;
use gavel_runtime::value::Constant;

/// Lowers the templates of all rules.
pub(super) fn lower(program: &mut Program, tree: &RuleTree, findings: &mut Findings) {
    for module in &mut program.modules {
        for rule in &mut module.rules {
            let parameters = Known::new(super::resolve_rule::parameter_vars(rule));
            for clause in &mut rule.clauses {
                let mut lowering = Lowering {
                    tree,
                    vars: &mut rule.vars,
                    findings,
                };
                let safe = lowering.body(&mut clause.body, &parameters);
                rule.args
                    .iter_mut()
                    .flatten()
                    .for_each(|arg| lowering.term(arg, &safe));
                lowering.term(&mut clause.value, &safe);
            }
        }
    }
}

/// Lowers the templates of a query.
pub(super) fn lower_query(body: &mut Body, tree: &RuleTree, vars: &mut Vars, findings: &mut Findings) {
    let mut lowering = Lowering { tree, vars, findings };
    lowering.body(body, &Known::new(VarSet::new()));
}

struct Lowering<'x> {
    tree: &'x RuleTree,
    vars: &'x mut Vars,
    findings: &'x mut Findings,
}

impl Lowering<'_> {
    /// Gives back what is known after the body.
    fn body<'k>(&mut self, body: &mut Body, known: &'k Known<'k>) -> Known<'k> {
        let arity = |callee: &Callee| self.tree.arity(callee);
        let mut safe = Known::inside(known);
        let binding = body.iter().filter(|expr| !expr.with.iter().any(by_builtin));
        safe.extend(outputs::of_body(binding, &arity, &|var| known.contains(var)));
        for expr in body {
            self.expr(expr, &safe);
        }
        safe
    }

    fn operand(&mut self, operand: &mut Operand, safe: &Known<'_>) {
        for expr in &mut operand.body {
            self.expr(expr, safe);
        }
    }

    fn expr(&mut self, expr: &mut Expr, safe: &Known<'_>) {
        match &mut expr.kind {
            ExprKind::Term(term) => self.term(term, safe),
            ExprKind::Eq { left, right, .. } => {
                self.term(left, safe);
                self.term(right, safe);
            }
            ExprKind::Call(call) => call.args.iter_mut().for_each(|arg| self.term(arg, safe)),
            ExprKind::Every {
                key,
                value,
                domain,
                body,
            } => {
                self.term(domain, safe);
                let mut inside = Known::inside(safe);
                inside.extend(*key);
                inside.insert(*value);
                self.body(body, &inside);
            }
            ExprKind::Not(operand) => self.operand(operand, safe),
            ExprKind::And(left, right) | ExprKind::Or(left, right) => {
                self.operand(left, safe);
                self.operand(right, safe);
            }
        }
        expr.with
            .iter_mut()
            .for_each(|with| self.term(&mut with.value, safe));
    }

    fn term(&mut self, term: &mut Term, safe: &Known<'_>) {
        match &mut term.kind {
            Kind::Const(_) | Kind::Var(_) | Kind::Builtin(_) => {}
            Kind::Ref(reference) => {
                if let Head::Term(head) = &mut reference.head {
                    self.term(head, safe);
                }
                reference
                    .path
                    .iter_mut()
                    .for_each(|element| self.term(element, safe));
            }
            Kind::Call(call) => call.args.iter_mut().for_each(|arg| self.term(arg, safe)),
            Kind::Array(items) | Kind::Set(items) => items.iter_mut().for_each(|item| self.term(item, safe)),
            Kind::Object(entries) => entries.iter_mut().for_each(|(key, value)| {
                self.term(key, safe);
                self.term(value, safe);
            }),
            Kind::Comprehension(comprehension) => {
                let inside = self.body(&mut comprehension.body, safe);
                comprehension
                    .key
                    .iter_mut()
                    .for_each(|key| self.term(key, &inside));
                self.term(&mut comprehension.value, &inside);
            }
            Kind::Template(parts) => {
                let parts = std::mem::take(parts);
                let mut call = self.template(term.span, parts, safe);
                self.term(&mut call, safe);
                *term = call;
            }
        }
    }

    fn template(&mut self, span: Span, parts: Vec<Part>, safe: &Known<'_>) -> Term {
        let mut items = Vec::with_capacity(parts.len());
        if parts.is_empty() {
            items.push(Term::string(span, ""));
        }
        for part in parts {
            match part {
                Part::Text(text) => items.push(Term::string(span, &text)),
                Part::Expr(expr) => items.extend(self.part(*expr, safe)),
            }
        }
        let callee = match builtins::find("internal.template_string") {
            Some(id) => Callee::Builtin(id),
            None => Callee::Unknown("internal.template_string".to_owned()),
        };
        let args = vec![super::resolve_term::fold(Term::new(span, Kind::Array(items)))];
        Term::new(span, Kind::Call(Box::new(Call { callee, args })))
    }

    /// The set that stands for one expression.
    fn part(&mut self, expr: Expr, safe: &Known<'_>) -> Option<Term> {
        let span = expr.span;
        let term = match expr.kind {
            ExprKind::Term(term) => term,
            ExprKind::Call(call) => {
                if let Callee::Builtin(id) = &call.callee
                    && id.get().relation
                {
                    let name = id.get().name;
                    let message =
                        format!("illegal call to relation built-in '{name}' that may cause multiple outputs");
                    self.findings.fatal(Code::RegoCompile, span, message);
                    return None;
                }
                self.findings.hide_place(span);
                Term::new(span, Kind::Call(Box::new(call)))
            }
            ExprKind::And(..) => return self.unexpected(span, "LogicalAnd"),
            ExprKind::Or(..) => return self.unexpected(span, "LogicalOr"),
            ExprKind::Not(_) => return self.unexpected(span, "Not"),
            ExprKind::Every { .. } => return self.unexpected(span, "Every"),
            ExprKind::Eq { .. } => return self.unexpected(span, "Term"),
        };
        let plain = match &term.kind {
            Kind::Var(_) => true,
            Kind::Ref(reference) => self.is_defined(reference),
            _ => false,
        };
        if plain {
            return Some(super::resolve_term::fold(Term::new(span, Kind::Set(vec![term]))));
        }
        for var in open_in_term(&term) {
            if !safe.contains(var) {
                let message = format!("var {} is undeclared", self.vars.text(var));
                self.findings.fatal(Code::RegoCompile, span, message);
            }
        }
        let var = self.vars.generated();
        let mut capture = Expr::capture(var, term);
        capture.generated = false;
        capture.with = expr.with;
        Some(Term::new(
            span,
            Kind::Comprehension(Box::new(Comprehension {
                kind: ComprehensionKind::Set,
                key: None,
                value: Term::var(span, var),
                body: vec![capture],
            })),
        ))
    }

    fn unexpected(&mut self, span: Span, kind: &str) -> Option<Term> {
        let message = format!("unexpected template-string expression type: *ast.{kind}");
        self.findings.fatal(Code::RegoCompile, span, message);
        None
    }

    fn is_defined(&self, reference: &Ref) -> bool {
        let constant_path = matches!(reference.head, Head::Data)
            && !reference.path.is_empty()
            && reference
                .path
                .iter()
                .all(|element| matches!(element.kind, Kind::Const(Constant::String(_))));
        constant_path
            && self
                .tree
                .find(&reference.path)
                .is_some_and(|node| self.tree.is_defined(node))
    }
}

/// Whether a modifier's value is a builtin: to OPA that is a variable without a value here, so that the statement binds
/// nothing.
fn by_builtin(with: &With) -> bool {
    matches!(with.value.kind, Kind::Builtin(_))
}
