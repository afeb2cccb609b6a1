//! The ordered tree to HIR: nested references and comprehensions get variables before the statement that reads them.
//!
//! `==` becomes unification here, after the safety check that must not let it bind. Statements with the same `with`
//! modifiers that stand side by side share one block.

use super::keys;
use super::rule_tree::RuleTree;
use super::tree::{self, Body, Call, Callee, Comprehension, Expr, ExprKind, Kind, Program, Term, Vars, With};
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::{self, Block, ComprehensionKind, Ordered, RefHead, RuleKind, Stmt, StmtKind, Unit};
use crate::source::Span;
use gavel_runtime::value::Constant;

/// Parts of a unit that do not come from the tree.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) base: Option<Constant>,
    pub(super) schemas: Vec<hir::RuleSchemas>,
}

/// Lowers the whole program; also what it holds that no plan can be made for.
pub(super) fn lower(program: Program, tree: &RuleTree, given: Given) -> (Ordered, Vec<Diagnostic>) {
    let mut unit = Unit {
        base: given.base,
        schemas: given.schemas,
        ..Unit::default()
    };
    let mut errors = Vec::new();
    for (index, module) in program.modules.into_iter().enumerate() {
        unit.modules.push(hir::ModuleMeta {
            file: module.file,
            package: module.package,
            dialect: module.dialect,
            last_uses: module.last_uses,
        });
        for rule in module.rules {
            unit.rules.push(lower_rule(rule, index, tree, &mut errors));
        }
    }
    (Ordered(unit), errors)
}

/// Lowers the ordered body of a query. `==` stays a call there, as in OPA.
pub(super) fn lower_query(body: Body, vars: &mut Vars, tree: &RuleTree) -> (Block, Vec<Diagnostic>) {
    let mut lowering = Lowering {
        vars,
        tree,
        equal_unifies: false,
        errors: Vec::new(),
    };
    let block = lowering.block(body);
    (block, lowering.errors)
}

fn lower_rule(rule: tree::Rule, module: usize, tree: &RuleTree, errors: &mut Vec<Diagnostic>) -> hir::Rule {
    let mut vars = rule.vars;
    let mut lowering = Lowering {
        vars: &mut vars,
        tree,
        equal_unifies: true,
        errors: Vec::new(),
    };
    let split = rule
        .reference
        .iter()
        .take_while(|term| matches!(term.kind, Kind::Const(Constant::String(_))))
        .count();
    let mut path = Vec::with_capacity(split);
    let mut dynamic = Vec::new();
    for element in rule.reference {
        match element.kind {
            Kind::Const(Constant::String(name)) if dynamic.is_empty() => path.push(name),
            kind => dynamic.push(lowering.plain(Term::new(element.span, kind))),
        }
    }
    let kind = match (&rule.args, rule.is_set) {
        (Some(_), _) => RuleKind::Function,
        (None, true) => RuleKind::Set,
        (None, false) => RuleKind::Value,
    };
    let args = rule
        .args
        .unwrap_or_default()
        .into_iter()
        .map(|arg| lowering.plain(arg))
        .collect();
    let clauses = rule
        .clauses
        .into_iter()
        .map(|clause| {
            let mut body = lowering.block(clause.body);
            let value = lowering.head_value(clause.value, &mut body);
            hir::Clause {
                span: clause.span,
                body,
                value,
            }
        })
        .collect();
    errors.append(&mut lowering.errors);
    hir::Rule {
        span: rule.span,
        module,
        kind,
        is_default: rule.is_default,
        new_not: rule.new_not,
        path,
        dynamic,
        args,
        clauses,
        builtin_names: vars.builtin_names(),
        head_builtins: rule.head_builtins,
        var_names: vars.into_names(),
    }
}

pub(super) struct Lowering<'x> {
    pub(super) vars: &'x mut Vars,
    pub(super) tree: &'x RuleTree,
    equal_unifies: bool,
    pub(super) errors: Vec<Diagnostic>,
}

/// Statements under the modifiers of one source literal.
pub(super) struct Group {
    /// Places of the modifiers: they tell groups apart.
    key: Vec<Span>,
    pub(super) with: Vec<With>,
    pub(super) stmts: Vec<Stmt>,
}

impl Lowering<'_> {
    fn block(&mut self, body: Body) -> Block {
        let mut block = Block::default();
        let mut open: Option<Group> = None;
        for mut expr in body {
            let with = std::mem::take(&mut expr.with);
            let key: Vec<Span> = with.iter().map(|with| with.span).collect();
            let mut stmts = Vec::new();
            self.stmt(expr, &mut stmts);
            if let Some(group) = &mut open
                && group.key == key
            {
                group.stmts.append(&mut stmts);
                continue;
            }
            self.close(open.take(), &mut block);
            if key.is_empty() {
                block.stmts.append(&mut stmts);
            } else {
                open = Some(Group { key, with, stmts });
            }
        }
        self.close(open, &mut block);
        block
    }

    fn stmt(&mut self, expr: Expr, out: &mut Vec<Stmt>) {
        let span = expr.span;
        let kind = match expr.kind {
            ExprKind::Term(term) => StmtKind::Test(self.side(term, out)),
            ExprKind::Eq {
                left,
                right,
                directed,
            } => StmtKind::Unify {
                left: self.side(left, out),
                right: self.side(right, out),
                directed,
            },
            ExprKind::Call(call) => self.call(call, out),
            ExprKind::Every(every) => StmtKind::Every {
                key: every.key,
                value: every.value,
                domain: self.operand(every.domain, out),
                body: self.block(every.body),
            },
            ExprKind::Not(operand) => StmtKind::Not(self.block(operand.body)),
            ExprKind::And(left, right) => StmtKind::And(self.block(left.body), self.block(right.body)),
            ExprKind::Or(left, right) => StmtKind::Or(self.block(left.body), self.block(right.body)),
        };
        let stmt = Stmt { span, kind };
        if expr.negated {
            out.push(Stmt {
                span,
                kind: StmtKind::Not(Block { stmts: vec![stmt] }),
            });
        } else {
            out.push(stmt);
        }
    }

    fn call(&mut self, call: Call, out: &mut Vec<Stmt>) -> StmtKind {
        let arity = self.tree.arity(&call.callee).unwrap_or(call.args.len());
        let mut args = call.args;
        if let Callee::Builtin(id) = &call.callee
            && self.equal_unifies
            && id.get().name == "equal"
            && args.len() == 2
            && let (Some(right), Some(left)) = (args.pop(), args.pop())
        {
            return StmtKind::Unify {
                left: self.side(left, out),
                right: self.side(right, out),
                directed: false,
            };
        }
        let mut args: Vec<hir::Term> = args.into_iter().map(|arg| self.operand(arg, out)).collect();
        let result = if args.len() > arity { args.pop() } else { None };
        let callee = match call.callee {
            Callee::Builtin(id) => hir::Callee::Builtin(id),
            Callee::Rule(path) => hir::Callee::Function(path),
            Callee::Unknown(name) => hir::Callee::Function(vec![name]),
        };
        StmtKind::Call {
            callee,
            args,
            out: result,
        }
    }

    /// A whole side of a unification or a test: a reference or comprehension may stand there.
    fn side(&mut self, term: Term, out: &mut Vec<Stmt>) -> hir::Term {
        match term.kind {
            Kind::Ref(reference) => hir::Term::Ref(Box::new(self.reference(term.span, *reference, out))),
            Kind::Comprehension(comprehension) => self.comprehension(term.span, *comprehension),
            _ => self.operand(term, out),
        }
    }

    /// A term without references and comprehensions; those get variables.
    fn operand(&mut self, term: Term, out: &mut Vec<Stmt>) -> hir::Term {
        let span = term.span;
        match term.kind {
            Kind::Ref(reference) => {
                let reference = self.reference(span, *reference, out);
                self.captured(span, hir::Term::Ref(Box::new(reference)), out)
            }
            Kind::Comprehension(comprehension) => {
                let comprehension = self.comprehension(span, *comprehension);
                self.captured(span, comprehension, out)
            }
            Kind::Array(items) => {
                hir::Term::Array(items.into_iter().map(|item| self.operand(item, out)).collect())
            }
            Kind::Set(items) => {
                hir::Term::Set(items.into_iter().map(|item| self.operand(item, out)).collect())
            }
            Kind::Object(mut entries) => {
                keys::sort(&mut entries, self.vars);
                let entries = entries.into_iter();
                let lowered = entries.map(|(key, value)| (self.operand(key, out), self.operand(value, out)));
                hir::Term::Object(lowered.collect())
            }
            kind => self.plain(Term::new(span, kind)),
        }
    }

    fn captured(&mut self, span: Span, term: hir::Term, out: &mut Vec<Stmt>) -> hir::Term {
        let var = self.vars.generated();
        out.push(Stmt {
            span,
            kind: StmtKind::Unify {
                left: hir::Term::Var(var),
                right: term,
                directed: false,
            },
        });
        hir::Term::Var(var)
    }

    /// A term that earlier stages left without calls, references and comprehensions.
    pub(super) fn plain(&mut self, term: Term) -> hir::Term {
        match term.kind {
            Kind::Const(constant) => hir::Term::Const(constant),
            Kind::Var(var) => hir::Term::Var(var),
            Kind::Array(items) => hir::Term::Array(items.into_iter().map(|item| self.plain(item)).collect()),
            Kind::Set(items) => hir::Term::Set(items.into_iter().map(|item| self.plain(item)).collect()),
            Kind::Object(mut entries) => {
                keys::sort(&mut entries, self.vars);
                let entries = entries.into_iter();
                hir::Term::Object(
                    entries
                        .map(|(key, value)| (self.plain(key), self.plain(value)))
                        .collect(),
                )
            }
            Kind::Ref(_) | Kind::Call(_) | Kind::Comprehension(_) | Kind::Template(_) | Kind::Builtin(_) => {
                self.errors.push(Diagnostic::error(
                    Code::Unsupported,
                    term.span,
                    "this kind of term is not supported here",
                ));
                hir::Term::Const(Constant::Null)
            }
        }
    }

    /// A head's value: a constant or a variable.
    fn head_value(&mut self, value: Term, body: &mut Block) -> hir::Term {
        let span = value.span;
        let value = self.plain(value);
        match value {
            hir::Term::Const(_) | hir::Term::Var(_) => value,
            hir::Term::Array(_)
            | hir::Term::Object(_)
            | hir::Term::Set(_)
            | hir::Term::Ref(_)
            | hir::Term::Comprehension(_) => self.captured(span, value, &mut body.stmts),
        }
    }

    fn reference(&mut self, span: Span, reference: tree::Ref, out: &mut Vec<Stmt>) -> hir::Ref {
        let head = match reference.head {
            tree::Head::Input => RefHead::Input,
            tree::Head::Data => RefHead::Data,
            tree::Head::Var(var) => RefHead::Var(var),
            tree::Head::Term(term) => match term.kind {
                Kind::Const(constant) => RefHead::Const(constant),
                kind => match self.operand(Term::new(term.span, kind), out) {
                    hir::Term::Var(var) => RefHead::Var(var),
                    other => match self.captured(term.span, other, out) {
                        hir::Term::Var(var) => RefHead::Var(var),
                        _ => RefHead::Const(Constant::Null),
                    },
                },
            },
        };
        let path = reference
            .path
            .into_iter()
            .map(|element| self.operand(element, out))
            .collect();
        hir::Ref { span, head, path }
    }

    fn comprehension(&mut self, span: Span, comprehension: Comprehension) -> hir::Term {
        let mut body = self.block(comprehension.body);
        let key = comprehension.key.map(|key| self.head_value(key, &mut body));
        let value = self.head_value(comprehension.value, &mut body);
        let kind = match (comprehension.kind, key) {
            (tree::ComprehensionKind::Array, _) => ComprehensionKind::Array(value),
            (tree::ComprehensionKind::Object, Some(key)) => ComprehensionKind::Object(key, value),
            (tree::ComprehensionKind::Set | tree::ComprehensionKind::Object, _) => {
                ComprehensionKind::Set(value)
            }
        };
        hir::Term::Comprehension(Box::new(hir::Comprehension { span, kind, body }))
    }
}
