//! Constant patterns of regular expressions and globs, to be compiled once when the image is made.

use super::facts::Facts;
use crate::plan::{Function, Inst, K, Reg};
use gavel_runtime::bytecode::PreparedSpec;
use gavel_runtime::value::Constant;

/// Runs the pass. It makes no work for other passes.
pub(super) fn run(function: &mut Function) -> bool {
    let facts = Facts::of(function);
    let specs: Vec<Option<PreparedSpec>> = function
        .code
        .iter()
        .map(|step| match &step.inst {
            Inst::CallBuiltin { builtin, args, .. } => {
                spec(builtin.get().name, args, &|reg| facts.constant(function, reg))
            }
            _ => None,
        })
        .collect();
    for (step, spec) in function.code.iter_mut().zip(specs) {
        if let Inst::CallBuiltin { prepared, .. } = &mut step.inst {
            *prepared = spec;
        }
    }
    false
}

fn spec(name: &str, args: &[Reg], known: &dyn Fn(Reg) -> Option<K>) -> Option<PreparedSpec> {
    let arg = |at: usize| args.get(at).and_then(|reg| known(*reg));
    let text = |at: usize| match &*arg(at)? {
        Constant::String(text) => Some(text.clone()),
        _ => None,
    };
    match name {
        "regex.match" | "re_match" | "regex.split" | "regex.find_n" | "regex.find_all_string_submatch_n" => {
            Some(PreparedSpec::Regex(text(0)?))
        }
        "regex.replace" => Some(PreparedSpec::Regex(text(1)?)),
        "glob.match" => {
            let delimiters = match &*arg(1)? {
                Constant::Null => None,
                Constant::Array(items) => Some(
                    items
                        .iter()
                        .map(|item| match item {
                            Constant::String(text) => Some(text.clone()),
                            _ => None,
                        })
                        .collect::<Option<Vec<String>>>()?,
                ),
                _ => return None,
            };
            Some(PreparedSpec::Glob(text(0)?, delimiters))
        }
        _ => None,
    }
}
