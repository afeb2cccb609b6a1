//! Imports that nothing reads, and the one that means different things to different engines.

use super::findings::Findings;
use super::module::ModuleCx;
use super::names;
use super::negation;
use super::rule::Rule;
use super::visit::{self, Event};
use crate::ast::{Literal, LiteralKind, Operand};

pub(super) fn check(cx: &ModuleCx<'_, '_>, findings: &mut Findings) {
    for import in cx.module.imports {
        if let [future, keywords] = import.path
            && (future.text, keywords.text) == ("future", "keywords")
            && !cx.module.dialect.new_not
            && has_changing_negation(cx)
        {
            let message =
                "`import future.keywords` changes what `not` means in OPA 1.20 and later, but not here";
            let help = "name the keywords: `import future.keywords.in` and so on, or `import rego.v1`";
            findings.add(Rule::BlanketImport, import.span, message, help);
        }
        let Some(name) = names::of_import(import) else {
            continue;
        };
        if cx.mentioned.contains(name.text) {
            continue;
        }
        let message = format!("import `{}` is never used", names::path_of_import(import));
        let help = format!("remove it; or a rule that was to ask `{}` is missing", name.text);
        findings.add(Rule::UnusedImport, import.span, message, help);
    }
}

/// Whether some negation depends on what is evaluated before it.
fn has_changing_negation(cx: &ModuleCx<'_, '_>) -> bool {
    let mut found = false;
    visit::module(cx.module, &mut |event| {
        if let Event::Literal(Literal {
            kind:
                LiteralKind::Not(Operand::Implicit(Literal {
                    kind: LiteralKind::Term(term),
                    ..
                })),
            ..
        }) = event
        {
            found |= negation::lifts(term);
        }
    });
    found
}
