//! Complete rules and functions: several bodies that must agree on one value, `else`, defaults.

use super::machine::{Flow, Machine, Stop};
use super::unify::Side;
use super::value::Value;
use gavel_compiler::hir::{Clause, Rule, Term};
use gavel_runtime::error::EvalErrorKind;
use gavel_runtime::value::Constant;

impl<'u> Machine<'u> {
    /// The value of the rules of one path for arguments; `conflict` when they do not agree.
    pub(super) fn one_value(
        &mut self,
        rules: &[&'u Rule],
        args: &[Value],
        conflict: EvalErrorKind,
    ) -> Result<Option<Value>, Stop> {
        let bodies: Vec<&'u Rule> = rules.iter().copied().filter(|rule| !rule.is_default).collect();
        let is_settled = yield_one_constant(&bodies);
        let mut result: Option<Value> = None;
        for rule in bodies {
            let value = self.apart(rule, |machine| {
                machine.rule_value(rule, args, conflict, is_settled)
            })?;
            let Some(value) = value else {
                continue;
            };
            if result.as_ref().is_some_and(|other| *other != value) {
                return Err(conflict.into());
            }
            result = result.or(Some(value));
            if is_settled {
                break;
            }
        }
        match (result, rules.iter().copied().find(|rule| rule.is_default)) {
            (None, Some(default)) => self.apart(default, |machine| {
                machine.rule_value(default, args, conflict, true)
            }),
            (result, _) => Ok(result),
        }
    }

    /// The value of the first clause that has one.
    fn rule_value(
        &mut self,
        rule: &'u Rule,
        args: &[Value],
        conflict: EvalErrorKind,
        is_settled: bool,
    ) -> Result<Option<Value>, Stop> {
        let patterns = rule.args.iter().zip(args);
        let equations = patterns.map(|(pattern, arg)| (Side::Term(pattern), Side::Value(arg.clone())));
        let mut found = None;
        self.unify(equations.collect(), &mut |machine| {
            for clause in &rule.clauses {
                if found.is_none() && !machine.is_excluded(&clause.body.stmts)? {
                    found = machine.clause_value(clause, conflict, is_settled)?;
                }
            }
            Ok(Flow::Enough)
        })?;
        Ok(found)
    }

    /// All solutions are looked at, for an error in one of them, unless the first settles the value of the document.
    fn clause_value(
        &mut self,
        clause: &'u Clause,
        conflict: EvalErrorKind,
        is_settled: bool,
    ) -> Result<Option<Value>, Stop> {
        let mut found: Option<Value> = None;
        self.block(&clause.body.stmts, &mut |machine| {
            machine.values(&clause.value, &mut |_, value| {
                if found.as_ref().is_some_and(|other| *other != value) {
                    return Err(conflict.into());
                }
                found.get_or_insert(value.settled());
                Ok(if is_settled { Flow::Enough } else { Flow::More })
            })
        })?;
        Ok(found)
    }
}

/// Whether all clauses yield the same constant, so that the first that succeeds settles the value.
fn yield_one_constant(rules: &[&Rule]) -> bool {
    let mut first: Option<&Constant> = None;
    rules
        .iter()
        .flat_map(|rule| &rule.clauses)
        .all(|clause| match &clause.value {
            Term::Const(value) => *first.get_or_insert(value) == value,
            _ => false,
        })
}
