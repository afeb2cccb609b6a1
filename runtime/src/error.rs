//! Why an evaluation or a verification ended without a result.

/// Why one policy has no outcome. Text is made later, from `kind` and the program's span table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvalError {
    /// What happened.
    pub kind: EvalErrorKind,
    /// Where: index of the instruction word.
    pub pc: u32,
}

const _: () = assert!(size_of::<EvalError>() <= 8);

/// Kinds of [`EvalError`]. All of them abort the policy: none may turn into undefined, or `not` would flip it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvalErrorKind {
    /// `eval_conflict_error`: a complete rule produced two values.
    CompleteConflict,
    /// `eval_conflict_error`: a function produced two values for the same arguments.
    FunctionConflict,
    /// `eval_conflict_error`: an object got two values for one key.
    ObjectConflict,
    /// `eval_with_merge_error`: the targets of a `with` contradict each other.
    WithMerge,
    /// `eval_type_error` of a builtin, in strict mode.
    StrictType,
    /// `eval_builtin_error`, in strict mode.
    StrictBuiltin,
    /// The instruction budget is used up.
    FuelExhausted,
    /// The arena budget is used up.
    ArenaExhausted,
    /// Calls are nested deeper than the stack holds.
    DepthExceeded,
    /// The deadline of the request has passed.
    DeadlineExceeded,
    /// The program has no such entry: a mistake of the caller.
    NoSuchEntry,
}

impl EvalErrorKind {
    /// OPA's code, or our own for budgets.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            EvalErrorKind::CompleteConflict
            | EvalErrorKind::FunctionConflict
            | EvalErrorKind::ObjectConflict => "eval_conflict_error",
            EvalErrorKind::WithMerge => "eval_with_merge_error",
            EvalErrorKind::StrictType => "eval_type_error",
            EvalErrorKind::StrictBuiltin => "eval_builtin_error",
            EvalErrorKind::FuelExhausted => "eval_fuel_error",
            EvalErrorKind::ArenaExhausted => "eval_memory_error",
            EvalErrorKind::DepthExceeded => "eval_depth_error",
            EvalErrorKind::DeadlineExceeded => "eval_cancel_error",
            EvalErrorKind::NoSuchEntry => "eval_internal_error",
        }
    }

    /// A text for people, without the code.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            EvalErrorKind::CompleteConflict => "complete rules must not produce multiple outputs",
            EvalErrorKind::FunctionConflict => "functions must not produce multiple outputs for same inputs",
            EvalErrorKind::ObjectConflict => "object keys must be unique",
            EvalErrorKind::WithMerge => "conflicting `with` targets",
            EvalErrorKind::StrictType => "operand of a wrong type",
            EvalErrorKind::StrictBuiltin => "a builtin failed",
            EvalErrorKind::FuelExhausted => "the instruction budget is used up",
            EvalErrorKind::ArenaExhausted => "the memory budget is used up",
            EvalErrorKind::DepthExceeded => "calls are nested too deep",
            EvalErrorKind::DeadlineExceeded => "the deadline has passed",
            EvalErrorKind::NoSuchEntry => "the program has no such entry",
        }
    }
}
