//! Names that must not be: rules, parameters and variables called like a root document, imports that hide each other or
//! that nobody uses.

use super::declared;
use super::findings::Findings;
use super::globals::{import_name, import_root, root_name, rule_name, shadowed_roots};
use crate::ast::visit::Visit;
use crate::ast::{self, Literal, LiteralKind, Term, TermKind};
use crate::diagnostic::Code;
use std::collections::{HashMap, HashSet};

/// Root documents as names of rules, parameters and variables, where v1 or strict mode forbid it.
pub(super) fn check_overrides(modules: &[ast::Module<'_>], strict: bool, findings: &mut Findings) {
    for module in modules.iter().filter(|module| strict || module.dialect.v1) {
        for rule in module.rules {
            if let Some(root) = root_name(rule_name(&rule.head)) {
                let message = format!("rules must not shadow {root} (use a different rule name)");
                findings.recoverable(Code::RegoCompile, rule.span, message);
            }
            if let Some((root, span)) = shadowed_roots(rule.head.args.unwrap_or_default()) {
                let message = format!("args must not shadow {root} (use a different variable name)");
                findings.recoverable(Code::RegoCompile, span, message);
            }
            let bodies = rule.body.iter().chain(
                rule.else_branches
                    .iter()
                    .filter_map(|branch| branch.body.as_ref()),
            );
            for body in bodies {
                overrides_in_body(body, findings);
            }
            let values = rule.else_branches.iter().filter_map(|branch| branch.value);
            for term in rule.head.key.into_iter().chain(rule.head.value).chain(values) {
                for closure in declared::closures_in_term(&term) {
                    overrides_directly_in(&closure, findings);
                }
            }
        }
    }
}

/// As [`check_overrides`], for a query in strict mode.
pub(super) fn overrides_in_body(body: &ast::Body<'_>, findings: &mut Findings) {
    overrides_directly_in(body, findings);
    for closure in declared::closures_in_body(body) {
        overrides_directly_in(&closure, findings);
    }
}

/// In the statements of a body and of the bodies in them, comprehensions apart.
fn overrides_directly_in(body: &ast::Body<'_>, findings: &mut Findings) {
    Overrides(findings).visit_body(body);
}

struct Overrides<'f>(&'f mut Findings);

impl<'t, 'a: 't> Visit<'t, 'a> for Overrides<'_> {
    fn visit_literal(&mut self, literal: &'t Literal<'a>) {
        if let LiteralKind::Assign(left, _) = declared::literal_kind(literal)
            && let TermKind::Var(name) = left.kind
            && let Some(root) = root_name(name)
        {
            let message = format!("variables must not shadow {root} (use a different variable name)");
            self.0.recoverable(Code::RegoCompile, literal.span, message);
        }
        self.walk_literal(literal);
    }

    fn visit_term(&mut self, _: &'t Term<'a>) {}
}

/// Imports of one name, where v1 or strict mode forbid it.
pub(super) fn check_imports(modules: &[ast::Module<'_>], strict: bool, findings: &mut Findings) {
    for module in modules.iter().filter(|module| strict || module.dialect.v1) {
        let mut first: HashMap<&str, &ast::Import<'_>> = HashMap::new();
        // Each wildcard is another alias.
        let is_wildcard = |import: &ast::Import<'_>| import.alias.is_some_and(|alias| alias.text == "_");
        for import in module.imports.iter().filter(|import| !is_wildcard(import)) {
            match first.get(import_name(import)) {
                Some(earlier) => {
                    let message = format!("import must not shadow {}", import_text(earlier));
                    findings.recoverable(Code::RegoCompile, import.span, message);
                }
                None => {
                    first.insert(import_name(import), import);
                }
            }
        }
    }
}

/// Strict mode: imports that no rule uses.
pub(super) fn check_unused_imports(
    modules: &[ast::Module<'_>],
    used: &[HashSet<usize>],
    findings: &mut Findings,
) {
    for (module, used) in modules.iter().zip(used) {
        let names: HashSet<&str> = used
            .iter()
            .filter_map(|index| module.imports.get(*index))
            .map(import_name)
            .collect();
        for import in module.imports {
            if import_root(import).is_some() && !names.contains(import_name(import)) {
                let message = format!("{} unused", import_text(import));
                findings.recoverable(Code::RegoCompile, import.span, message);
            }
        }
    }
}

fn import_text(import: &ast::Import<'_>) -> String {
    let mut names = import.path.iter().map(|name| name.text.to_owned());
    let first = names.next().unwrap_or_default();
    let path = super::text::dotted(&first, &names.collect::<Vec<_>>());
    match import.alias {
        Some(alias) => format!("import {path} as {}", alias.text),
        None => format!("import {path}"),
    }
}
