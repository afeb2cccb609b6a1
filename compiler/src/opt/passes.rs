//! The one table of passes: names, what they do, and in which order they run. Switches, help and dumps are derived from it.

use super::calls::Calls;
use super::pipeline::OptOptions;
use super::{
    compact, conditions, constant, counts, cse, dead, defaults, fold, hashes, hoist, index, inline, join,
    jumps, pieces, prepare, search, slots, tables,
};
use crate::plan::{Function, Plan};

/// A pass.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    /// As in `--without`.
    pub name: &'static str,
    /// What it does, in one line.
    pub what: &'static str,
    pub(super) run: Run,
}

/// How a pass runs; it tells whether it made work for others.
#[derive(Clone, Copy, Debug)]
pub(super) enum Run {
    /// On one function, in turn with the others of its kind until none changes anything.
    Round(fn(&mut Function, &OptOptions<'_>) -> bool),
    /// On one function, when its rounds are done.
    Once(fn(&mut Function, &OptOptions<'_>) -> bool),
    /// On one function with its callees, when its rounds are done.
    Whole(fn(&mut Plan, usize, &Calls, &OptOptions<'_>) -> bool),
    /// On each function, when all functions went through the others.
    Last(fn(&mut Function) -> bool),
}

/// All passes. Those of a kind run in this order.
pub const PASSES: &[Pass] = &[
    Pass {
        name: "slots",
        what: "a field of an input path is a longer input path, read without building or searching anything",
        run: Run::Round(|function, _| slots::run(function)),
    },
    Pass {
        name: "hoist",
        what: "reads that are the same in every round of a loop stand in front of it",
        run: Run::Round(|function, options| hoist::run(function, !options.strict_builtins)),
    },
    Pass {
        name: "fold",
        what: "what is known of constants is computed when compiling; copies are followed",
        run: Run::Round(|function, options| fold::run(function, options.fold_builtin)),
    },
    Pass {
        name: "defaults",
        what: "`object.get` of an input path is a longer input path with a default",
        run: Run::Round(|function, options| !options.strict_builtins && defaults::run(function)),
    },
    Pass {
        name: "counts",
        what: "`count` is an op of the machine instead of a call",
        run: Run::Round(|function, options| !options.strict_builtins && counts::run(function)),
    },
    Pass {
        name: "pieces",
        what: "single pieces of a split text are looked for without building all of them",
        run: Run::Round(|function, options| !options.strict_builtins && pieces::run(function)),
    },
    Pass {
        name: "conditions",
        what: "results that are only tested become control flow, and operands move into tests",
        run: Run::Round(|function, options| conditions::run(function, !options.strict_builtins)),
    },
    Pass {
        name: "search",
        what: "a loop that only looks for one member is a test",
        run: Run::Round(|function, options| search::run(function, !options.strict_builtins)),
    },
    Pass {
        name: "dead",
        what: "values that nobody reads, and questions that a later one answers, are left out",
        run: Run::Round(|function, _| dead::run(function)),
    },
    Pass {
        name: "jumps",
        what: "jumps to jumps, and code that nothing reaches, are left out",
        run: Run::Round(|function, _| jumps::run(function)),
    },
    Pass {
        name: "inline",
        what: "small functions and rules become part of their callers",
        run: Run::Whole(|plan, at, calls, _| inline::run(plan, at, calls)),
    },
    Pass {
        name: "compact",
        what: "registers and labels are numbered anew, so that compiling stays fast; programs do not change",
        run: Run::Once(|function, _| compact::run(function)),
    },
    Pass {
        name: "constant",
        what: "rules that depend on neither the input nor the clock are constants",
        run: Run::Whole(|plan, at, calls, options| constant::run(plan, at, calls, options.evaluate)),
    },
    Pass {
        name: "tables",
        what: "functions that map constants to constants are look-ups in a constant",
        run: Run::Once(|function, _| tables::run(function)),
    },
    Pass {
        name: "index",
        what: "of many bodies that ask one text, a look-up finds those that may hold",
        run: Run::Once(|function, options| index::run(function, !options.strict_builtins)),
    },
    Pass {
        name: "join",
        what: "a loop in a loop that looks for members with a value at a path goes only over those",
        run: Run::Once(|function, options| join::run(function, !options.strict_builtins)),
    },
    Pass {
        name: "cse",
        what: "what was read or computed on every way here is not read or computed again",
        run: Run::Whole(|plan, at, _, options| cse::run(plan, at, !options.strict_builtins)),
    },
    Pass {
        name: "prepare",
        what: "constant patterns of regular expressions and globs are compiled with the program",
        run: Run::Once(|function, _| prepare::run(function)),
    },
    Pass {
        name: "hashes",
        what: "a text is looked for in a set or an array of 9 to 32 constant ones by a perfect hash",
        run: Run::Last(hashes::run),
    },
];

/// A set of passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Passes(u32);

const _: () = assert!(PASSES.len() < 32);

impl Passes {
    /// Every pass.
    pub const ALL: Passes = Passes((1 << PASSES.len()) - 1);
    /// No pass.
    pub const NONE: Passes = Passes(0);

    /// All but the pass of this name; `None`: there is none.
    #[must_use]
    pub fn without(self, name: &str) -> Option<Passes> {
        let at = PASSES.iter().position(|pass| pass.name == name)?;
        Some(Passes(self.0 & !(1 << at)))
    }

    /// The passes of the set, in order.
    pub fn iter(self) -> impl Iterator<Item = &'static Pass> {
        let is_in = move |at: usize| self.0 & (1 << at) != 0;
        PASSES
            .iter()
            .enumerate()
            .filter(move |(at, _)| is_in(*at))
            .map(|(_, pass)| pass)
    }

    /// Whether no pass is in it.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl Default for Passes {
    /// Every pass.
    fn default() -> Passes {
        Passes::ALL
    }
}
