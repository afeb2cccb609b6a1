//! Calls: frames, builtins, mocked functions.

use super::machine::Request;
use super::rules::Outcome;
use super::scopes::Mock;
use crate::builtins::{BuiltinId, Call, Failure, FailureCode};
use crate::bytecode::{FnKind, Function, Inst, MOCK_BUILTIN, NO_PREPARED};
use crate::error::EvalErrorKind;
use crate::value::Value;

/// [`Frame::call`] of the frame that was entered from outside. No instruction is there, nor does one go on there behind a call:
/// code ends at a `u32`.
pub(super) const NO_CALL: u32 = u32::MAX;

/// What is running, and where it goes on in its caller.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// The function.
    pub(super) function: u32,
    /// Instruction of the caller that called it; [`NO_CALL`]: none did.
    pub(super) call: u32,
    /// First register of its caller.
    pub(super) caller_base: u32,
    /// Number of builders when it began.
    builders: u32,
    /// Where the replacements of functions began that its caller sees.
    mock_base: u32,
    /// What the function is.
    kind: FnKind,
}

/// Who calls.
#[derive(Clone, Copy)]
pub(super) struct Caller {
    /// Its first register.
    pub(super) base: usize,
    /// One past its last register.
    pub(super) top: usize,
    /// The instruction that calls; [`NO_CALL`]: none does.
    pub(super) call: u32,
}

impl Caller {
    /// Who runs a function from outside.
    pub(super) const NOBODY: Caller = Caller {
        base: 0,
        top: 0,
        call: NO_CALL,
    };
}

/// Registers are filled by so many at a time, since each function of a request may need some more than those before it.
const REGS_STEP: usize = 16;

impl<'v> Request<'v> {
    /// Begins a frame above that of its caller, with its registers. While a replacement (`is_mock`) runs, every name means the
    /// original; results of rules found meanwhile hold behind it, as in OPA.
    #[inline(always)]
    pub(super) fn enter(
        &mut self,
        regs: &mut Vec<Value<'v>>,
        function: u32,
        caller: Caller,
        is_mock: bool,
    ) -> Result<&'v Function, EvalErrorKind> {
        let info = self.function(function)?;
        let top = caller.top + usize::from(info.regs);
        if top > self.limits.stack_cells_max || self.frames.len() >= self.limits.frames_max {
            return Err(EvalErrorKind::DepthExceeded);
        }
        if top > regs.len() {
            grow(regs, top);
        }
        self.frames.push(Frame {
            function,
            call: caller.call,
            // Below a limit that fits into 32 bits.
            caller_base: caller.base as u32,
            builders: self.rare.as_ref().map_or(0, |rare| rare.builders.len() as u32),
            mock_base: self.mock_base,
            kind: info.kind,
        });
        if is_mock {
            self.mock_base = self.rare.as_ref().map_or(0, |rare| rare.mocks.len() as u32);
        }
        Ok(info)
    }

    /// Ends the running frame with a result (unset: undefined).
    #[inline(always)]
    pub(super) fn leave(&mut self, value: Value<'v>, evidence: u16) -> Result<Frame, EvalErrorKind> {
        let frame = self.frames.pop().ok_or(EvalErrorKind::NoSuchEntry)?;
        self.mock_base = frame.mock_base;
        if self.rare.is_some() {
            self.leave_rare(frame, value, evidence);
        } else if frame.kind == FnKind::Rule {
            // No scope is open, in which it would cover another one.
            self.rules.keep(frame.function, Outcome { value, evidence });
        }
        Ok(frame)
    }

    /// As [`Request::leave`] where the lists are in use that most requests do without. Who calls a function whose results are
    /// kept has asked for one before, and so uses them.
    #[inline(never)]
    fn leave_rare(&mut self, frame: Frame, value: Value<'v>, evidence: u16) {
        self.rare().builders.truncate(frame.builders as usize);
        match frame.kind {
            FnKind::Rule => self.keep_result(frame.function, Outcome { value, evidence }),
            FnKind::Memo => self.rare().memo.fill(value),
            FnKind::Function | FnKind::Query => {}
        }
    }

    #[inline]
    pub(super) fn function(&self, function: u32) -> Result<&'v Function, EvalErrorKind> {
        let program = self.program;
        program
            .functions
            .get(function as usize)
            .ok_or(EvalErrorKind::NoSuchEntry)
    }

    /// Conflict of the running function.
    #[cold]
    pub(super) fn conflict(&self) -> EvalErrorKind {
        match self.frames.last().map(|frame| frame.kind) {
            Some(FnKind::Function | FnKind::Memo) => EvalErrorKind::FunctionConflict,
            Some(FnKind::Rule | FnKind::Query) | None => EvalErrorKind::CompleteConflict,
        }
    }

    /// The kept result of a function for these arguments. Unset: there is none; the frame that is to be entered now will
    /// leave one.
    #[inline(never)]
    pub(super) fn recall(
        &mut self,
        function: u32,
        arguments: &[Value<'v>],
    ) -> Result<Value<'v>, EvalErrorKind> {
        self.charge()?;
        let epoch = self.rules.epoch();
        match self.rare().memo.known(function, epoch, arguments) {
            Some(value) => Ok(value),
            None => {
                let arguments = self.arena.values(arguments)?;
                self.rare().memo.open(function, epoch, arguments);
                Ok(Value::UNSET)
            }
        }
    }

    /// As [`Request::recall`] for what a mockable call came down to.
    pub(super) fn recall_any(
        &mut self,
        function: u32,
        arguments: &[Value<'v>],
    ) -> Result<Value<'v>, EvalErrorKind> {
        match self.function(function)?.kind {
            FnKind::Memo => self.recall(function, arguments),
            FnKind::Rule | FnKind::Function | FnKind::Query => Ok(Value::UNSET),
        }
    }

    /// Calls a builtin; unset: undefined.
    #[inline(never)]
    pub(super) fn call_builtin(
        &mut self,
        builtin: u16,
        prepared: u32,
        arguments: &[Value<'v>],
    ) -> Result<Value<'v>, EvalErrorKind> {
        self.charge()?;
        let run = BuiltinId(builtin).get().run.ok_or(EvalErrorKind::NoSuchEntry)?;
        let prepared = match prepared {
            NO_PREPARED => None,
            _ => self.program.prepared.get(prepared as usize),
        };
        let mut call = Call {
            arena: self.arena,
            now_ns: self.env.wall_ns,
            seed: self.env.seed,
            prepared,
            caches: self.caches,
            parse_module: self.program.parse_module,
            sleep: self.program.sleep,
            fuel: &mut self.fuel,
        };
        match run(&mut call, arguments) {
            Ok(value) => Ok(value),
            Err(Failure::Abort(kind)) => Err(kind),
            Err(Failure::Error(_)) if !self.program.strict_builtins => Ok(Value::UNSET),
            Err(Failure::Error(FailureCode::Type)) => Err(EvalErrorKind::StrictType),
            Err(Failure::Error(FailureCode::Builtin)) => Err(EvalErrorKind::StrictBuiltin),
        }
    }

    /// Decides what a mockable call does.
    pub(super) fn resolve_mock(&self, inst: &Inst) -> Callee<'v> {
        match self.mock(inst.e) {
            None => Callee::target(inst.f, false),
            Some(Mock::Value(value)) => Callee::Value(value),
            Some(Mock::Call(target)) => Callee::target(target, true),
            Some(Mock::Document(reader)) => Callee::Function(reader, false),
        }
    }

    /// Whether calls through a cell read a document.
    pub(super) fn reads_document(&self, mock: u16) -> bool {
        matches!(self.mock(mock), Some(Mock::Document(_)))
    }
}

/// Makes registers up to `top` at least.
#[inline(never)]
fn grow(regs: &mut Vec<Value<'_>>, top: usize) {
    while regs.len() < top {
        regs.extend_from_slice(&[Value::UNSET; REGS_STEP]);
    }
}

/// What a mockable call comes down to.
pub(super) enum Callee<'v> {
    /// A function; whether it is a replacement.
    Function(u32, bool),
    /// A builtin.
    Builtin(u16),
    /// An answer.
    Value(Value<'v>),
}

impl Callee<'_> {
    fn target(target: u32, is_replacement: bool) -> Callee<'static> {
        match target & MOCK_BUILTIN {
            0 => Callee::Function(target, is_replacement),
            _ => Callee::Builtin((target & !MOCK_BUILTIN) as u16),
        }
    }
}
