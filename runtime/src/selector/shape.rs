//! Selectors as trees of the regex crate: which of them are texts, and how the others are walked over whole texts.

use regex_syntax::hir::{Dot, Hir, HirKind, Look, Repetition};

/// The text of `^text$`.
pub(super) fn exact_text(hir: &Hir) -> Option<String> {
    let HirKind::Concat(parts) = hir.kind() else {
        return None;
    };
    let [start, text, end] = parts.as_slice() else {
        return None;
    };
    match (start.kind(), text.kind(), end.kind()) {
        (HirKind::Look(Look::Start), HirKind::Literal(text), HirKind::Look(Look::End)) => {
            String::from_utf8(text.0.to_vec()).ok()
        }
        _ => None,
    }
}

/// The text of `^text.*$`.
pub(super) fn prefix_text(hir: &Hir) -> Option<String> {
    let HirKind::Concat(parts) = hir.kind() else {
        return None;
    };
    let [start, text, rest, end] = parts.as_slice() else {
        return None;
    };
    match (start.kind(), text.kind(), rest.kind(), end.kind()) {
        (
            HirKind::Look(Look::Start),
            HirKind::Literal(text),
            HirKind::Repetition(Repetition {
                min: 0,
                max: None,
                sub,
                ..
            }),
            HirKind::Look(Look::End),
        ) if **sub == Hir::dot(Dot::AnyCharExceptLF) => String::from_utf8(text.0.to_vec()).ok(),
        _ => None,
    }
}

/// A pattern that matches a whole text exactly if `hir` matches somewhere in it.
pub(super) fn whole_text(hir: Hir) -> Hir {
    let anything = || {
        let sub = Box::new(Hir::dot(Dot::AnyByte));
        Hir::repetition(Repetition {
            min: 0,
            max: None,
            greedy: true,
            sub,
        })
    };
    let starts = hir.properties().look_set_prefix().contains(Look::Start);
    let ends = hir.properties().look_set_suffix().contains(Look::End);
    let mut parts = Vec::with_capacity(3);
    parts.extend((!starts).then(anything));
    parts.push(hir);
    parts.extend((!ends).then(anything));
    Hir::concat(parts)
}

/// A run of any characters between whole texts as a run of any bytes, of which an automaton makes one state instead of some
/// for each length of a character. What is searched is UTF-8, so that such a text, and the end, stand where a character begins.
pub(super) fn over_bytes(hir: Hir) -> Hir {
    let HirKind::Concat(parts) = hir.kind() else {
        return hir;
    };
    let is_whole = |at: Option<usize>| match at.and_then(|at| parts.get(at)).map(Hir::kind) {
        Some(HirKind::Literal(text)) => std::str::from_utf8(&text.0).is_ok(),
        Some(HirKind::Look(look)) => matches!(look, Look::Start | Look::End),
        _ => false,
    };
    let over_bytes = |(at, part): (usize, &Hir)| match part.kind() {
        HirKind::Repetition(run)
            if (run.min, run.max) == (0, None)
                && *run.sub == Hir::dot(Dot::AnyCharExceptLF)
                && is_whole(at.checked_sub(1))
                && is_whole(at.checked_add(1)) =>
        {
            Hir::repetition(Repetition {
                sub: Box::new(Hir::dot(Dot::AnyByteExceptLF)),
                ..run.clone()
            })
        }
        _ => part.clone(),
    };
    Hir::concat(parts.iter().enumerate().map(over_bytes).collect())
}
