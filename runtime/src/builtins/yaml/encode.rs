//! `yaml.marshal`: block style with an indent of two, as OPA writes it.

use super::plain_text::{Style, is_break, style};
use super::scalar::{Meaning, plain};
use super::sort::sort_fields;
use crate::builtins::json_text::{compact, parse};
use crate::builtins::operand::args;
use crate::builtins::output::Text;
use crate::builtins::{BuiltinResult, Call, Failure};
use crate::error::EvalErrorKind;
use crate::json::{self, Escape};
use crate::limits::BUILTIN_DEPTH_MAX;
use crate::number::f64_text;
use crate::value::{Kind, Object, Value};
use std::borrow::Cow;

/// Length of a key, in bytes, from which on it gets a `?`.
const SIMPLE_KEY_BYTES_MAX: usize = 128;

/// Length of a key as JSON, in characters, that OPA's reader takes: it writes JSON first and reads that as YAML.
const JSON_KEY_CHARS_MAX: usize = 1024;

/// The end of a line that is folded where texts are read.
const NEXT_LINE: char = '\u{85}';

const BYTE_ORDER_MARK: char = '\u{feff}';

/// `yaml.marshal(x)`
pub(in crate::builtins) fn marshal<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value] = self::args(args)?;
    // What JSON has not (sets, keys that are no strings) becomes what it has.
    let json = compact(call, value)?;
    let value = parse(call.arena, json.as_bytes())?;
    let mut writer = Writer {
        out: Text::new(call.arena),
        call,
        depth: 0,
        has_ended_line: false,
    };
    writer.node(value, 0, true)?;
    let text = writer.out.finish()?;
    call.charge(text.len() / 8)?;
    Ok(Value::string(text))
}

struct Writer<'w, 'c, 'r> {
    out: Text<'r>,
    call: &'w mut Call<'c, 'r>,
    depth: usize,
    /// Whether the last line was ended by a text of several lines.
    has_ended_line: bool,
}

impl<'r> Writer<'_, '_, 'r> {
    /// Writes a node and the end of its last line. `indent`: where its lines begin. `is_inline`: the first of them has
    /// begun already, behind a dash or as the first of the text.
    fn node(&mut self, value: Value<'r>, indent: usize, is_inline: bool) -> Result<(), Failure> {
        self.depth += 1;
        if self.depth > BUILTIN_DEPTH_MAX {
            return Err(Failure::Abort(EvalErrorKind::DepthExceeded));
        }
        match value.kind() {
            Kind::Array(items) if !items.is_empty() => {
                for (at, item) in items.iter().enumerate() {
                    self.begin_line(indent, at > 0 || !is_inline)?;
                    self.out.push_str("- ")?;
                    self.node(*item, indent + 2, true)?;
                }
            }
            Kind::Object(fields) if !fields.is_empty() => self.fields(fields, indent, is_inline)?,
            _ => {
                self.scalar(value, indent)?;
                self.end_line()?;
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn fields(&mut self, fields: Object<'r>, indent: usize, is_inline: bool) -> Result<(), Failure> {
        let fields = sort_fields(self.call.arena, fields)?;
        for (at, field) in fields.iter().enumerate() {
            let key = field.key.as_str().ok_or(Failure::BUILTIN)?;
            self.check_key(key)?;
            self.begin_line(indent, at > 0 || !is_inline)?;
            let has_lines = matches!(field.value.kind(), Kind::Array([_, ..]) | Kind::Object([_, ..]));
            if key.len() > SIMPLE_KEY_BYTES_MAX || key.contains(is_break) {
                self.out.push_str("? ")?;
                self.scalar(field.key, indent + 2)?;
                self.end_line()?;
                self.begin_line(indent, true)?;
                self.out.push_str(": ")?;
                self.node(field.value, indent + 2, true)?;
            } else if has_lines {
                self.scalar(field.key, indent + 2)?;
                self.out.push_str(":\n")?;
                self.node(field.value, indent + 2, false)?;
            } else {
                self.scalar(field.key, indent + 2)?;
                self.out.push_str(": ")?;
                self.node(field.value, indent + 2, true)?;
            }
        }
        Ok(())
    }

    fn check_key(&mut self, key: &str) -> Result<(), Failure> {
        // To OPA's reader that is a key of two lines.
        if key.contains(NEXT_LINE) {
            return Err(Failure::BUILTIN);
        }
        // No character of a key takes more than six characters of JSON.
        if 6 * key.len() + 2 <= JSON_KEY_CHARS_MAX {
            return Ok(());
        }
        let scratch = &mut self.call.caches.scratch;
        scratch.clear();
        json::write(scratch, Value::string(key), Escape::Html).map_err(|_| Failure::BUILTIN)?;
        let chars = std::str::from_utf8(scratch)
            .map_err(|_| Failure::BUILTIN)?
            .chars()
            .count();
        if chars > JSON_KEY_CHARS_MAX {
            return Err(Failure::BUILTIN);
        }
        Ok(())
    }

    fn begin_line(&mut self, indent: usize, is_new: bool) -> Result<(), Failure> {
        self.out.fill(' ', if is_new { indent } else { 0 })
    }

    fn end_line(&mut self) -> Result<(), Failure> {
        match std::mem::take(&mut self.has_ended_line) {
            true => Ok(()),
            false => self.out.push('\n'),
        }
    }

    /// A scalar without the end of its line, if it is no text that has one. `indent`: where the lines of a text with several
    /// begin, but for the root.
    fn scalar(&mut self, value: Value<'r>, indent: usize) -> Result<(), Failure> {
        let indent = indent.max(2);
        match value.kind() {
            Kind::Null => self.out.push_str("null"),
            Kind::Bool(value) => self.out.push_str(if value { "true" } else { "false" }),
            Kind::Int(int) => self.out.format(format_args!("{int}")),
            Kind::Number(text) => match plain(text) {
                Meaning::Int(int) => self.out.format(format_args!("{int}")),
                Meaning::Float(float) => self.out.push_str(&f64_text(float)),
                _ => self.out.push_str(text),
            },
            Kind::String(text) => self.text(text, indent),
            Kind::Array(_) => self.out.push_str("[]"),
            _ => self.out.push_str("{}"),
        }
    }

    fn text(&mut self, text: &str, indent: usize) -> Result<(), Failure> {
        let folded = folded(text)?;
        let text = folded.as_ref();
        match style(text)? {
            Style::Plain => self.out.push_str(text),
            Style::SingleQuoted => {
                self.out.push('\'')?;
                let mut is_new = false;
                for c in text.chars() {
                    self.begin_line(indent, is_new && !is_break(c))?;
                    self.out.push_str(if c == '\'' { "'" } else { "" })?;
                    self.out.push(c)?;
                    is_new = is_break(c);
                }
                self.out.push('\'')
            }
            Style::DoubleQuoted => self.double_quoted(text),
            Style::Literal => self.literal(text, indent),
        }
    }

    fn double_quoted(&mut self, text: &str) -> Result<(), Failure> {
        self.out.push('"')?;
        // OPA's writer looks for the mark at the start of the text, whichever character it is at.
        let escapes_all = text.starts_with(BYTE_ORDER_MARK);
        for c in text.chars() {
            let escape = match c {
                '\0' => "\\0",
                '\u{7}' => "\\a",
                '\u{8}' => "\\b",
                '\t' => "\\t",
                '\n' => "\\n",
                '\u{b}' => "\\v",
                '\u{c}' => "\\f",
                '\r' => "\\r",
                '\u{1b}' => "\\e",
                '"' => "\\\"",
                '\\' => "\\\\",
                '\u{a0}' if escapes_all => "\\_",
                '\u{2028}' => "\\L",
                '\u{2029}' => "\\P",
                c if c < ' ' || (escapes_all && c <= '\u{ff}') => {
                    self.out.format(format_args!("\\x{:02X}", u32::from(c)))?;
                    continue;
                }
                c if c == BYTE_ORDER_MARK || (escapes_all && c <= '\u{ffff}') => {
                    self.out.format(format_args!("\\u{:04X}", u32::from(c)))?;
                    continue;
                }
                c if c > '\u{ffff}' => {
                    self.out.format(format_args!("\\U{:08X}", u32::from(c)))?;
                    continue;
                }
                c => {
                    self.out.push(c)?;
                    continue;
                }
            };
            self.out.push_str(escape)?;
        }
        self.out.push('"')
    }

    fn literal(&mut self, text: &str, indent: usize) -> Result<(), Failure> {
        self.out.push('|')?;
        if text.starts_with(|c| c == ' ' || is_break(c)) {
            self.out.push('2')?;
        }
        let content = text.strip_suffix(is_break);
        self.out.push_str(match content {
            None => "-",
            Some(content) if content.is_empty() || content.ends_with(is_break) => "+",
            Some(_) => "",
        })?;
        self.out.push('\n')?;
        let mut is_new = true;
        for c in text.chars() {
            self.begin_line(indent, is_new && !is_break(c))?;
            self.out.push(c)?;
            is_new = is_break(c);
        }
        self.has_ended_line = content.is_some();
        Ok(())
    }
}

/// A text as OPA's reader takes it, which folds lines that end with U+0085. An error for what looks like the end of the
/// document.
fn folded(text: &str) -> Result<Cow<'_, str>, Failure> {
    if !text.contains(NEXT_LINE) {
        return Ok(Cow::Borrowed(text));
    }
    let mut folded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(NEXT_LINE) {
        let (line, behind) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let next = behind.trim_start_matches([' ', NEXT_LINE]);
        let breaks = behind.strip_suffix(next).unwrap_or_default();
        let is_marker = breaks.ends_with(NEXT_LINE)
            && ["---", "..."].iter().any(|marker| {
                next.strip_prefix(marker)
                    .is_some_and(|rest| rest.starts_with([' ', NEXT_LINE]))
            });
        if is_marker {
            return Err(Failure::BUILTIN);
        }
        folded.push_str(line.trim_end_matches(' '));
        let count = breaks.matches(NEXT_LINE).count();
        match count {
            1 => folded.push(' '),
            _ => folded.extend(std::iter::repeat_n('\n', count - 1)),
        }
        rest = next;
    }
    folded.push_str(rest);
    Ok(Cow::Owned(folded))
}
