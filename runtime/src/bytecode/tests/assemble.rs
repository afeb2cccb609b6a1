//! Text → bytecode, for tests: operands in the order of the op table, labels by name, constants as JSON.
//!
//! ```text
//! rule data.p.allow regs=2
//!     slot r0 input.a ->no
//!     eq.k r0 "x" ->no
//!     ret.k #0 true
//! no: ret.undef
//! ```

use crate::arena::Arena;
use crate::bytecode::{FnInfo, FnKind, Inst, MOCK_BUILTIN, NO_PREPARED, NO_REG, Op, RawProgram, Role};
use crate::json::{Numbers, parse};
use crate::value::Constant;
use std::collections::HashMap;

/// Assembles a program; panics with the line that is wrong.
pub(crate) fn assemble(text: &str) -> RawProgram {
    let mut assembler = Assembler::default();
    assembler.program.slots.push(Vec::new());
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        assembler.line(line);
    }
    assembler.end_function();
    assembler.program
}

#[derive(Default)]
struct Assembler {
    program: RawProgram,
    labels: HashMap<String, u32>,
    /// Ops of the running function whose label is not known yet.
    open: Vec<(usize, String)>,
}

impl Assembler {
    fn line(&mut self, line: &str) {
        let mut words = split(line);
        let kind = match words[0].as_str() {
            "rule" => Some(FnKind::Rule),
            "function" => Some(FnKind::Function),
            "memo" => Some(FnKind::Memo),
            "query" => Some(FnKind::Query),
            "base" => {
                if words.len() == 2 && !words[1].starts_with('r') {
                    self.program.base = Some(json(&words[1]));
                    return;
                }
                None
            }
            _ => None,
        };
        if let Some(kind) = kind {
            self.end_function();
            let number = |name: &str| {
                let word = words.iter().find_map(|word| word.strip_prefix(name));
                word.map_or(0, |word| word.parse().unwrap())
            };
            let entry = self.program.code.len() as u32;
            self.program.functions.push(FnInfo {
                name: words[1].clone(),
                kind,
                entry,
                end: entry,
                params: number("params="),
                regs: number("regs="),
            });
            return;
        }
        while let Some(label) = words[0].strip_suffix(':') {
            self.labels
                .insert(label.to_owned(), self.program.code.len() as u32);
            words.remove(0);
        }
        self.op(line, words);
    }

    fn op(&mut self, line: &str, words: Vec<String>) {
        let op = *Op::ALL
            .iter()
            .find(|op| op.name() == words[0])
            .unwrap_or_else(|| panic!("op: {line}"));
        let mut inst = Inst::new(op);
        let mut words = words.into_iter().skip(1).peekable();
        for (place, role) in op.shape().roles.into_iter().enumerate() {
            let mut next = || words.next().unwrap_or_else(|| panic!("operand {place}: {line}"));
            let value: u32 = match role {
                Role::None => continue,
                Role::Label => {
                    // Labels are written last.
                    continue;
                }
                Role::DefOpt => match next().as_str() {
                    "_" => u32::from(NO_REG),
                    reg => number(reg, "r"),
                },
                Role::Def | Role::Use | Role::UseDef | Role::DefLoop | Role::Loop | Role::Run => {
                    number(&next(), "r")
                }
                Role::Count | Role::CountPairs | Role::Imm => number(&next(), "#"),
                Role::Const => {
                    let constant = json(&next());
                    self.program.constants.push(constant);
                    self.program.constants.len() as u32 - 1
                }
                Role::Slot => {
                    let word = next();
                    let path: Vec<&str> = word.split('.').skip(1).collect();
                    u32::from(self.program.intern_slot(&path).unwrap().0)
                }
                Role::Func => self.function(&next()),
                Role::Builtin => builtin(&next()),
                Role::Target => {
                    let name = next();
                    match name.strip_prefix("builtin:") {
                        Some(name) => builtin(name) | MOCK_BUILTIN,
                        None => self.function(&name),
                    }
                }
                Role::Prepared => NO_PREPARED,
                Role::Mock => {
                    let mock = number(&next(), "m");
                    self.program.mocks = self.program.mocks.max(mock as u16 + 1);
                    mock
                }
            };
            match place {
                0 => inst.a = value as u16,
                1 => inst.b = value as u16,
                2 => inst.c = value,
                3 => inst.d = value as u16,
                4 => inst.e = value as u16,
                _ => inst.f = value,
            }
        }
        if op.shape().roles[2] == Role::Label {
            let label = words.next().unwrap_or_else(|| panic!("label: {line}"));
            self.open.push((
                self.program.code.len(),
                label.strip_prefix("->").unwrap().to_owned(),
            ));
        }
        assert!(words.peek().is_none(), "too many operands: {line}");
        self.program.code.push(inst.low_word());
        if op.shape().is_wide() {
            self.program.code.push(inst.high_word());
        }
    }

    fn function(&self, name: &str) -> u32 {
        let at = self
            .program
            .functions
            .iter()
            .position(|function| function.name == name);
        at.unwrap_or_else(|| panic!("function {name}")) as u32
    }

    fn end_function(&mut self) {
        for (at, label) in self.open.drain(..) {
            let target = *self.labels.get(&label).unwrap_or_else(|| panic!("label {label}"));
            self.program.code[at] |= u64::from(target) << 40;
        }
        self.labels.clear();
        if let Some(function) = self.program.functions.last_mut() {
            function.end = self.program.code.len() as u32;
        }
    }
}

/// Words between blanks; strings, arrays and objects are one word.
fn split(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let (mut depth, mut quoted) = (0, false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            '[' | '{' if !quoted => depth += 1,
            ']' | '}' if !quoted => depth -= 1,
            _ => {}
        }
        if c.is_whitespace() && depth == 0 && !quoted {
            words.push(String::new());
        } else {
            words.last_mut().unwrap().push(c);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn number(word: &str, prefix: &str) -> u32 {
    word.strip_prefix(prefix)
        .and_then(|word| word.parse().ok())
        .unwrap_or_else(|| panic!("{prefix}: {word}"))
}

fn builtin(name: &str) -> u32 {
    u32::from(
        crate::builtins::find(name)
            .unwrap_or_else(|| panic!("builtin {name}"))
            .0,
    )
}

/// A constant: JSON, with `set[…]` for a set.
fn json(text: &str) -> Constant {
    let (is_set, text) = match text.strip_prefix("set") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let arena = Arena::new(1 << 10, 1 << 20);
    let value =
        parse(&arena, text.as_bytes(), Numbers::Text).unwrap_or_else(|error| panic!("{text}: {error}"));
    match value.to_constant().unwrap() {
        Constant::Array(members) if is_set => Constant::set(members),
        constant => constant,
    }
}
