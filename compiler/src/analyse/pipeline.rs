//! The order of the stages, and where an analysis ends.

use super::findings::Findings;
use super::options::AnalyseOptions;
use super::resolve::Known;
use super::rule_tree::RuleTree;
use super::tree::Program;
use super::{
    annotate, calls, conflicts, enumeration, expand, lower, names, needs, number_heads, open_defaults, order,
    print, resolve_rule, template, unsafe_vars, withs,
};
use crate::ast;
use crate::diagnostic::Diagnostic;
use crate::hir::{Checked, Ordered, RuleSchemas, Unit};
use crate::source::{SourceMap, Span};
use crate::types;

/// Checks modules that see each other and brings them into the planner's language.
pub fn analyse(
    sources: &SourceMap,
    modules: &[ast::Module<'_>],
    options: &AnalyseOptions,
) -> Result<Checked, Vec<Diagnostic>> {
    let mut findings = Findings::new(options.error_limit);
    move_places(sources, modules, &mut findings);
    let found = stages(sources, modules, options, &mut findings);
    findings.finish(sources)?;
    match found {
        Some(unit) => Ok(Checked(unit)),
        None => Err(Vec::new()),
    }
}

/// OPA's errors in `else if` without braces stand at the `else`.
fn move_places(sources: &SourceMap, modules: &[ast::Module<'_>], findings: &mut Findings) {
    let branches = modules
        .iter()
        .flat_map(|module| module.rules)
        .flat_map(|rule| rule.else_branches);
    for branch in branches {
        let Some(body) = branch.body else { continue };
        let text = &sources.source(body.span.file).text;
        if text.as_bytes().get(body.span.start as usize) != Some(&b'{') {
            let word = Span {
                end: branch.span.start + 4,
                ..branch.span
            };
            findings.move_place(body.span, word);
        }
    }
}

fn stages(
    sources: &SourceMap,
    modules: &[ast::Module<'_>],
    options: &AnalyseOptions,
    findings: &mut Findings,
) -> Option<Unit> {
    let known = known(options);
    resolve_rule::check_parameters(modules, findings);
    go_on(findings)?;
    let (mut program, report) = resolve_rule::resolve(modules, &known);
    if options.strict {
        names::check_unused_imports(modules, &report.used_imports, findings);
    }
    names::check_overrides(modules, options.strict, findings);
    names::check_imports(modules, options.strict, findings);
    findings.fatal_all(report.errors);
    findings.recoverable_all(report.unused);
    go_on(findings)?;

    let tree = RuleTree::of(&program);
    template::lower(&mut program, &tree, findings);
    go_on(findings)?;
    print::check_values(&program, findings);
    go_on(findings)?;
    print::erase(&mut program);
    expand::check_size(&program, findings);
    go_on(findings)?;
    expand::expand(&mut program);
    let schemas = annotate::annotate(&mut program, sources, modules, options.annotations, findings);
    go_on(findings)?;
    let mut graph = needs::graph(&program, &tree);
    expand::expand_heads(&mut program);
    withs::prepare(&mut program, &tree, findings);
    go_on(findings)?;
    conflicts::check(
        &program,
        &tree,
        options.base.as_ref().filter(|_| !options.rules_over_base),
        sources,
        findings,
    );
    go_on(findings)?;
    calls::check_defined(&program, &tree, findings);
    go_on(findings)?;
    unsafe_vars::check_heads(&program, sources, findings);
    go_on(findings)?;
    order::order(&mut program, &tree, sources, findings);
    go_on(findings)?;
    graph.check(&program, findings);
    go_on(findings)?;
    enumeration::extend(&mut graph, &program, &tree);
    graph.check(&program, findings);
    go_on(findings)?;
    finish(sources, program, &tree, schemas, options, findings)
}

/// The stages on an ordered program.
fn finish(
    sources: &SourceMap,
    program: Program,
    tree: &RuleTree,
    schemas: Vec<RuleSchemas>,
    options: &AnalyseOptions,
    findings: &mut Findings,
) -> Option<Unit> {
    let deprecated = calls::deprecated(&program, options.strict);
    let unsupported = if options.keep_unsupported {
        Vec::new()
    } else {
        calls::unsupported(&program, options.network)
    };
    let given = lower::Given {
        base: options.base.clone(),
        schemas,
    };
    let (Ordered(mut unit), refused) = lower::lower(program, tree, given);
    let types = types::check(sources, &unit);
    findings.recoverable_all(types.errors);
    findings.fatal_all(refused);
    findings.recoverable_all(open_defaults::settle(&mut unit));
    findings.recoverable_all(number_heads::check(&unit));
    go_on(findings)?;
    if types.meets_deprecated {
        findings.recoverable_all(deprecated);
    }
    findings.recoverable_all(unsupported);
    Some(unit)
}

pub(super) fn go_on(findings: &Findings) -> Option<()> {
    (!findings.stopped()).then_some(())
}

pub(super) fn known(options: &AnalyseOptions) -> Known {
    Known {
        strict: options.strict,
        disallowed: options.disallowed_builtins.iter().cloned().collect(),
        harness: options.harness.is_some(),
    }
}
