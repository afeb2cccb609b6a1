//! Queries against a checked unit: the same stages on a body without a package.

use super::findings::Findings;
use super::globals::{Globals, Uses};
use super::options::AnalyseOptions;
use super::pipeline::{go_on, known};
use super::resolve::Resolver;
use super::rule_tree::RuleTree;
use super::tree::{Body, Callee, Expr, ExprKind, Kind, Term, VarName, Vars};
use super::{calls, declared, expand, lower, names, order, print, template, vars, withs};
use crate::ast;
use crate::diagnostic::Diagnostic;
use crate::hir::{Checked, Query, QueryShape, VarId};
use crate::source::SourceMap;
use crate::types;

/// Checks a query against a unit. The variables that the query writes, wildcards apart, are its results.
pub fn analyse_query(
    sources: &SourceMap,
    unit: &Checked,
    query: &ast::Body<'_>,
    options: &AnalyseOptions,
) -> Result<Query, Vec<Diagnostic>> {
    let mut findings = Findings::new(options.error_limit);
    let found = stages(sources, unit, query, options, &mut findings);
    findings.finish(sources)?;
    found.ok_or_else(Vec::new)
}

fn stages(
    sources: &SourceMap,
    unit: &Checked,
    query: &ast::Body<'_>,
    options: &AnalyseOptions,
    findings: &mut Findings,
) -> Option<Query> {
    if options.strict {
        names::overrides_in_body(query, findings);
        if findings.found_any() {
            return None;
        }
    }
    let tree = RuleTree::of_unit(&unit.0);
    let (mut body, mut vars) = resolve(query, options, findings)?;
    let mut bindings = bindings(&body, &vars);
    if options.query_keeps_declared {
        bindings.retain(|(_, var)| vars.is_undeclared(*var));
    }
    let mut shape = QueryShape::Bindings;
    if options.query_value
        && bindings.is_empty()
        && let Some((var, found)) = capture_value(&mut body, &mut vars)
    {
        bindings.push((String::new(), var));
        shape = found;
    }
    template::lower_query(&mut body, &tree, &mut vars, findings);
    go_on(findings)?;
    print::check_values_in_query(&body, &vars, findings);
    go_on(findings)?;
    print::erase_in_body(&mut body);
    expand::expand_query(&mut body, &mut vars);
    withs::prepare_body(&mut body, &mut vars, &tree, findings);
    go_on(findings)?;
    calls::check_defined_in_query(&body, &tree, findings);
    go_on(findings)?;
    order::order_query(&mut body, &vars, &tree, findings);
    go_on(findings)?;
    let mut late = if options.strict {
        calls::deprecated_in_query(&body)
    } else {
        Vec::new()
    };
    if !options.keep_unsupported {
        late.append(&mut calls::unsupported_in_query(&body, options.network));
    }
    let (block, refused) = lower::lower_query(body, &mut vars, &tree);
    let found = Query {
        block,
        bindings,
        shape,
        builtin_names: vars.builtin_names(),
        var_names: vars.into_names(),
        span: query.span,
    };
    findings.fatal_all(types::check_query(
        sources,
        &unit.0,
        &found,
        options.query_dialect.new_not,
    ));
    go_on(findings)?;
    findings.fatal_all(refused);
    go_on(findings)?;
    findings.recoverable_all(late);
    Some(found)
}

fn resolve(query: &ast::Body<'_>, options: &AnalyseOptions, findings: &mut Findings) -> Option<(Body, Vars)> {
    let globals = Globals::new();
    let known = known(options);
    let mut uses = Uses::default();
    let mut resolver = Resolver::new(&globals, &mut uses, options.query_dialect, &known);
    let mut hidden = declared::Names::new();
    declared::in_body(query, &mut hidden);
    resolver.hidden = vec![hidden];
    let body = resolver.body(query, &declared::Names::new());
    findings.fatal_all(resolver.errors);
    findings.fatal_all(resolver.unused);
    go_on(findings)?;
    Some((body, resolver.vars))
}

/// Written variables that stand directly in the query, in the order of first occurrence.
fn bindings(body: &Body, vars: &Vars) -> Vec<(String, VarId)> {
    vars::open_in_body(body)
        .into_iter()
        .filter_map(|var| match vars.name(var) {
            VarName::Written(name) => Some((name.clone(), var)),
            VarName::Wildcard | VarName::Generated => None,
        })
        .collect()
}

/// Turns a body of one expression into one that gives the expression's value to a new variable.
fn capture_value(body: &mut Body, vars: &mut Vars) -> Option<(VarId, QueryShape)> {
    let [expr] = body.as_mut_slice() else {
        return None;
    };
    if expr.negated {
        return None;
    }
    let mut many = !vars::open_in_expr(expr).is_empty();
    let right = match &expr.kind {
        ExprKind::Term(term) => term.clone(),
        ExprKind::Call(call) => {
            if let Callee::Builtin(id) = call.callee {
                if print::is_void(id) {
                    return None;
                }
                many |= id.get().relation;
            }
            Term::new(expr.span, Kind::Call(Box::new(call.clone())))
        }
        ExprKind::Eq { .. }
        | ExprKind::Every(_)
        | ExprKind::Not(_)
        | ExprKind::And(..)
        | ExprKind::Or(..) => return None,
    };
    let var = vars.generated();
    expr.kind = ExprKind::Eq {
        left: Term::var(expr.span, var),
        right,
        directed: false,
    };
    if !many {
        return Some((var, QueryShape::Value));
    }
    // Among several values OPA shows those that hold.
    let holds = Expr::new(expr.span, ExprKind::Term(Term::var(expr.span, var)));
    body.push(holds);
    Some((var, QueryShape::Values))
}
