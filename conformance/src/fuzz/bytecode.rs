//! Compiled programs with changed words and tables: the verifier refuses them, or running them is harmless.

use super::Finding;
use super::choices::Choices;
use super::generate::program;
use crate::run::Setup;
use gavel_compiler::opt::Passes;
use gavel_runtime::bytecode::{FnId, RawProgram, verify};
use gavel_runtime::limits::Limits;
use gavel_runtime::value::Constant;
use gavel_runtime::vm::{RequestEnv, Vm};

/// Changes of one program.
const CHANGES_MAX: usize = 6;

/// Small budgets: most changed programs loop or build forever.
const LIMITS: Limits = Limits {
    fuel: 20_000,
    arena_warm_bytes: 64 << 10,
    arena_keep_bytes: 64 << 10,
    arena_max_bytes: 1 << 20,
    stack_cells_max: 16 << 10,
    frames_max: 256,
    body_warm_bytes: 1 << 10,
};

pub(super) fn run(bytes: &[u8]) -> Result<(), Finding> {
    let (changes, program_bytes) = bytes.split_at(bytes.len().min(64));
    let case = program(program_bytes);
    let Ok(compiled) = Setup::of(&case, Passes::ALL).compile() else {
        return Ok(());
    };
    let mut choices = Choices::new(changes);
    let mut raw = compiled.program;
    for _ in 0..=choices.below(CHANGES_MAX) {
        change(&mut raw, &mut choices);
    }
    let Ok(program) = verify(raw.clone()) else {
        return Ok(());
    };
    let mut vm = Vm::new(&LIMITS);
    let env = RequestEnv::timeless(0, 1);
    let mut request = vm.request(&program, &env);
    if let Some(input) = &case.input {
        let input = input
            .to_value(request.arena())
            .map_err(|kind| Finding(format!("the input does not fit: {kind:?}")))?;
        request.set_input(Some(input));
    }
    for function in 0..raw.functions.len() {
        let function = FnId(u32::try_from(function).unwrap_or(u32::MAX));
        // Whatever comes out must be a value that can be looked at.
        if let Ok(Some(value)) = request.call(function) {
            let _ = value.to_constant();
        }
    }
    Ok(())
}

fn change(raw: &mut RawProgram, choices: &mut Choices<'_>) {
    let words = raw.code.len();
    match choices.below(10) {
        // A field of a word: near values are the likeliest to pass.
        0..=3 => {
            let at = choices.below(words);
            let (byte, by) = (choices.below(8) * 8, choices.below(256) as u64);
            if let Some(word) = raw.code.get_mut(at) {
                *word = match choices.below(3) {
                    0 => *word ^ (by << byte),
                    1 => word.wrapping_add(1 << byte),
                    _ => word.wrapping_sub(1 << byte),
                };
            }
        }
        4 | 5 => {
            let (from, to) = (choices.below(words), choices.below(words));
            if let Some(&word) = raw.code.get(from)
                && let Some(place) = raw.code.get_mut(to)
            {
                *place = word;
            }
        }
        6 => {
            let (a, b) = (choices.below(words), choices.below(words));
            if a.max(b) < words {
                raw.code.swap(a, b);
            }
        }
        7 => {
            let at = choices.below(raw.functions.len());
            let by = choices.below(8) as u32;
            if let Some(info) = raw.functions.get_mut(at) {
                match choices.below(4) {
                    0 => info.entry = info.entry.wrapping_sub(by),
                    1 => info.end = info.end.wrapping_add(by),
                    2 => info.params = info.params.wrapping_add(by as u16),
                    _ => info.regs = info.regs.wrapping_sub(by as u16),
                }
            }
        }
        8 => {
            let at = choices.below(raw.constants.len());
            if let Some(constant) = raw.constants.get_mut(at) {
                *constant = match choices.below(4) {
                    0 => Constant::Array(Vec::new()),
                    1 => Constant::Int(-1),
                    2 => Constant::String(String::new()),
                    _ => Constant::Null,
                };
            }
        }
        _ => match choices.below(4) {
            0 => raw.mocks = raw.mocks.wrapping_sub(1),
            1 => raw.slots.truncate(choices.below(raw.slots.len())),
            2 => raw.prepared.truncate(choices.below(raw.prepared.len())),
            _ => raw.constants.truncate(choices.below(raw.constants.len())),
        },
    }
}
