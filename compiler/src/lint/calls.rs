//! Calls that should not be there: of builtins that newer Rego no longer has, and of what was for finding a mistake.

use super::findings::Findings;
use super::module::ModuleCx;
use super::rule::Rule;
use super::visit::{self, Event};
use crate::ast::TermKind;

pub(super) fn check(cx: &ModuleCx<'_, '_>, findings: &mut Findings) {
    visit::module(cx.module, &mut |event| {
        let Event::Term(term) = event else { return };
        let TermKind::Call { name, .. } = &term.kind else {
            return;
        };
        let Some(builtin) = cx.builtin(name) else { return };
        if builtin.deprecated {
            let message = format!("builtin `{}` is deprecated; v1 refuses it", builtin.name);
            findings.add(Rule::DeprecatedBuiltin, name.span, message, instead(builtin.name));
        }
        if matches!(builtin.name, "print" | "trace") {
            let message = format!("`{}` was left in", builtin.name);
            let help = "remove it: nobody reads the output of a decision, and requests carry personal data";
            findings.add(Rule::LeftoverPrint, name.span, message, help);
        }
    });
}

fn instead(builtin: &str) -> &'static str {
    match builtin {
        "all" => "use `every`",
        "any" => "use `in`",
        "re_match" => "use `regex.match`",
        "set_diff" => "use `-`",
        "net.cidr_overlap" => "use `net.cidr_contains`",
        _ => "compare with `type_name`, or use `to_number`",
    }
}
