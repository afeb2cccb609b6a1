//! Terms.

use super::module::{Writer, object, string, typed, variable};
use super::order;
use crate::ast::{Literal, LiteralKind, TemplatePart, Term, TermKind};
use crate::source::Span;
use gavel_runtime::number::json_number;
use gavel_runtime::value::Constant;

impl Writer<'_> {
    /// A variable that is used once.
    pub(super) fn wildcard(&mut self) -> Constant {
        variable(&self.wildcard_name())
    }

    pub(super) fn wildcard_name(&mut self) -> String {
        let name = format!("${}", self.wildcards);
        self.wildcards += 1;
        name
    }

    /// An element of a reference, a function's name, or the first element of a head: a word there is a variable, even
    /// that of a document.
    pub(super) fn name(&mut self, term: &Term<'_>) -> Constant {
        match term.kind {
            TermKind::Var(name) if name != "_" => variable(name),
            _ => self.term(term),
        }
    }

    pub(super) fn term(&mut self, term: &Term<'_>) -> Constant {
        match term.kind {
            TermKind::Null => typed("null", object(Vec::new())),
            TermKind::Bool(value) => typed("boolean", Constant::Bool(value)),
            TermKind::Number(text) => {
                self.is_unwritable |= !json_number(text);
                typed("number", Constant::number(text))
            }
            TermKind::String { text, .. } => string(text),
            TermKind::Var("_") => self.wildcard(),
            TermKind::Var(name @ ("input" | "data")) => typed("ref", Constant::Array(vec![variable(name)])),
            TermKind::Var(name) => variable(name),
            TermKind::Ref { head, path } => {
                let head = self.name(head);
                let path = path.iter().map(|element| self.term(element));
                let elements = std::iter::once(head).chain(path.collect::<Vec<_>>());
                typed("ref", Constant::Array(elements.collect()))
            }
            TermKind::Call { .. }
            | TermKind::Infix { .. }
            | TermKind::KeyValueIn { .. }
            | TermKind::Negate(_) => {
                let call = self.call(term).unwrap_or_default();
                typed("call", Constant::Array(call))
            }
            TermKind::Array(items) => {
                let items = items.iter().map(|item| self.term(item));
                typed("array", Constant::Array(items.collect()))
            }
            TermKind::Set(members) => {
                let members = members.iter().map(|member| self.term(member)).collect();
                typed("set", Constant::Array(order::set(members)))
            }
            TermKind::Object(entries) => {
                let entries = entries
                    .iter()
                    .map(|(key, value)| (self.term(key), self.term(value)));
                let entries = order::object(entries.collect()).into_iter();
                let pairs = entries.map(|(key, value)| Constant::Array(vec![key, value]));
                typed("object", Constant::Array(pairs.collect()))
            }
            TermKind::ArrayComprehension { head, body } => {
                let members = vec![("term", self.term(head)), ("body", self.body(&body))];
                typed("arraycomprehension", object(members))
            }
            TermKind::SetComprehension { head, body } => {
                let members = vec![("term", self.term(head)), ("body", self.body(&body))];
                typed("setcomprehension", object(members))
            }
            TermKind::ObjectComprehension { key, value, body } => {
                let members = vec![
                    ("key", self.term(key)),
                    ("value", self.term(value)),
                    ("body", self.body(&body)),
                ];
                typed("objectcomprehension", object(members))
            }
            TermKind::Template { parts, raw } => {
                let parts = parts.iter().map(|part| match part {
                    TemplatePart::Text(text) => string(text),
                    TemplatePart::Expr(literal) => self.template_part(literal),
                });
                let parts: Vec<Constant> = parts.collect();
                let members = vec![
                    (
                        "parts",
                        if parts.is_empty() {
                            Constant::Null
                        } else {
                            Constant::Array(parts)
                        },
                    ),
                    ("multi_line", Constant::Bool(raw)),
                ];
                typed("templatestring", object(members))
            }
        }
    }

    /// An expression inside a template; scalars are terms, unless a comment stands in front of them.
    fn template_part(&mut self, literal: &Literal<'_>) -> Constant {
        if let LiteralKind::Term(term) = &literal.kind
            && matches!(
                term.kind,
                TermKind::String { .. } | TermKind::Number(_) | TermKind::Bool(_) | TermKind::Null
            )
            && !self.has_comment_before(literal.span)
        {
            return self.term(term);
        }
        self.literal(literal, 0)
    }

    fn has_comment_before(&self, span: Span) -> bool {
        let text = &self.sources.source(span.file).text;
        let next = self
            .comments
            .partition_point(|comment| comment.span.start < span.start);
        let last = next.checked_sub(1).and_then(|at| self.comments.get(at));
        let between = last.and_then(|last| text.get(last.span.end as usize..span.start as usize));
        between.is_some_and(|between| between.bytes().all(|byte| byte.is_ascii_whitespace()))
    }

    /// Name and operands of a term that is a call.
    pub(super) fn call(&mut self, term: &Term<'_>) -> Option<Vec<Constant>> {
        Some(match term.kind {
            TermKind::Call { name, args } => {
                let name = match name.kind {
                    TermKind::Var(word) => typed("ref", Constant::Array(vec![variable(word)])),
                    _ => self.term(name),
                };
                let args = args.iter().map(|arg| self.term(arg));
                std::iter::once(name).chain(args.collect::<Vec<_>>()).collect()
            }
            TermKind::Infix { op, left, right, .. } => self.operator(op.builtin(), &[left, right]),
            TermKind::KeyValueIn { key, value, domain } => {
                self.operator("internal.member_3", &[key, value, domain])
            }
            TermKind::Negate(inner) => {
                let zero = typed("number", Constant::Int(0));
                vec![operator_name("minus"), zero, self.term(inner)]
            }
            _ => return None,
        })
    }

    /// A builtin's name and its operands.
    pub(super) fn operator(&mut self, builtin: &str, operands: &[&Term<'_>]) -> Vec<Constant> {
        let operands = operands.iter().map(|operand| self.term(operand));
        std::iter::once(operator_name(builtin))
            .chain(operands.collect::<Vec<_>>())
            .collect()
    }
}

fn operator_name(builtin: &str) -> Constant {
    let mut words = builtin.split('.');
    let first = words.next().map(variable);
    typed(
        "ref",
        Constant::Array(first.into_iter().chain(words.map(string)).collect()),
    )
}
