//! Expressions of a type.

use super::documents::{NUMBERS, TEXTS};
use super::names::{Type, Writer};

impl Writer<'_, '_> {
    /// An expression that is meant to have a type.
    pub(super) fn expression(&mut self, of: Type) -> String {
        if self.depth == 0 || self.choices.is_empty() {
            return self.leaf(of);
        }
        self.depth -= 1;
        let written = if self.choices.chance(45) {
            self.leaf(of)
        } else if self.choices.chance(25) {
            self.call(of)
        } else {
            self.compound(of)
        };
        self.depth += 1;
        written
    }

    /// A term as OPA wants it where no operator may stand.
    pub(super) fn term(&mut self, of: Type) -> String {
        let written = self.expression(of);
        let is_infix = [
            " + ", " - ", " * ", " / ", " % ", " | ", " & ", " == ", " != ", " < ", " >= ", " in ",
        ]
        .iter()
        .any(|operator| written.contains(operator));
        if is_infix && !written.starts_with(['[', '{']) {
            format!("({written})")
        } else {
            written
        }
    }

    /// A collection to iterate, with the type of its members.
    pub(super) fn collection(&mut self) -> (String, Type) {
        let of = match self.choices.below(5) {
            0 => Type::Array,
            1 => Type::Set,
            2 => Type::Object,
            _ => return self.members_as_written(),
        };
        (self.term(of), member_type(of))
    }

    /// A set whose members are any terms: it is iterated in the order of the terms.
    fn members_as_written(&mut self) -> (String, Type) {
        let of = self.any_type();
        let count = 1 + self.choices.below(3);
        let members: Vec<String> = (0..count).map(|_| self.term(of)).collect();
        (format!("{{{}}}", members.join(", ")), of)
    }

    fn leaf(&mut self, of: Type) -> String {
        match self.choices.below(5) {
            0 | 1 => {
                if let Some(var) = self.var(of) {
                    return var;
                }
            }
            2 => {
                if let Some(rule) = self.rule(of) {
                    return rule;
                }
            }
            3 => return self.document_part(of),
            _ => {}
        }
        self.literal(of)
    }

    fn document_part(&mut self, of: Type) -> String {
        let root = self.choices.text(&["input", "data.base"]);
        let member = match of {
            Type::Number => self
                .choices
                .text(&["n", "n2", "xs[0]", "o.a", "deep.k.b", "gone", "o[input.s]"]),
            Type::Text => self.choices.text(&["s", "s2", "ss[1]", "ss[0]", "gone.s"]),
            Type::Flag => self.choices.text(&["f", "f", "gone"]),
            Type::Array => self.choices.text(&["xs", "xs", "gone.xs"]),
            // Documents of JSON have no sets.
            Type::Set => return format!("{{x | some x in {root}.ss}}"),
            Type::Object => self.choices.text(&["o", "deep.k", "deep.l", "deep[input.s]"]),
        };
        format!("{root}.{member}")
    }

    fn literal(&mut self, of: Type) -> String {
        match of {
            Type::Number => self.choices.text(NUMBERS).to_owned(),
            Type::Text => format!("{:?}", self.choices.text(TEXTS)),
            Type::Flag => self.choices.text(&["true", "false"]).to_owned(),
            Type::Array => {
                let count = self.choices.below(4);
                let items: Vec<String> = (0..count).map(|_| self.literal(Type::Number)).collect();
                format!("[{}]", items.join(", "))
            }
            Type::Set => {
                let count = self.choices.below(4);
                if count == 0 {
                    return "set()".to_owned();
                }
                let items: Vec<String> = (0..count).map(|_| self.literal(Type::Text)).collect();
                format!("{{{}}}", items.join(", "))
            }
            Type::Object => {
                let mut keys = TEXTS.to_vec();
                keys.truncate(self.choices.below(4));
                let entries: Vec<String> = keys
                    .into_iter()
                    .map(|key| format!("{key:?}: {}", self.literal(Type::Number)))
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }

    fn call(&mut self, of: Type) -> String {
        match self.function(of) {
            Some((name, types)) => {
                let args: Vec<String> = types.into_iter().map(|of| self.expression(of)).collect();
                format!("{name}({})", args.join(", "))
            }
            None => self.leaf(of),
        }
    }

    fn compound(&mut self, of: Type) -> String {
        match of {
            Type::Number => self.number(),
            Type::Text => self.text(),
            Type::Flag => self.flag(),
            Type::Array => self.array(),
            Type::Set => self.set(),
            Type::Object => self.object(),
        }
    }

    fn number(&mut self) -> String {
        match self.choices.below(11) {
            0 | 1 => {
                let operator = self.choices.text(&["+", "-", "*", "/", "%"]);
                let left = self.term(Type::Number);
                format!("{left} {operator} {}", self.term(Type::Number))
            }
            2 => {
                let of = self
                    .choices
                    .one(&[Type::Array, Type::Set, Type::Object, Type::Text])
                    .copied();
                format!("count({})", self.expression(of.unwrap_or(Type::Array)))
            }
            3 => format!("sum({})", self.expression(Type::Array)),
            4 => format!("max({})", self.expression(Type::Array)),
            5 => format!("to_number({})", self.expression(Type::Text)),
            6 => {
                let object = self.expression(Type::Object);
                let key = self.expression(Type::Text);
                format!("object.get({object}, {key}, {})", self.expression(Type::Number))
            }
            7 => format!("round({})", self.expression(Type::Number)),
            8 => match (self.var(Type::Array), self.var(Type::Object)) {
                (Some(array), _) => format!("{array}[{}]", self.choices.below(3)),
                (None, Some(object)) => format!("{object}[{}]", self.literal(Type::Text)),
                (None, None) => self.leaf(Type::Number),
            },
            9 => {
                let text = self.expression(Type::Text);
                format!("indexof({text}, {})", self.expression(Type::Text))
            }
            _ => format!("abs({})", self.expression(Type::Number)),
        }
    }

    fn text(&mut self) -> String {
        match self.choices.below(9) {
            0 => format!("concat(\"-\", {})", self.expression(Type::Set)),
            1 => format!("sprintf(\"%v|%v\", [{}, {}])", self.any(), self.any()),
            2 => format!("lower({})", self.expression(Type::Text)),
            3 => format!("upper({})", self.expression(Type::Text)),
            4 => format!("substring({}, 0, 1)", self.expression(Type::Text)),
            5 => format!("format_int({}, 10)", self.expression(Type::Number)),
            6 => format!("type_name({})", self.any()),
            7 if self.dialect != crate::case::Dialect::V0 => {
                format!("$\"t{{{}}}-{{{}}}\"", self.any(), self.expression(Type::Text))
            }
            _ => format!("replace({}, \"a\", \"b\")", self.expression(Type::Text)),
        }
    }

    fn flag(&mut self) -> String {
        match self.choices.below(8) {
            0 | 1 => {
                let operator = self.choices.text(&["==", "!=", "<", "<=", ">", ">="]);
                let of = self.any_type();
                let left = self.term(of);
                format!("{left} {operator} {}", self.term(of))
            }
            2 => {
                let (collection, of) = self.collection();
                format!("{} in {collection}", self.term(of))
            }
            3 => format!(
                "startswith({}, {})",
                self.expression(Type::Text),
                self.literal(Type::Text)
            ),
            4 => format!(
                "contains({}, {})",
                self.expression(Type::Text),
                self.literal(Type::Text)
            ),
            5 => format!("is_number({})", self.any()),
            6 => format!("regex.match(\"^a\", {})", self.expression(Type::Text)),
            _ => format!("is_null({})", self.any()),
        }
    }

    fn array(&mut self) -> String {
        match self.choices.below(7) {
            0 | 1 => self.comprehension(Type::Array),
            2 => format!(
                "array.concat({}, {})",
                self.expression(Type::Array),
                self.expression(Type::Array)
            ),
            3 => format!("array.slice({}, 0, 2)", self.expression(Type::Array)),
            4 => format!(
                "[{}, {}]",
                self.expression(Type::Number),
                self.expression(Type::Number)
            ),
            5 => format!("numbers.range(1, {})", 1 + self.choices.below(4)),
            _ => format!("sort({})", self.expression(Type::Array)),
        }
    }

    fn set(&mut self) -> String {
        match self.choices.below(5) {
            0 | 1 => self.comprehension(Type::Set),
            2 => {
                let operator = self.choices.text(&["|", "&", "-"]);
                let left = self.term(Type::Set);
                format!("{left} {operator} {}", self.term(Type::Set))
            }
            3 => format!(
                "{{{}, {}}}",
                self.expression(Type::Text),
                self.expression(Type::Text)
            ),
            _ => format!("object.keys({})", self.expression(Type::Object)),
        }
    }

    fn object(&mut self) -> String {
        match self.choices.below(5) {
            0 | 1 => self.comprehension(Type::Object),
            2 => format!(
                "object.union({}, {})",
                self.expression(Type::Object),
                self.expression(Type::Object)
            ),
            3 => format!(
                "{{\"a\": {}, \"c\": {}}}",
                self.expression(Type::Number),
                self.expression(Type::Number)
            ),
            _ => format!(
                "object.remove({}, {})",
                self.expression(Type::Object),
                self.expression(Type::Set)
            ),
        }
    }

    fn comprehension(&mut self, of: Type) -> String {
        let seen = self.vars.len();
        let (collection, member) = self.collection();
        let (key, value) = (self.fresh(), self.fresh());
        self.vars.push((value.clone(), member));
        let mut body = vec![format!("some {key}, {value} in {collection}")];
        if self.choices.chance(50) {
            let more = self.statement();
            body.push(more);
        }
        let body = body.join("; ");
        let head = self.term(member_type(of));
        let key = match self.choices.below(3) {
            // Different members under one key are a conflict, which is wanted now and then.
            0 => self.term(Type::Text),
            _ => format!("sprintf(\"%v\", [{key}])"),
        };
        self.vars.truncate(seen);
        match of {
            Type::Array => format!("[{head} | {body}]"),
            Type::Object => format!("{{{key}: {head} | {body}}}"),
            Type::Number | Type::Text | Type::Flag | Type::Set => format!("{{{head} | {body}}}"),
        }
    }

    /// An expression of some type.
    pub(super) fn any(&mut self) -> String {
        let of = self.any_type();
        self.expression(of)
    }
}

/// What the members of a collection are meant to be.
pub(super) fn member_type(of: Type) -> Type {
    match of {
        Type::Set => Type::Text,
        Type::Array | Type::Object | Type::Number | Type::Text | Type::Flag => Type::Number,
    }
}
