//! Statements of bodies.

use super::expressions::member_type;
use super::names::{Kind, Type, Writer};

impl Writer<'_, '_> {
    /// A body: statements on one line, between braces.
    pub(super) fn body(&mut self) -> String {
        let count = 1 + self.choices.below(3);
        let mut statements = Vec::new();
        for _ in 0..count {
            let statement = self.statement();
            statements.push(statement);
        }
        format!("{{ {} }}", statements.join("; "))
    }

    /// One statement.
    pub(super) fn statement(&mut self) -> String {
        let seen = self.vars.len();
        let statement = match self.choices.below(17) {
            0 | 1 => self.expression(Type::Flag),
            2 => format!("not {}", self.negated()),
            3 => {
                let of = self.any_type();
                let value = self.expression(of);
                format!("{} := {value}", self.declare(of))
            }
            4 => {
                let of = self.any_type();
                let value = self.term(of);
                format!("{value} = {}", self.declare(of))
            }
            5 => self.pattern(),
            6 => {
                let (collection, of) = self.collection();
                format!("some {} in {collection}", self.declare(of))
            }
            7 => {
                let (collection, of) = self.collection();
                let key = self.fresh();
                format!("some {key}, {} in {collection}", self.declare(of))
            }
            8 => self.lookup(),
            9 => self.every(),
            10 => return self.with(),
            11 if self.has_logic => self.logic(),
            12 => {
                let (path, value) = (self.fresh(), self.fresh());
                format!("walk({}, [{path}, {value}])", self.any())
            }
            13 => {
                let of = self.any_type();
                format!("{} == {}", self.term(of), self.term(of))
            }
            14 => self.partial_member(),
            15 => {
                let of = self.any_type();
                format!("{} = {}", self.term(of), self.term(of))
            }
            _ => format!("{} != {}", self.term(Type::Number), self.term(Type::Number)),
        };
        if self.choices.chance(8) {
            self.modified(statement, seen)
        } else {
            statement
        }
    }

    /// The statement under a modifier, whose value cannot name what the statement declares.
    fn modified(&mut self, statement: String, seen: usize) -> String {
        let declared = self.vars.split_off(seen.min(self.vars.len()));
        let mut text = format!("{statement} {}", self.modifier());
        if self.choices.chance(25) {
            text = format!("{text} {}", self.modifier());
        }
        self.vars.extend(declared);
        text
    }

    /// What stands behind `not`: it declares nothing that is seen elsewhere.
    fn negated(&mut self) -> String {
        let seen = self.vars.len();
        let negated = match self.choices.below(3) {
            0 if self.has_logic => self.body(),
            1 => self.leaf_of_any(),
            _ => self.expression(Type::Flag),
        };
        self.vars.truncate(seen);
        negated
    }

    fn leaf_of_any(&mut self) -> String {
        let depth = std::mem::take(&mut self.depth);
        let leaf = self.any();
        self.depth = depth;
        leaf
    }

    fn pattern(&mut self) -> String {
        match self.choices.below(5) {
            0 => {
                let value = self.unseen(Type::Array);
                let (first, second) = (self.declare(Type::Number), self.declare(Type::Number));
                format!("[{first}, {second}] := {value}")
            }
            1 => {
                let value = self.unseen(Type::Object);
                format!("{{\"a\": {}}} = {value}", self.declare(Type::Number))
            }
            2 => {
                let value = self.expression(Type::Text);
                let first = self.declare(Type::Text);
                format!("[{first}, 1] = [{value}, {}]", self.term(Type::Number))
            }
            3 => {
                let (left, right) = (self.term(Type::Number), self.term(Type::Text));
                let (first, second) = (self.declare(Type::Text), self.declare(Type::Number));
                format!("[{left}, {first}] = [{second}, {right}]")
            }
            _ => {
                let value = self.term(Type::Number);
                let (first, second) = (self.declare(Type::Number), self.declare(Type::Number));
                format!("{{\"a\": {first}, \"b\": [{second}]}} = {{\"b\": [{value}], \"a\": 1}}")
            }
        }
    }

    /// A value whose shape the compiler does not see: a literal of another shape would bind nothing.
    fn unseen(&mut self, of: Type) -> String {
        if let Some(rule) = self.rule(of).filter(|_| self.choices.chance(40)) {
            return rule;
        }
        let root = self.choices.text(&["input", "data.base"]);
        match of {
            Type::Array => format!("{root}.xs"),
            Type::Number | Type::Text | Type::Flag | Type::Set | Type::Object => format!("{root}.o"),
        }
    }

    fn lookup(&mut self) -> String {
        let root = self.choices.text(&["input", "data.base"]);
        match self.choices.below(5) {
            0 => format!("{} := {root}.xs[_]", self.declare(Type::Number)),
            1 => {
                let key = self.declare(Type::Text);
                format!("{root}.o[{key}] {} 0", self.choices.text(&["!=", ">", ">="]))
            }
            2 => {
                let (key, value) = (self.declare(Type::Text), self.declare(Type::Number));
                format!("{value} := {root}.deep[{key}][_]")
            }
            3 => {
                let value = self.term(Type::Number);
                let at = self.fresh();
                format!("some {at}; {root}.xs[{at}] == {value}")
            }
            _ => {
                let key = self.declare(Type::Text);
                format!("{} = {root}[{key}][0]", self.fresh())
            }
        }
    }

    fn every(&mut self) -> String {
        let (collection, of) = self.collection();
        let seen = self.vars.len();
        let var = self.declare(of);
        let test = self.term(of);
        let body = match self.choices.below(3) {
            0 => format!("{{ {var} != {test}; {} }}", self.statement()),
            1 => format!("{{ {var} != {test} }}"),
            _ => format!("{{ {var} == {test} }}"),
        };
        self.vars.truncate(seen);
        match self.choices.chance(30) {
            true => {
                let key = self.fresh();
                format!("every {key}, {var} in {collection} {{ {key} != {var} }}")
            }
            false => format!("every {var} in {collection} {body}"),
        }
    }

    fn logic(&mut self) -> String {
        let seen = self.vars.len();
        let operand = |writer: &mut Self| {
            writer.vars.truncate(seen);
            match writer.choices.below(3) {
                0 => writer.body(),
                _ => {
                    let flag = writer.expression(Type::Flag);
                    format!("({flag})")
                }
            }
        };
        let left = operand(self);
        let right = operand(self);
        self.vars.truncate(seen);
        format!("{left} {} {right}", self.choices.text(&["and", "or"]))
    }

    fn with(&mut self) -> String {
        let seen = self.vars.len();
        let statement = match self.choices.below(3) {
            0 => format!("not {}", self.negated()),
            1 => {
                let of = self.any_type();
                let value = self.expression(of);
                format!("{} := {value}", self.declare(of))
            }
            _ => self.expression(Type::Flag),
        };
        self.modified(statement, seen)
    }

    fn modifier(&mut self) -> String {
        match self.choices.below(8) {
            0 | 1 => {
                let of = self.any_type();
                let member = match of {
                    Type::Number => "n",
                    Type::Text => "s",
                    Type::Flag => "f",
                    Type::Array => "xs",
                    Type::Set => "ss",
                    Type::Object => "o",
                };
                let root = self.choices.text(&["input", "data.base"]);
                format!("with {root}.{member} as {}", self.term(of))
            }
            2 => format!(
                "with input as {{\"n\": {}, \"s\": \"a\"}}",
                self.term(Type::Number)
            ),
            3 => format!("with data.base as {{\"o\": {}}}", self.term(Type::Object)),
            4 => {
                let of = self.any_type();
                match self.rule(of) {
                    Some(rule) if !rule.contains('[') && rule.starts_with('r') => {
                        format!("with data.test.{rule} as {}", self.term(of))
                    }
                    _ => format!("with input.n2 as {}", self.term(Type::Number)),
                }
            }
            5 => format!("with count as {}", self.choices.text(&["sum", "7", "max"])),
            6 => format!(
                "with upper as {}",
                self.choices.text(&["lower", "\"up\"", "trim_space"])
            ),
            _ => {
                let functions: Vec<(String, usize)> = self
                    .rules
                    .iter()
                    .filter_map(|rule| match &rule.kind {
                        Kind::Function(args, _) => Some((rule.name.clone(), args.len())),
                        Kind::Value(_) => None,
                    })
                    .collect();
                match (
                    self.choices.one(&functions).cloned(),
                    self.choices.one(&functions).cloned(),
                ) {
                    (Some((name, arity)), Some((other, others))) if arity == others && name != other => {
                        format!("with {name} as {other}")
                    }
                    (Some((name, _)), _) => format!("with {name} as {}", self.term(Type::Number)),
                    (None, _) => format!("with input.f as {}", self.term(Type::Flag)),
                }
            }
        }
    }

    fn partial_member(&mut self) -> String {
        let of = match self.choices.below(3) {
            0 => Type::Set,
            _ => Type::Object,
        };
        let Some(rule) = self.rule(of) else {
            return self.expression(Type::Flag);
        };
        let member = member_type(of);
        match (of, self.choices.below(3)) {
            (_, 0) => format!("{rule}[{}]", self.term(Type::Text)),
            (Type::Set, _) => format!("{rule}[{}]", self.declare(member)),
            (_, 1) => format!("{} = {rule}[{}]", self.declare(member), self.term(Type::Text)),
            _ => {
                let key = self.declare(Type::Text);
                format!("{} := {rule}[{key}]", self.declare(member))
            }
        }
    }
}
