//! Regular expressions in Go's syntax.

use super::caches::Working;
use super::operand::{args, int, string};
use super::output::Text;
use super::{BuiltinResult, Call, Failure};
use crate::arena::List;
use crate::bytecode::Prepared;
use crate::error::EvalErrorKind;
use crate::re2::Pattern;
use crate::value::Value;

/// A pattern, the memory that searching with it needs, and the budget.
struct Search<'s> {
    pattern: &'s Pattern,
    working: &'s mut Working,
    fuel: &'s mut u64,
}

impl<'s> Search<'s> {
    /// The pattern that was prepared, or that of the operand.
    fn new(call: &'s mut Call<'_, '_>, pattern: Value<'_>) -> Result<Search<'s>, Failure> {
        if let Some(Prepared::Regex(prepared)) = call.prepared {
            return Ok(Search {
                pattern: prepared.pattern(),
                working: call.caches.working(prepared).ok_or(Failure::BUILTIN)?,
                fuel: call.fuel,
            });
        }
        let (pattern, working) = call.caches.regex(string(pattern)?, call.fuel)?;
        Ok(Search {
            pattern,
            working,
            fuel: call.fuel,
        })
    }

    fn pay(&mut self, steps: usize) -> Result<(), Failure> {
        super::call::charge(self.fuel, steps)
    }

    /// Pays for a search that is out of the ordinary before it is made.
    fn measure(&mut self, text: &str, from: usize, looked_at: &mut usize) -> Result<(), Failure> {
        let (fuel, scratch) = (&mut *self.fuel, &mut self.working.scratch);
        let pay = |steps| super::call::charge(fuel, steps);
        self.pattern.charge(scratch, text, from, looked_at, pay)
    }

    /// Calls `found` with the byte ranges of the groups of each match, the whole match first: at most `limit` matches.
    /// An empty match directly behind another match does not count, as in Go.
    fn matches(
        &mut self,
        text: &str,
        limit: usize,
        mut found: impl FnMut(&mut Search<'_>, &[Option<(usize, usize)>]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let (mut from, mut previous_end, mut count) = (0, None, 0);
        let mut looked_at = 0;
        while count < limit && from <= text.len() {
            self.measure(text, from, &mut looked_at)?;
            let Working {
                cache,
                groups,
                ranges,
                ..
            } = &mut *self.working;
            self.pattern.captures_at(cache, text, from, groups);
            let Some(whole) = groups.get_match() else {
                return self.pay(1 + (text.len() - from) / 4);
            };
            ranges.clear();
            ranges.extend(groups.iter().map(|span| span.map(|span| (span.start, span.end))));
            let ranges = std::mem::take(ranges);
            self.pay(1 + (whole.end() - from) / 4)?;
            let mut accepted = true;
            if whole.end() == from {
                accepted = previous_end != Some(whole.start());
                let next = text.get(from..).and_then(|rest| rest.chars().next());
                from += next.map_or(1, char::len_utf8);
            } else {
                from = whole.end();
            }
            previous_end = Some(whole.end());
            if accepted {
                count += 1;
                found(self, &ranges)?;
            }
            self.working.ranges = ranges;
        }
        Ok(())
    }
}

/// The text of a group; empty for one that took no part.
fn group<'t>(text: &'t str, ranges: &[Option<(usize, usize)>], at: usize) -> &'t str {
    let range = ranges.get(at).copied().flatten();
    range.and_then(|(start, end)| text.get(start..end)).unwrap_or("")
}

/// Go's count of matches: negative for all.
fn limit(count: i64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// `regex.match(pattern, text)`
pub(super) fn is_match<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [pattern, text] = self::args(args)?;
    string(pattern)?;
    let text = string(text)?;
    call.charge(text.len() / 4)?;
    let mut search = Search::new(call, pattern)?;
    search.measure(text, 0, &mut 0)?;
    Ok(Value::bool(
        search.pattern.is_match(&mut search.working.cache, text),
    ))
}

/// `regex.is_valid(pattern)`: false for what is no string.
pub(super) fn is_valid<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [pattern] = self::args(args)?;
    let Some(pattern) = pattern.as_str() else {
        return Ok(Value::FALSE);
    };
    call.charge(pattern.len())?;
    match call.caches.regex(pattern, call.fuel) {
        // A pattern that is too large for us is valid all the same.
        Ok(_) | Err(Failure::Abort(EvalErrorKind::ArenaExhausted)) => Ok(Value::TRUE),
        Err(Failure::Error(_)) => Ok(Value::FALSE),
        Err(abort) => Err(abort),
    }
}

/// `regex.find_n(pattern, text, n)`
pub(super) fn find_n<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [pattern, text, count] = self::args(args)?;
    string(pattern)?;
    let (text, count) = (string(text)?, int(count)?);
    let mut found = List::new(call.arena);
    Search::new(call, pattern)?.matches(text, limit(count), |_, ranges| {
        Ok(found.push(Value::string(group(text, ranges, 0)))?)
    })?;
    Ok(Value::array(found.finish()))
}

/// `regex.find_all_string_submatch_n(pattern, text, n)`
pub(super) fn find_all_submatch_n<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [pattern, text, count] = self::args(args)?;
    string(pattern)?;
    let (text, count) = (string(text)?, int(count)?);
    let arena = call.arena;
    let mut found = List::new(arena);
    Search::new(call, pattern)?.matches(text, limit(count), |search, ranges| {
        search.pay(ranges.len())?;
        let groups = arena.filled(ranges.len(), Value::NULL)?;
        for (at, place) in groups.iter_mut().enumerate() {
            *place = Value::string(group(text, ranges, at));
        }
        Ok(found.push(Value::array(groups))?)
    })?;
    Ok(Value::array(found.finish()))
}

/// `regex.split(pattern, text)`
pub(super) fn split<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [pattern, value] = self::args(args)?;
    let pattern_text = string(pattern)?;
    let text = string(value)?;
    let mut parts = List::new(call.arena);
    let mut search = Search::new(call, pattern)?;
    if text.is_empty() && !pattern_text.is_empty() {
        parts.push(value)?;
        return Ok(Value::array(parts.finish()));
    }
    let (mut begin, mut end) = (0, 0);
    search.matches(text, usize::MAX, |_, ranges| {
        let Some((from, to)) = ranges.first().copied().flatten() else {
            return Ok(());
        };
        end = from;
        // A match of nothing at the very start cuts nothing off.
        if to != 0 {
            parts.push(Value::string(text.get(begin..end).unwrap_or_default()))?;
        }
        begin = to;
        Ok(())
    })?;
    if end != text.len() {
        parts.push(Value::string(text.get(begin..).unwrap_or_default()))?;
    }
    Ok(Value::array(parts.finish()))
}

/// `regex.replace(text, pattern, template)`: `$1`, `${name}` and `$$` in the template stand for groups and `$`.
pub(super) fn replace<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [value, pattern, template] = self::args(args)?;
    let text = string(value)?;
    string(pattern)?;
    let template = string(template)?;
    let mut out = Text::new(call.arena);
    let mut last = 0;
    let mut search = Search::new(call, pattern)?;
    search.matches(text, usize::MAX, |search, ranges| {
        let Some((from, to)) = ranges.first().copied().flatten() else {
            return Ok(());
        };
        let before = out.len();
        out.push_str(text.get(last..from).unwrap_or_default())?;
        expand(&mut out, template, text, search.pattern, ranges)?;
        last = to;
        search.pay(template.len().saturating_mul(4) + (out.len() - before) / 8)
    })?;
    out.push_str(text.get(last..).unwrap_or_default())?;
    out.value()
}

fn expand(
    out: &mut Text<'_>,
    template: &str,
    text: &str,
    pattern: &Pattern,
    ranges: &[Option<(usize, usize)>],
) -> Result<(), Failure> {
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before)?;
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$')?;
            rest = after;
            continue;
        }
        let Some((name, after)) = group_name(rest) else {
            // Malformed: the dollar is a dollar.
            out.push('$')?;
            continue;
        };
        rest = after;
        let by_name = || {
            let is_name = |known: &Option<Box<str>>| known.as_deref() == Some(name);
            pattern
                .group_names()
                .iter()
                .enumerate()
                .find(|(at, known)| is_name(known) && ranges.get(*at).copied().flatten().is_some())
                .map(|(at, _)| at)
        };
        if let Some(at) = group_number(name).map_or_else(by_name, Some) {
            out.push_str(group(text, ranges, at))?;
        }
    }
    out.push_str(rest)
}

/// `name` or `{name}` at the start, and what follows it.
fn group_name(text: &str) -> Option<(&str, &str)> {
    let (braced, inner) = match text.strip_prefix('{') {
        Some(inner) => (true, inner),
        None => (false, text),
    };
    let is_part = |c: char| c == '_' || c.is_alphanumeric();
    let end = inner.find(|c| !is_part(c)).unwrap_or(inner.len());
    let (name, rest) = inner.split_at(end);
    let rest = if braced { rest.strip_prefix('}')? } else { rest };
    (!name.is_empty()).then_some((name, rest))
}

/// A name of digits without leading zeros is a number.
fn group_number(name: &str) -> Option<usize> {
    let digits = name.bytes().all(|b| b.is_ascii_digit()) && (name.len() == 1 || !name.starts_with('0'));
    if digits {
        name.parse().ok().filter(|number| *number < 1_000_000_000)
    } else {
        None
    }
}

/// `regex.template_match(template, text, start, end)`: patterns between delimiters, everything else as it is.
pub(super) fn template_match<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [template, text, start, end] = self::args(args)?;
    let (template, text) = (string(template)?, string(text)?);
    let (start, end) = (string(start)?, string(end)?);
    let ([start], [end]) = (start.as_bytes(), end.as_bytes()) else {
        return Err(Failure::BUILTIN);
    };
    call.charge(template.len() + text.len() / 4)?;
    let mut pattern = Text::new(call.arena);
    pattern.push('^')?;
    let (mut level, mut opened, mut literal_from) = (0_usize, 0, 0);
    for (at, byte) in template.bytes().enumerate() {
        if byte == *start {
            level += 1;
            if level == 1 {
                opened = at;
            }
        } else if byte == *end {
            level = level.checked_sub(1).ok_or(Failure::BUILTIN)?;
            if level == 0 {
                let inner = template.get(opened + 1..at).unwrap_or_default();
                quote(
                    &mut pattern,
                    template.get(literal_from..opened).unwrap_or_default(),
                )?;
                pattern.format(format_args!("({inner})"))?;
                // Each part must be a pattern of its own.
                let mut whole = Text::new(call.arena);
                whole.format(format_args!("^{inner}$"))?;
                call.caches.regex(whole.finish()?, call.fuel)?;
                literal_from = at + 1;
            }
        }
    }
    if level != 0 {
        return Err(Failure::BUILTIN);
    }
    quote(&mut pattern, template.get(literal_from..).unwrap_or_default())?;
    pattern.push('$')?;
    let (pattern, working) = call.caches.regex(pattern.finish()?, call.fuel)?;
    let pay = |steps| super::call::charge(call.fuel, steps);
    pattern.charge(&mut working.scratch, text, 0, &mut 0, pay)?;
    Ok(Value::bool(pattern.is_match(&mut working.cache, text)))
}

/// Appends a text with the pattern characters escaped.
fn quote(out: &mut Text<'_>, text: &str) -> Result<(), Failure> {
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\')?;
        }
        out.push(c)?;
    }
    Ok(())
}
