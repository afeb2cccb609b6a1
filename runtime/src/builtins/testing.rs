//! The harness of the builtin tests: a call as Rego text in, the result as Rego text out.

use super::caches::Caches;
use super::output::Text;
use super::{Call, Failure, FailureCode, find, rego_text};
use crate::arena::Arena;
use crate::number;
use crate::value::{Entry, Value, object_from, set_from};

/// Asserts what a call yields: a value, `undefined`, `!eval_type_error` or `!eval_builtin_error`.
#[track_caller]
fn check(call: &str, want: &str) {
    assert_eq!(run(call), want, "{call}");
}

/// Runs `name(arguments)`.
pub(super) fn run(text: &str) -> String {
    let arena = Arena::new(1 << 16, 1 << 26);
    let (name, arguments) = text.split_once('(').expect("a call");
    let mut parser = Parser {
        rest: arguments,
        arena: &arena,
    };
    let args = parser.list(')');
    assert!(parser.rest.trim().is_empty(), "{text}");
    let row = find(name).expect("a builtin").get();
    let Some(function) = row.run else {
        return "refused".to_owned();
    };
    assert_eq!(row.args.len(), args.len(), "{text}");
    let mut fuel = 50_000_000;
    let mut call = Call {
        arena: &arena,
        now_ns: 1_700_000_000_000_000_000,
        seed: 1,
        prepared: None,
        caches: &mut Caches::default(),
        parse_module: None,
        sleep: None,
        fuel: &mut fuel,
    };
    match function(&mut call, &args) {
        Ok(value) if value.is_unset() => "undefined".to_owned(),
        Ok(value) => {
            let mut out = Text::new(&arena);
            rego_text::write(&mut out, &arena, value).expect("memory");
            out.finish().expect("a text").to_owned()
        }
        Err(Failure::Error(FailureCode::Type)) => "!eval_type_error".to_owned(),
        Err(Failure::Error(FailureCode::Builtin)) => "!eval_builtin_error".to_owned(),
        Err(Failure::Abort(kind)) => format!("!{}", kind.code()),
    }
}

struct Parser<'t, 'r> {
    rest: &'t str,
    arena: &'r Arena,
}

impl<'r> Parser<'_, 'r> {
    fn skip(&mut self, token: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn list(&mut self, end: char) -> Vec<Value<'r>> {
        let mut items = Vec::new();
        let end = end.to_string();
        while !self.skip(&end) {
            if !items.is_empty() {
                assert!(self.skip(","), "{}", self.rest);
            }
            items.push(self.value());
        }
        items
    }

    fn value(&mut self) -> Value<'r> {
        for (word, value) in [
            ("null", Value::NULL),
            ("true", Value::TRUE),
            ("false", Value::FALSE),
        ] {
            if self.skip(word) {
                return value;
            }
        }
        if self.skip("set()") {
            return Value::set(&[]);
        }
        if self.skip("[") {
            let items = self.list(']');
            return Value::array(self.arena.values(&items).expect("memory"));
        }
        if self.skip("{") {
            return self.braces();
        }
        if self.skip("`") {
            let (text, rest) = self.rest.split_once('`').expect("a raw string");
            self.rest = rest;
            return Value::string(self.arena.text(text).expect("memory"));
        }
        if self.skip("\"") {
            return self.string();
        }
        let end = self
            .rest
            .find([',', ')', ']', '}', ':', ' '])
            .unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        number::value(self.arena.text(text).expect("memory"))
    }

    fn braces(&mut self) -> Value<'r> {
        if self.skip("}") {
            return Value::object(&[]);
        }
        let first = self.value();
        if !self.skip(":") {
            let mut members = vec![first];
            if self.skip(",") {
                members.extend(self.list('}'));
            } else {
                assert!(self.skip("}"));
            }
            let members = self.arena.values_mut(&members).expect("memory");
            return set_from(self.arena, members).expect("memory");
        }
        let mut entries = vec![Entry {
            key: first,
            value: self.value(),
        }];
        while !self.skip("}") {
            assert!(self.skip(","));
            let key = self.value();
            assert!(self.skip(":"));
            entries.push(Entry {
                key,
                value: self.value(),
            });
        }
        let entries = self.arena.entries_mut(&entries).expect("memory");
        object_from(self.arena, entries).expect("memory")
    }

    fn string(&mut self) -> Value<'r> {
        let mut text = String::new();
        let mut chars = self.rest.chars();
        loop {
            match chars.next().expect("a closing quote") {
                '"' => break,
                '\\' => match chars.next().expect("an escape") {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    'r' => text.push('\r'),
                    'b' => text.push('\u{8}'),
                    'f' => text.push('\u{c}'),
                    'u' => {
                        let hex: String = chars.by_ref().take(4).collect();
                        let code = u32::from_str_radix(&hex, 16).expect("hex");
                        text.push(char::from_u32(code).unwrap_or('\u{fffd}'));
                    }
                    c => text.push(c),
                },
                c => text.push(c),
            }
        }
        self.rest = chars.as_str();
        Value::string(self.arena.text(&text).expect("memory"))
    }
}

/// OPA's answers to calls of our own: a call, a tab and its result in each line.
const ANSWERS: [&str; 11] = [
    include_str!("answers/documents.tsv"),
    include_str!("answers/glob.tsv"),
    include_str!("answers/graphql.tsv"),
    include_str!("answers/jwt.tsv"),
    include_str!("answers/numbers.tsv"),
    include_str!("answers/others.tsv"),
    include_str!("answers/schema.tsv"),
    include_str!("answers/sprintf.tsv"),
    include_str!("answers/strings.tsv"),
    include_str!("answers/time.tsv"),
    include_str!("answers/yaml.tsv"),
];

#[test]
fn recorded_answers_agree() {
    ANSWERS.into_iter().for_each(check_answers);
    // More of them, in a file that the environment names.
    if let Some(path) = std::env::var_os("GAVEL_BUILTIN_ANSWERS") {
        check_answers(&std::fs::read_to_string(path).expect("a readable file"));
    }
}

#[track_caller]
fn check_answers(answers: &str) {
    let differing: Vec<String> = answers
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(call, want)| (call, want, run(call)))
        .filter(|(_, want, got)| want != got)
        .map(|(call, want, got)| format!("{call}\n  OPA   {want}\n  gavel {got}"))
        .collect();
    assert!(
        differing.is_empty(),
        "{} differ\n{}",
        differing.len(),
        differing.join("\n")
    );
}

/// Bounds end the evaluation; they never become undefined.
#[test]
fn work_that_explodes_is_refused() {
    check("numbers.range(1, 1000000000000)", "!eval_fuel_error");
    check(
        "numbers.range(1, 100000000000000000000000000000)",
        "!eval_fuel_error",
    );
    check("bits.lsh(1, 1000000000)", "!eval_fuel_error");
    check("net.cidr_expand(\"::/0\")", "!eval_fuel_error");
    check("net.cidr_expand(\"0.0.0.0/0\")", "!eval_fuel_error");
    check("units.parse(\"1e999999\")", "!eval_fuel_error");
    let loops = "{{range 100000}}{{range 100000}}{{end}}{{end}}";
    check(
        &format!("strings.render_template({loops:?}, {{}})"),
        "!eval_fuel_error",
    );
    let endless = "{{define `r`}}{{template `r` .}}{{end}}{{template `r` .}}";
    check(
        &format!("strings.render_template({endless:?}, {{}})"),
        "!eval_depth_error",
    );
    let nested = format!("{}{}", "{{if .}}".repeat(10_000), "{{end}}".repeat(10_000));
    check(
        &format!("strings.render_template({nested:?}, {{}})"),
        "!eval_depth_error",
    );
    check("mul(1e30000, 1e30000)", &format!("1{}", "0".repeat(60_000)));
    let verbs = "%999999d".repeat(100);
    check(
        &format!("sprintf(\"{verbs}\", [{}])", vec!["1"; 100].join(", ")),
        "!eval_memory_error",
    );
}

/// A byte that is no UTF-8 is one character, and comes back out of the functions that look at bytes.
#[test]
fn bytes_survive() {
    check("hex.encode(\"\u{10feff}\u{0}a\")", "\"ff0061\"");
    check("base64.decode(\"/wBh\")", "\"\\xff\\x00a\"");
    check("json.marshal(\"\u{10feff}\")", "\"\\\"\\\\ufffd\\\"\"");
}
