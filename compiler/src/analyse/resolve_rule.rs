//! Names to variables and documents: modules, rules and their heads.

use super::declared::{self, Names};
use super::findings::Findings;
use super::globals::{Exports, Uses, package, rule_names, shadowed_roots};
use super::keys;
use super::resolve::{Known, Resolver};
use super::tree::{self, Clause, Expr, Kind, Module, Program, Rule, Term, VarName, Vars};
use super::{rename, vars};
use crate::ast::{self, Dialect, TermKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::VarId;
use crate::source::Span;
use gavel_runtime::value::Constant;
use std::collections::HashSet;

/// What resolution found beside the program, kept apart because OPA reports it at different stages.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Broken declarations: nothing later makes sense.
    pub(super) errors: Vec<Diagnostic>,
    /// Unused variables.
    pub(super) unused: Vec<Diagnostic>,
    /// Used imports of each module, by index.
    pub(super) used_imports: Vec<HashSet<usize>>,
}

/// Parameters that are named like a root document; branches behind `else` repeat nothing.
pub(super) fn check_parameters(modules: &[ast::Module<'_>], findings: &mut Findings) {
    for rule in modules.iter().flat_map(|module| module.rules) {
        if let Some((root, _)) = shadowed_roots(rule.head.args.unwrap_or_default()) {
            let message = format!("args must not shadow {root} (use a different variable name)");
            findings.fatal(Code::RegoCompile, rule.span, message);
        }
    }
}

/// Resolves all modules.
pub(super) fn resolve(modules: &[ast::Module<'_>], known: &Known) -> (Program, Report) {
    let exports = Exports::of(modules);
    let mut program = Program::default();
    let mut report = Report::default();
    for module in modules {
        let globals = exports.globals(module);
        let mut uses = Uses::default();
        let package = package(module);
        let rules = module
            .rules
            .iter()
            .zip(rule_names(module))
            .map(|(rule, name)| {
                let dialect = Dialect {
                    new_not: rule.new_not,
                    ..module.dialect
                };
                let resolver = Resolver::new(&globals, &mut uses, dialect, known);
                let resolver = RuleResolver {
                    resolver,
                    rule,
                    head_builtins: Vec::new(),
                };
                resolver.resolve(&package, &name, &mut report)
            })
            .collect();
        report.used_imports.push(uses.imports);
        program.modules.push(Module {
            file: module.package.span.file,
            span: module.package.span,
            package,
            dialect: module.dialect,
            last_uses: uses.last,
            rules,
        });
    }
    (program, report)
}

struct RuleResolver<'g, 'a, 'r> {
    resolver: Resolver<'g, 'a>,
    rule: &'r ast::Rule<'a>,
    /// As [`crate::hir::Rule::head_builtins`].
    head_builtins: Vec<VarId>,
}

/// Head, value and body of one clause as written.
struct Part<'r, 'a> {
    span: Span,
    body: Option<&'r ast::Body<'a>>,
    value: Option<&'r ast::Term<'a>>,
}

impl<'a> RuleResolver<'_, 'a, '_> {
    fn resolve(mut self, package: &[String], name: &str, report: &mut Report) -> Rule {
        let head = &self.rule.head;
        let mut args = self.parameters();
        let parameters = self.resolver.scopes.clone();
        let mut unused_args = self.parameter_names();

        let value = match head.kind {
            ast::HeadKind::Value => head.value.as_ref(),
            ast::HeadKind::Set => head.key.as_ref(),
        };
        let first = Part {
            span: self.rule.span,
            body: self.rule.body.as_ref(),
            value,
        };
        let (mut clause, rest) = self.clause(
            &first,
            head.reference.get(1..).unwrap_or_default(),
            &mut unused_args,
        );
        if self.rule.chained {
            // The head that a further body repeats stands at that body, save for its reference.
            for term in args.iter_mut().flatten().chain([&mut clause.value]) {
                rename::move_term(term, self.rule.span);
            }
        }
        let mut reference: Vec<Term> = package.iter().map(|name| Term::string(head.span, name)).collect();
        reference.push(Term::string(head.span, name));
        let mut lifted = Vec::new();
        for element in rest {
            if element.is_scalar() || element.as_var().is_some() {
                reference.push(element);
            } else {
                let var = self.resolver.vars.generated();
                reference.push(Term::var(element.span, var));
                lifted.push(Expr::capture(var, element));
            }
        }
        tree::append(&mut clause.body, lifted);
        let mut clauses = vec![clause];
        for branch in self.rule.else_branches {
            self.resolver.scopes = parameters.clone();
            let part = Part {
                span: branch.span,
                body: branch.body.as_ref(),
                value: branch.value.as_ref(),
            };
            clauses.push(self.clause(&part, &[], &mut unused_args).0);
        }
        self.refuse_unused(unused_args);
        report.errors.append(&mut self.resolver.errors);
        report.unused.append(&mut self.resolver.unused);
        Rule {
            span: self.rule.span,
            is_default: self.rule.is_default,
            is_set: head.kind == ast::HeadKind::Set,
            new_not: self.rule.new_not,
            args,
            reference,
            clauses,
            vars: self.resolver.vars,
            head_builtins: self.head_builtins,
        }
    }

    /// What strict mode says of arguments that nothing reads.
    fn refuse_unused(&mut self, arguments: Vec<(String, VarId)>) {
        if !self.resolver.strict {
            return;
        }
        for (name, _) in arguments {
            let message = format!("unused argument {name}. (hint: use _ (wildcard variable) instead)");
            let found = Diagnostic::error(Code::RegoCompile, self.rule.head.span, message);
            self.resolver.unused.push(found);
        }
    }

    /// One clause; also the rest of the head's reference, resolved in the clause's block.
    fn clause(
        &mut self,
        part: &Part<'_, 'a>,
        rest: &[ast::Term<'a>],
        unused_args: &mut Vec<(String, VarId)>,
    ) -> (Clause, Vec<Term>) {
        let mut hidden = Names::new();
        for arg in self.rule.head.args.unwrap_or_default() {
            declared::bound_names(arg, &mut hidden);
        }
        if let Some(body) = part.body {
            declared::in_body(body, &mut hidden);
        }
        self.resolver.hidden = vec![hidden];
        self.resolver.shadowed_builtins = HashSet::new();
        if let Some(body) = part.body {
            self.shadow_builtins(body);
        }
        // Errors of one clause must not silence the unused variables of another, nor those of a head those of its body.
        let mut before = std::mem::take(&mut self.resolver.errors);
        let mut unused_before = std::mem::take(&mut self.resolver.unused);
        self.resolver.raw = true;
        let mut value = match part.value {
            Some(value) => self.resolver.term(value),
            None => Term::boolean(part.span, true),
        };
        self.resolver.raw = false;
        before.append(&mut self.resolver.errors);
        unused_before.append(&mut self.resolver.unused);
        let of_head = self.resolver.scopes.undeclared_names(&vars::all_in_term(&value));
        let mut used: Names<'_> = of_head.iter().map(String::as_str).collect();
        rest.iter()
            .for_each(|element| declared::all_names(element, &mut used));
        part.value
            .iter()
            .for_each(|value| declared::called_names(value, &mut used));
        let body = match part.body {
            Some(body) => self.resolver.body(body, &used),
            None => vec![Expr::always(part.span)],
        };
        unused_args.retain(|(name, _)| self.resolver.scopes.uses(name) <= 1);
        let rest = rest.iter().map(|element| self.resolver.term(element)).collect();
        rename::in_term(&mut value, &self.resolver.scopes.renames());
        let of_value = vars::all_in_term(&value);
        unused_args.retain(|(_, var)| !of_value.contains(var));
        let of_head = of_value.into_iter().filter(|var| self.means_builtin(*var));
        let of_head: Vec<VarId> = of_head.collect();
        self.head_builtins.extend(of_head);
        self.resolver.errors.splice(0..0, before);
        self.resolver.unused.splice(0..0, unused_before);
        let clause = Clause {
            span: part.span,
            body,
            value,
        };
        (clause, rest)
    }

    /// Whether a variable that nothing declares has a builtin's name, and the body does not use it.
    fn means_builtin(&self, var: VarId) -> bool {
        let resolver = &self.resolver;
        match resolver.vars.name(var) {
            VarName::Written(name) => {
                resolver.vars.is_undeclared(var)
                    && !resolver.shadowed_builtins.contains(name)
                    && resolver.builtin(name).is_some()
            }
            VarName::Wildcard | VarName::Generated => false,
        }
    }

    /// Notes the builtins whose names the body uses for variables that it does not declare.
    fn shadow_builtins(&mut self, body: &ast::Body<'a>) {
        let mut names = Names::new();
        declared::open_names_in_body(body, self.rule.new_not, &mut names);
        let mut declared_names = Names::new();
        declared::in_body(body, &mut declared_names);
        let mut replaced = Names::new();
        declared::names_in_withs(body, &mut replaced);
        for name in names {
            let is_variable =
                self.resolver.global(name).is_none() && self.resolver.scopes.declared(name).is_none();
            if is_variable
                && !declared_names.contains(name)
                && !replaced.contains(name)
                && self.resolver.builtin(name).is_some()
            {
                self.resolver.shadowed_builtins.insert(name.to_owned());
            }
        }
    }

    /// The patterns of the parameters. OPA looks up no rule or import in them, not even in their comprehensions.
    fn parameters(&mut self) -> Option<Vec<Term>> {
        let args = self.rule.head.args.filter(|args| !args.is_empty())?;
        self.resolver.no_globals = true;
        let found = args.iter().map(|arg| self.parameter(arg)).collect();
        self.resolver.no_globals = false;
        if self.rule.chained {
            for error in &mut self.resolver.errors {
                error.span = Some(self.rule.span);
            }
        }
        Some(found)
    }

    fn parameter_names(&self) -> Vec<(String, VarId)> {
        let mut names: Vec<(String, VarId)> = self
            .resolver
            .scopes
            .declared_here()
            .into_iter()
            .map(|declared| (declared.name, declared.var))
            .collect();
        names.sort();
        names
    }

    /// A parameter's pattern: declares its variables.
    fn parameter(&mut self, arg: &ast::Term<'a>) -> Term {
        let span = arg.span;
        let kind = match arg.kind {
            TermKind::Var(name) => Kind::Var(self.resolver.scopes.parameter(&mut self.resolver.vars, name)),
            TermKind::Array(items) => Kind::Array(items.iter().map(|item| self.parameter(item)).collect()),
            TermKind::Object(entries) => {
                let keyed = entries
                    .iter()
                    .map(|(key, value)| (self.parameter_key(key), value));
                let mut entries = keyed.collect();
                keys::merge(&mut entries, &self.resolver.vars);
                let entries = entries.into_iter();
                Kind::Object(entries.map(|(key, value)| (key, self.parameter(value))).collect())
            }
            TermKind::Ref { head, path } => {
                let head = match self.parameter(head) {
                    Term {
                        kind: Kind::Var(var), ..
                    } => tree::Head::Var(var),
                    head => tree::Head::Term(head),
                };
                let path = path.iter().map(|element| self.parameter(element)).collect();
                Kind::Ref(Box::new(tree::Ref { head, path }))
            }
            TermKind::Call { .. }
            | TermKind::Infix { .. }
            | TermKind::KeyValueIn { .. }
            | TermKind::Negate(_) => {
                self.resolver.error(span, "rule arguments cannot contain calls");
                Kind::Const(Constant::Null)
            }
            TermKind::Null
            | TermKind::Bool(_)
            | TermKind::Number(_)
            | TermKind::String { .. }
            | TermKind::Set(_)
            | TermKind::ArrayComprehension { .. }
            | TermKind::SetComprehension { .. }
            | TermKind::ObjectComprehension { .. }
            | TermKind::Template { .. } => return self.resolver.term(arg),
        };
        super::resolve_term::fold(Term::new(span, kind))
    }

    fn parameter_key(&mut self, key: &ast::Term<'a>) -> Term {
        match key.kind {
            TermKind::Var(name) if name != "_" => {
                let var = match self.resolver.scopes.declared(name) {
                    Some(var) => var,
                    None => self.resolver.scopes.undeclared(&mut self.resolver.vars, name),
                };
                Term::var(key.span, var)
            }
            _ => self.resolver.term(key),
        }
    }
}

impl Vars {
    /// Whether a message may name the variable.
    pub(super) fn is_written(&self, var: VarId) -> bool {
        matches!(self.name(var), VarName::Written(_) | VarName::Wildcard)
    }
}
