//! What authors see: wrong modules and domains of `cases/ui` with the rendered diagnostics beside them.
//!
//! `NAME.rego` is compiled as a v1 module, `NAME.yml` as a PolicyDomain; `NAME.txt` is what is printed. Set
//! `GAVEL_BLESS=1` to write today's text, then read the difference.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail as the test does")]

use gavel_compiler::opt::Passes;
use gavel_compiler::parse::{BaseDialect, BlanketImport, ParseOptions};
use gavel_compiler::rego::{self, RegoOptions};
use gavel_compiler::source::SourceMap;
use gavel_compiler::{Options, compile, render};
use std::path::Path;

fn printed(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let name = path.file_name().unwrap().to_string_lossy();
    let mut sources = SourceMap::default();
    let file = sources.add_file(&name, &text);
    let problems = if path.extension().is_some_and(|ext| ext == "rego") {
        let parse = ParseOptions {
            base: BaseDialect::V1,
            blanket_import: BlanketImport::Opa,
            annotations: true,
        };
        let options = RegoOptions {
            parse,
            optimise: Passes::ALL,
            ..RegoOptions::default()
        };
        rego::compile(&sources, &[file], None, &options).err()
    } else {
        compile(&mut sources, &[file], &Options::default()).err()
    };
    render::text(&sources, &problems.unwrap_or_default())
}

#[test]
fn diagnostics_read_as_they_should() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/ui");
    let bless = std::env::var_os("GAVEL_BLESS").is_some();
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ext| ext != "rego" && ext != "yml") {
            continue;
        }
        count += 1;
        let printed = printed(&path);
        assert!(!printed.is_empty(), "{} is accepted", path.display());
        let beside = path.with_extension("txt");
        if bless {
            std::fs::write(&beside, &printed).unwrap();
        } else if std::fs::read_to_string(&beside).unwrap_or_default() != printed {
            wrong.push(format!("{}:\n{printed}", path.display()));
        }
    }
    assert!(count > 0, "no cases");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
