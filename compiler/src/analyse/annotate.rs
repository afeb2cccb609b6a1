//! METADATA blocks of all modules put together, and `rego.metadata.rule()` and `.chain()` replaced by what they are in
//! each rule: a variable that is set at the start of the body.
//!
//! As in OPA, a branch behind `else` is a rule of its own here, without annotations; a call loses its `with` and its
//! legacy negation when it is replaced.

use super::findings::Findings;
use super::tree::{self, Body, Callee, Clause, Expr, ExprKind, Kind, Program, Rule, Term, Vars};
use super::walk::{self, Place};
use crate::ast;
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::{RuleSchemas, VarId};
use crate::metadata::{self, Annotated, Annotation, Scope, Set};
use crate::source::{SourceMap, Span};
use gavel_runtime::value::Constant;

const CHAIN: &str = "rego.metadata.chain";
const RULE: &str = "rego.metadata.rule";

/// Reads the annotations that count, and replaces the calls. `all`: annotations count even if no rule asks for them, and
/// their schemas, which are handed back by rule.
pub(super) fn annotate(
    program: &mut Program,
    sources: &SourceMap,
    modules: &[ast::Module<'_>],
    all: bool,
    findings: &mut Findings,
) -> Vec<RuleSchemas> {
    let called = is_called(program);
    if !all && !called {
        return Vec::new();
    }
    let mut order: Vec<usize> = (0..modules.len()).collect();
    let name = |index: &usize| {
        modules
            .get(*index)
            .map(|module| &sources.source(module.package.span.file).name)
    };
    order.sort_by_key(name);
    let found = order.iter().map(|index| {
        let module = modules.get(*index).zip(program.modules.get(*index));
        module.map_or_else(
            || Err(Vec::new()),
            |(source, module)| annotated(source, module, sources),
        )
    });
    let set = found
        .collect::<Result<Vec<_>, _>>()
        .and_then(|annotated| Set::new(annotated, sources));
    let set = match set {
        Ok(set) => set,
        Err(problems) => {
            findings.fatal_all(problems);
            return Vec::new();
        }
    };
    if called {
        for (position, index) in order.iter().enumerate() {
            let rules = program.modules.get_mut(*index).map(|module| &mut module.rules);
            for (rule, found) in rules.into_iter().flatten().enumerate() {
                replace(found, &set, (position, rule), findings);
            }
        }
    }
    if all && set.has_schemas() {
        schemas(program, &set, &order)
    } else {
        Vec::new()
    }
}

/// The schemas of each rule. `order`: the module at each position of the set.
fn schemas(program: &Program, set: &Set, order: &[usize]) -> Vec<RuleSchemas> {
    let mut found = Vec::new();
    for (index, module) in program.modules.iter().enumerate() {
        let position = order.iter().position(|of| *of == index).unwrap_or(index);
        for rule in 0..module.rules.len() {
            let mut of_rule = RuleSchemas::default();
            for annotation in set.with_schemas(position, rule) {
                let list = match annotation.scope {
                    Scope::Rule => &mut of_rule.own,
                    Scope::Document | Scope::Package | Scope::Subpackages => &mut of_rule.shared,
                };
                list.extend(annotation.fields.schemas.iter().cloned());
            }
            found.push(of_rule);
        }
    }
    found
}

/// The annotations of one module; what is wrong with them was reported by the parser if it was asked to look.
fn annotated(
    source: &ast::Module<'_>,
    module: &tree::Module,
    sources: &SourceMap,
) -> Result<Annotated, Vec<Diagnostic>> {
    let text = &sources.source(module.file).text;
    let (blocks, problems) = metadata::read(text, source.comments);
    if !problems.is_empty() {
        return Err(problems);
    }
    let (annotations, problems) = metadata::attach(blocks, source, text);
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Annotated {
        package: module.package.clone(),
        rules: module.rules.iter().map(ground_prefix).collect(),
        annotations,
    })
}

fn ground_prefix(rule: &Rule) -> Vec<Constant> {
    rule.reference
        .iter()
        .map_while(|element| element.as_const().cloned())
        .collect()
}

fn is_called(program: &Program) -> bool {
    let mut found = false;
    walk::program(program, &mut |place| {
        found |= matches!(place, Place::Expr(expr) if called(expr).is_some());
    });
    found
}

/// Which of the two an expression calls.
fn called(expr: &Expr) -> Option<&'static str> {
    let ExprKind::Call(call) = &expr.kind else {
        return None;
    };
    let Callee::Builtin(id) = &call.callee else {
        return None;
    };
    match id.get().name {
        name @ (CHAIN | RULE) => Some(name),
        _ => None,
    }
}

/// Replaces the calls of one rule.
fn replace(rule: &mut Rule, set: &Set, at: (usize, usize), findings: &mut Findings) {
    for (position, clause) in rule.clauses.iter_mut().enumerate() {
        let is_else = position > 0;
        let chain = first_call(clause, CHAIN).map(|span| {
            let links = set.chain(at.0, at.1, is_else);
            let links = links.into_iter().map(|link| {
                let mut entries = vec![(text("path"), Constant::Array(link.path))];
                if let Some(annotation) = link.annotation {
                    entries.push((text("annotations"), value(annotation, findings)));
                }
                Constant::object(entries)
            });
            (span, Constant::Array(links.collect()))
        });
        let own = first_call(clause, RULE).map(|span| {
            let annotation = set.primary(at.0, at.1).filter(|_| !is_else);
            let value = annotation.map(|annotation| value(annotation, findings));
            (span, value.unwrap_or_else(|| Constant::object(Vec::new())))
        });
        if chain.is_none() && own.is_none() {
            continue;
        }
        let mut body = Body::new();
        let chain = chain.map(|found| capture(found, &mut rule.vars, &mut body));
        let own = own.map(|found| capture(found, &mut rule.vars, &mut body));
        tree::append(&mut body, std::mem::take(&mut clause.body));
        clause.body = body;
        let mut here = |body: &mut Body| {
            body.iter_mut().for_each(|expr| replace_call(expr, chain, own));
            true
        };
        walk::bodies_mut(&mut clause.body, &mut here);
        walk::bodies_in_term(&mut clause.value, &mut here);
    }
}

fn first_call(clause: &Clause, name: &str) -> Option<Span> {
    let mut found = None;
    walk::clause(clause, &mut |place| {
        if let Place::Expr(expr) = place
            && found.is_none()
            && called(expr) == Some(name)
        {
            found = Some(expr.span);
        }
    });
    found
}

fn capture((span, value): (Span, Constant), vars: &mut Vars, body: &mut Body) -> VarId {
    let var = vars.generated();
    body.push(Expr::capture(var, Term::new(span, Kind::Const(value))));
    var
}

fn value(annotation: &Annotation, findings: &mut Findings) -> Constant {
    metadata::of_annotation(annotation).unwrap_or_else(|reason| {
        findings.fatal(Code::RegoCompile, annotation.span, reason);
        Constant::Null
    })
}

fn text(text: &str) -> Constant {
    Constant::String(text.to_owned())
}

fn replace_call(expr: &mut Expr, chain: Option<VarId>, own: Option<VarId>) {
    let var = match called(expr) {
        Some(CHAIN) => chain,
        Some(RULE) => own,
        _ => None,
    };
    let (Some(var), ExprKind::Call(call)) = (var, &expr.kind) else {
        return;
    };
    let term = Term::var(expr.span, var);
    let mut replaced = Expr::new(
        expr.span,
        match call.args.first() {
            Some(output) => ExprKind::Eq {
                left: output.clone(),
                right: term,
                directed: false,
            },
            None => ExprKind::Term(term),
        },
    );
    replaced.generated = true;
    *expr = replaced;
}
