//! Regular expressions that match more names than they look like: without `^` a name may begin with anything, without `$`
//! it may go on.

use super::findings::Findings;
use super::module::ModuleCx;
use super::rule::Rule;
use super::visit::{self, Event};
use crate::ast::{Term, TermKind};
use crate::domain::ModuleKind;
use gavel_runtime::re2;

pub(super) fn check(cx: &ModuleCx<'_, '_>, findings: &mut Findings) {
    visit::module(cx.module, &mut |event| {
        let Event::Term(term) = event else { return };
        let TermKind::Call { name, args } = &term.kind else {
            return;
        };
        let (Some(builtin), [pattern, value]) = (cx.builtin(name), args) else {
            return;
        };
        if !matches!(builtin.name, "regex.match" | "re_match") {
            return;
        }
        let TermKind::String { text, .. } = pattern.kind else {
            return;
        };
        if !is_name(cx, value) && !text.trim_start_matches('^').starts_with("mrn:") {
            return;
        }
        if let Some((message, help)) = open_end(text) {
            findings.add(Rule::UnanchoredRegex, pattern.span, message, help);
        }
    });
}

/// Whether a value is an MRN or the operation.
fn is_name<'a>(cx: &ModuleCx<'_, 'a>, value: &Term<'a>) -> bool {
    cx.kind != ModuleKind::Mapper
        && cx.path(value).is_some_and(|path| {
            matches!(
                path.as_slice(),
                ["input", "operation"] | ["input", "resource", "id" | "group" | "owner"]
            )
        })
}

fn open_end(pattern: &str) -> Option<(String, String)> {
    let translation = re2::translate(pattern).ok()?;
    if translation.is_anchored() {
        return None;
    }
    let inner = pattern.strip_prefix('^').unwrap_or(pattern);
    let inner = inner.strip_suffix('$').unwrap_or(inner);
    let is_suffix = pattern.starts_with([':', '/', '.', '-']) && pattern.ends_with('$');
    let starts_open = is_suffix || pattern.starts_with(".*") || pattern.starts_with("(?");
    if translation.has_branches && pattern.starts_with('^') && pattern.ends_with('$') {
        let message = format!("the anchors of `{pattern}` do not hold for all of its alternatives");
        return Some((message, format!("write `^(?:{inner})$`")));
    }
    if !pattern.starts_with('^') && !starts_open {
        let message = format!("`{pattern}` is found anywhere in a name");
        return Some((
            message,
            format!("write `^{inner}$`, or `.*` in front if that is meant"),
        ));
    }
    let is_plain = |text: &str| {
        text.chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '/' | '-' | '_' | '.' | '@'))
    };
    let ends_in_word = inner.ends_with(|c: char| c.is_ascii_alphanumeric());
    if pattern.starts_with('^') && is_plain(inner) && ends_in_word {
        let message = format!("`{pattern}` also matches names that go on behind it");
        return Some((
            message,
            format!("write `^{inner}$`, or `^{inner}:` for all below it"),
        ));
    }
    None
}
