//! Imports that nothing reads.

use super::findings::Findings;
use super::module::ModuleCx;
use super::names;
use super::rule::Rule;

pub(super) fn check(cx: &ModuleCx<'_, '_>, findings: &mut Findings) {
    for import in cx.module.imports {
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
