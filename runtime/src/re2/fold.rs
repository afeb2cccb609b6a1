//! Classes and characters under `(?i)`: Unicode's simple case folding.

use regex_syntax::hir::{Class, ClassUnicode, Hir};

use super::class;

/// The class with all case variants of its members.
pub(super) fn folded(mut class: ClassUnicode) -> ClassUnicode {
    // Without the tables there would be no variants; they are always compiled in.
    let _ = class.try_case_fold_simple();
    class
}

/// A character, or all its case variants.
pub(super) fn character(c: char, fold: bool) -> Hir {
    let plain = || Hir::literal(c.to_string().into_bytes().into_boxed_slice());
    if !fold {
        return plain();
    }
    let variants = folded(class::of(&[(c, c)]));
    if variants.ranges().len() == 1 && variants.ranges().iter().all(|range| range.start() == range.end()) {
        return plain();
    }
    Hir::class(Class::Unicode(variants))
}
