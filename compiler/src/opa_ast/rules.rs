//! Rules: heads with their bodies and branches.

use super::module::{Writer, object, typed};
use crate::ast::{ElseBranch, Head, HeadKind, Rule, Term, TermKind};
use crate::parse::is_ground;
use gavel_runtime::value::Constant;

/// The parts of a head that the branches behind `else` repeat.
struct Parts {
    name: Option<Constant>,
    reference: Constant,
    args: Vec<Constant>,
    key: Option<Constant>,
    assign: bool,
}

impl Writer<'_> {
    pub(super) fn rules(&mut self, rules: &[Rule<'_>]) -> Vec<Constant> {
        rules.iter().map(|rule| self.rule(rule)).collect()
    }

    fn rule(&mut self, rule: &Rule<'_>) -> Constant {
        let head = &rule.head;
        self.new_not = rule.new_not;
        let reference = head.reference.iter().enumerate().map(|(at, element)| match at {
            0 => self.name(element),
            _ => self.term(element),
        });
        let reference: Vec<Constant> = reference.collect();
        let args = head
            .args
            .unwrap_or_default()
            .iter()
            .map(|arg| self.term(arg))
            .collect();
        let key = match (head.key, head.kind) {
            (Some(key), HeadKind::Set) => Some(self.term(&key)),
            _ => key_of_reference(rule).and_then(|at| reference.get(at).cloned()),
        };
        let mut parts = Parts {
            name: reference
                .first()
                .and_then(|first| first.get("value").cloned())
                .filter(|_| has_name(rule)),
            reference: Constant::Array(reference),
            args,
            key,
            assign: head.assign,
        };
        let value = match (head.value, head.kind) {
            (Some(value), _) => Some(self.term(&value)),
            (None, HeadKind::Set) => None,
            (None, HeadKind::Value) => Some(typed("boolean", Constant::Bool(true))),
        };
        let mut members = vec![
            ("head", parts.head(value)),
            ("body", self.rule_body(rule.body.as_ref())),
        ];
        if rule.is_default {
            members.push(("default", Constant::Bool(true)));
        }
        if let Some(branch) = self.branches(head, &mut parts, rule.else_branches) {
            members.push(("else", branch));
        }
        object(members)
    }

    fn branches(
        &mut self,
        head: &Head<'_>,
        parts: &mut Parts,
        branches: &[ElseBranch<'_>],
    ) -> Option<Constant> {
        let mut written = Vec::new();
        for branch in branches {
            // A parameter without a name gets a new one in each branch.
            for (arg, written) in head.args.unwrap_or_default().iter().zip(&mut parts.args) {
                if matches!(arg.kind, TermKind::Var("_")) {
                    *written = self.wildcard();
                }
            }
            let value = match &branch.value {
                Some(value) => self.term(value),
                None => typed("boolean", Constant::Bool(true)),
            };
            let assign = match branch.value {
                Some(_) => branch.assign,
                None => head.assign,
            };
            let head = Parts {
                name: parts.name.clone(),
                reference: parts.reference.clone(),
                args: parts.args.clone(),
                key: parts.key.clone(),
                assign,
            };
            written.push((head.head(Some(value)), self.rule_body(branch.body.as_ref())));
        }
        written.into_iter().rev().fold(None, |inner, (head, body)| {
            let mut members = vec![("head", head), ("body", body)];
            members.extend(inner.map(|inner| ("else", inner)));
            Some(object(members))
        })
    }
}

impl Parts {
    fn head(&self, value: Option<Constant>) -> Constant {
        let mut members = vec![("ref", self.reference.clone())];
        if let Some(name) = &self.name {
            members.push(("name", name.clone()));
        }
        if !self.args.is_empty() {
            members.push(("args", Constant::Array(self.args.clone())));
        }
        if let Some(key) = &self.key {
            members.push(("key", key.clone()));
        }
        if let Some(value) = value {
            members.push(("value", value));
        }
        if self.assign {
            members.push(("assign", Constant::Bool(true)));
        }
        object(members)
    }
}

/// Whether OPA keeps a name beside the reference: of heads that are one word, and of some with one more element.
fn has_name(rule: &Rule<'_>) -> bool {
    let head = &rule.head;
    match head.reference {
        [_] => true,
        [_, _] if rule.is_default || head.kind == HeadKind::Set => false,
        [_, _] if rule.has_if => head.value.is_some() || head.args.is_some(),
        [_, _] => head.args.is_none(),
        _ => false,
    }
}

/// The element of the reference that OPA repeats as the key: of `p[x]`.
fn key_of_reference(rule: &Rule<'_>) -> Option<usize> {
    let head = &rule.head;
    let [_, element] = head.reference else { return None };
    if rule.is_default || head.args.is_some() || head.kind == HeadKind::Set {
        return None;
    }
    let is_ref =
        |term: &Term<'_>| matches!(term.kind, TermKind::Ref { .. } | TermKind::Var("input" | "data"));
    let is_key = !rule.has_if || !is_ground(element) || is_ref(element);
    is_key.then_some(1)
}
