//! What a part of a program under construction can refer to.

use crate::case::Dialect;
use crate::fuzz::choices::Choices;

/// What an expression is meant to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Number,
    Text,
    Flag,
    /// Of numbers.
    Array,
    /// Of texts.
    Set,
    /// Texts to numbers.
    Object,
}

pub(super) const TYPES: &[Type] = &[
    Type::Number,
    Type::Text,
    Type::Flag,
    Type::Array,
    Type::Set,
    Type::Object,
];

/// A rule that later parts may name.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// As written in its module.
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A value.
    Value(Type),
    /// A function.
    Function(Vec<Type>, Type),
}

/// The state of writing one module.
#[derive(Debug)]
pub(super) struct Writer<'c, 'b> {
    pub(super) choices: &'c mut Choices<'b>,
    pub(super) dialect: Dialect,
    /// `if` and `contains` are written (v1, or imported).
    pub(super) has_if: bool,
    /// `not {…}`, `and`, `or` are there.
    pub(super) has_logic: bool,
    /// Rules that stand before the present one; only those are named, so that nothing is recursive.
    pub(super) rules: Vec<Rule>,
    /// Variables in sight.
    pub(super) vars: Vec<(String, Type)>,
    /// Variables named so far.
    pub(super) named: usize,
    /// How deep expressions may still become.
    pub(super) depth: usize,
}

impl Writer<'_, '_> {
    /// A variable that does not exist yet.
    pub(super) fn fresh(&mut self) -> String {
        self.named += 1;
        format!("v{}", self.named)
    }

    /// Declares a variable of a type.
    pub(super) fn declare(&mut self, of: Type) -> String {
        let name = self.fresh();
        self.vars.push((name.clone(), of));
        name
    }

    /// A variable of a type.
    pub(super) fn var(&mut self, of: Type) -> Option<String> {
        let fitting: Vec<String> = self
            .vars
            .iter()
            .filter(|(_, other)| *other == of)
            .map(|(name, _)| name.clone())
            .collect();
        self.choices.one(&fitting).cloned()
    }

    /// A rule with a value of a type.
    pub(super) fn rule(&mut self, of: Type) -> Option<String> {
        let fitting: Vec<String> = self
            .rules
            .iter()
            .filter(|rule| rule.kind == Kind::Value(of))
            .map(|rule| rule.name.clone())
            .collect();
        self.choices.one(&fitting).cloned()
    }

    /// A function that yields a type, with the types of its arguments.
    pub(super) fn function(&mut self, of: Type) -> Option<(String, Vec<Type>)> {
        let fitting: Vec<(String, Vec<Type>)> = self
            .rules
            .iter()
            .filter_map(|rule| match &rule.kind {
                Kind::Function(args, result) if *result == of => Some((rule.name.clone(), args.clone())),
                Kind::Function(..) | Kind::Value(_) => None,
            })
            .collect();
        self.choices.one(&fitting).cloned()
    }

    /// Any type.
    pub(super) fn any_type(&mut self) -> Type {
        self.choices.one(TYPES).copied().unwrap_or(Type::Number)
    }
}
