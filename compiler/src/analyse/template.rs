//! Template strings become calls of `internal.template_string`: each expression a set of at most one value, so that an
//! undefined one is an empty set and not a failure.

use super::findings::Findings;
use super::outputs;
use super::rule_tree::RuleTree;
use super::tree::{
    Body, Call, Callee, Comprehension, ComprehensionKind, Every, Expr, ExprKind, Head, Kind, Operand, Part,
    Program, Ref, Term, Vars, With,
};
use super::vars::{self, Known, VarSet, open_in_term};
use super::walk::VisitMut;
use crate::diagnostic::Code;
use crate::source::Span;
use gavel_runtime::builtins;
use gavel_runtime::value::Constant;

/// Lowers the templates of all rules.
pub(super) fn lower(program: &mut Program, tree: &RuleTree, findings: &mut Findings) {
    for module in &mut program.modules {
        for rule in &mut module.rules {
            let mut lowering = Lowering {
                tree,
                known: Known::new(vars::parameters(rule)),
                vars: &mut rule.vars,
                findings,
            };
            for clause in &mut rule.clauses {
                lowering.known.enter();
                lowering.statements(&mut clause.body);
                lowering.walk_terms(rule.args.as_deref_mut().unwrap_or_default());
                lowering.visit_term(&mut clause.value);
                lowering.known.leave();
            }
        }
    }
}

/// Lowers the templates of a query.
pub(super) fn lower_query(body: &mut Body, tree: &RuleTree, vars: &mut Vars, findings: &mut Findings) {
    let mut lowering = Lowering {
        tree,
        known: Known::new(VarSet::new()),
        vars,
        findings,
    };
    lowering.visit_body(body);
}

struct Lowering<'x> {
    tree: &'x RuleTree,
    known: Known,
    vars: &'x mut Vars,
    findings: &'x mut Findings,
}

impl VisitMut for Lowering<'_> {
    fn visit_body(&mut self, body: &mut Body) {
        self.known.enter();
        self.statements(body);
        self.known.leave();
    }

    fn visit_every(&mut self, every: &mut Every) {
        self.visit_term(&mut every.domain);
        self.known.enter();
        self.known.extend(every.vars());
        self.visit_body(&mut every.body);
        self.known.leave();
    }

    /// An operand binds nothing for its own statements here.
    fn visit_operand(&mut self, operand: &mut Operand) {
        self.walk_body(&mut operand.body);
    }

    /// What is replaced is not evaluated.
    fn visit_with(&mut self, with: &mut With) {
        self.visit_term(&mut with.value);
    }

    fn visit_comprehension(&mut self, comprehension: &mut Comprehension) {
        self.known.enter();
        self.statements(&mut comprehension.body);
        if let Some(key) = &mut comprehension.key {
            self.visit_term(key);
        }
        self.visit_term(&mut comprehension.value);
        self.known.leave();
    }

    fn visit_term(&mut self, term: &mut Term) {
        if let Kind::Template(parts) = &mut term.kind {
            let parts = std::mem::take(parts);
            *term = self.template(term.span, parts);
        }
        self.walk_term(term);
    }
}

impl Lowering<'_> {
    /// Lowers the statements of a block that is open, with all that they bind known.
    fn statements(&mut self, body: &mut Body) {
        let arity = |callee: &Callee| self.tree.arity(callee);
        let binding = body.iter().filter(|expr| !expr.with.iter().any(by_builtin));
        let bound = outputs::of_body(binding, &arity, &|var| self.known.contains(var));
        self.known.extend(bound);
        self.walk_body(body);
    }

    fn template(&mut self, span: Span, parts: Vec<Part>) -> Term {
        let mut items = Vec::with_capacity(parts.len());
        if parts.is_empty() {
            items.push(Term::string(span, ""));
        }
        for part in parts {
            match part {
                Part::Text(text) => items.push(Term::string(span, &text)),
                Part::Expr(expr) => items.extend(self.part(*expr)),
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
    fn part(&mut self, expr: Expr) -> Option<Term> {
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
            ExprKind::Every(_) => return self.unexpected(span, "Every"),
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
            if !self.known.contains(var) {
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
