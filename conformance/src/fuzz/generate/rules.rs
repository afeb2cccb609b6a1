//! Rules of every kind.

use super::names::{Kind, Rule, Type, Writer};

/// How deep expressions of a rule become.
const DEPTH: usize = 3;

impl Writer<'_, '_> {
    /// All rules of one name. It is known to later rules afterwards.
    pub(super) fn rules_of_one_name(&mut self, number: usize) -> String {
        let of = self.any_type();
        match self.choices.below(10) {
            0..=2 => self.complete(&format!("r{number}"), of),
            3 | 4 => self.function_rules(&format!("f{number}"), of),
            5 => self.set_rules(&format!("s{number}")),
            6 => self.object_rules(&format!("o{number}")),
            7 => self.deep_rules(&format!("d{number}")),
            8 => self.set_tree(&format!("t{number}")),
            _ => self.else_chain(&format!("r{number}"), of),
        }
    }

    /// Starts a rule: nothing is in sight.
    fn open(&mut self) {
        self.vars.clear();
        self.depth = DEPTH;
    }

    fn keyword(&self) -> &'static str {
        if self.has_if { " if" } else { "" }
    }

    fn known(&mut self, name: &str, kind: Kind) {
        self.rules.push(Rule {
            name: name.to_owned(),
            kind,
        });
    }

    fn complete(&mut self, name: &str, of: Type) -> String {
        let mut lines = Vec::new();
        if self.choices.chance(30) {
            self.open();
            lines.push(format!("default {name} := {}", self.constant(of)));
        }
        let count = 1 + self.choices.below(3);
        // Different values conflict where two bodies succeed: now and then that is wanted.
        let same = self.choices.chance(50).then(|| self.constant(of));
        for _ in 0..count {
            self.open();
            let body = self.body();
            let value = match &same {
                Some(value) => value.clone(),
                None => self.term(of),
            };
            lines.push(format!("{name} := {value}{} {body}", self.keyword()));
        }
        self.known(name, Kind::Value(of));
        lines.join("\n\n")
    }

    fn constant(&mut self, of: Type) -> String {
        match of {
            Type::Number => self.choices.text(&["0", "1", "2.5"]),
            Type::Text => self.choices.text(&["\"a\"", "\"none\""]),
            Type::Flag => self.choices.text(&["false", "true"]),
            Type::Array => self.choices.text(&["[]", "[1, 2]", "[x | x := 1]"]),
            Type::Set => self.choices.text(&["set()", "{\"a\"}"]),
            Type::Object => self.choices.text(&["{}", "{\"a\": 1}"]),
        }
        .to_owned()
    }

    fn else_chain(&mut self, name: &str, of: Type) -> String {
        self.open();
        let first = self.body();
        let value = self.term(of);
        let keyword = self.keyword();
        let mut text = format!("{name} := {value}{keyword} {first}");
        for _ in 0..=self.choices.below(2) {
            self.open();
            let body = self.body();
            let value = self.term(of);
            text.push_str(&format!(" else := {value}{keyword} {body}"));
        }
        self.open();
        if self.choices.chance(40) {
            text.push_str(&format!(" else := {}", self.constant(of)));
        }
        self.known(name, Kind::Value(of));
        text
    }

    fn function_rules(&mut self, name: &str, of: Type) -> String {
        let args: Vec<Type> = (0..=self.choices.below(2)).map(|_| self.any_type()).collect();
        let mut lines = Vec::new();
        if self.choices.chance(20) {
            let names: Vec<&str> = args.iter().map(|_| "_").collect();
            lines.push(format!(
                "default {name}({}) := {}",
                names.join(", "),
                self.constant(of)
            ));
        }
        let count = 1 + self.choices.below(3);
        for _ in 0..count {
            self.open();
            let patterns: Vec<String> = args.iter().map(|of| self.parameter(*of)).collect();
            let head = format!("{name}({})", patterns.join(", "));
            let keyword = self.keyword();
            let (body, value) = (self.body(), self.term(of));
            let mut text = format!("{head} := {value}{keyword} {body}");
            if self.choices.chance(25) {
                self.vars.retain(|(var, _)| head.contains(var.as_str()));
                self.depth = DEPTH;
                let (body, value) = (self.body(), self.term(of));
                text.push_str(&format!(" else := {value}{keyword} {body}"));
            }
            lines.push(text);
        }
        self.known(name, Kind::Function(args, of));
        lines.join("\n\n")
    }

    fn parameter(&mut self, of: Type) -> String {
        match (of, self.choices.below(6)) {
            (Type::Number | Type::Text | Type::Flag, 0) => self.constant(of),
            (Type::Array, 0) => {
                let (first, second) = (self.declare(Type::Number), self.declare(Type::Number));
                format!("[{first}, {second}]")
            }
            (Type::Object, 0) => format!("{{\"a\": {}}}", self.declare(Type::Number)),
            _ => self.declare(of),
        }
    }

    fn set_rules(&mut self, name: &str) -> String {
        let mut lines = Vec::new();
        for _ in 0..=self.choices.below(2) {
            self.open();
            let body = self.body();
            let member = self.term(Type::Text);
            lines.push(match self.has_if {
                true => format!("{name} contains {member} if {body}"),
                false => format!("{name}[{member}] {body}"),
            });
        }
        self.known(name, Kind::Value(Type::Set));
        lines.join("\n\n")
    }

    fn object_rules(&mut self, name: &str) -> String {
        let mut lines = Vec::new();
        for _ in 0..=self.choices.below(2) {
            self.open();
            let body = self.body();
            let (key, value) = (self.term(Type::Text), self.term(Type::Number));
            lines.push(format!("{name}[{key}] := {value}{} {body}", self.keyword()));
        }
        self.known(name, Kind::Value(Type::Object));
        lines.join("\n\n")
    }

    fn deep_rules(&mut self, name: &str) -> String {
        let mut lines = Vec::new();
        for _ in 0..=self.choices.below(3) {
            self.open();
            let body = self.body();
            let (key, value) = (self.term(Type::Text), self.term(Type::Number));
            let keyword = self.keyword();
            lines.push(match self.choices.below(5) {
                0 => format!("{name}.p[{key}] := {value}{keyword} {body}"),
                1 => format!("{name}[{key}].q := {value}{keyword} {body}"),
                2 => format!(
                    "{name}[{key}][{}] := {value}{keyword} {body}",
                    self.term(Type::Text)
                ),
                3 => format!("{name}.p.a := {value}{keyword} {body}"),
                _ => format!("{name}[{key}] := {{\"q\": {value}}}{keyword} {body}"),
            });
        }
        self.known(&format!("{name}.p"), Kind::Value(Type::Object));
        lines.join("\n\n")
    }

    fn set_tree(&mut self, name: &str) -> String {
        let mut lines = Vec::new();
        for _ in 0..=self.choices.below(2) {
            self.open();
            let body = self.body();
            let (key, member) = (self.term(Type::Text), self.term(Type::Text));
            if !self.has_if {
                lines.push(format!("{name}[{member}] {body}"));
                continue;
            }
            lines.push(match self.choices.below(3) {
                0 => format!("{name}.u contains {member} if {body}"),
                1 => format!("{name}[{key}] contains {member} if {body}"),
                _ => format!("{name}[{key}].w contains {member} if {body}"),
            });
        }
        if self.has_if {
            self.known(&format!("{name}.u"), Kind::Value(Type::Set));
        } else {
            self.known(name, Kind::Value(Type::Set));
        }
        lines.join("\n\n")
    }
}
