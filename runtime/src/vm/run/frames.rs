//! Frames of functions that the running one calls, and back.

use super::super::calls::{Caller, NO_CALL};
use super::super::machine::Request;
use super::{Code, Window, item};
use crate::bytecode::Inst;
use crate::error::EvalErrorKind;
use crate::value::Value;

impl<'v> Request<'v> {
    /// Begins the frame of a called function above the running one, with its arguments; its first instruction.
    #[inline(never)]
    pub(super) fn push_frame(
        &mut self,
        window: &mut Window<'_, 'v>,
        inst: &Inst,
        here: *const Inst,
        function: u32,
        is_mock: bool,
    ) -> Result<usize, EvalErrorKind> {
        self.charge()?;
        let caller = Caller {
            base: window.base,
            top: window.top,
            // Instructions are fewer than 2^32.
            call: Code(&self.program.code).index(here) as u32,
        };
        let info = self.enter(window.regs, function, caller, is_mock)?;
        let (base, params) = (caller.top, usize::from(info.params));
        let top = base + usize::from(info.regs);
        match params {
            0 => window.move_to(base, top),
            // Most functions have one, which is moved without a call.
            1 => {
                let argument = window.checked(inst.b);
                window.move_to(base, top);
                window.set(0, argument);
            }
            _ => {
                let first = window.base + usize::from(inst.b);
                window.regs.copy_within(first..first + params, base);
                window.move_to(base, top);
            }
        }
        Ok(info.entry as usize)
    }

    /// Ends the running frame; the index of the instruction at which its caller goes on, [`NO_CALL`] if there is none.
    #[inline(never)]
    pub(super) fn pop_frame(
        &mut self,
        window: &mut Window<'_, 'v>,
        value: Value<'v>,
        evidence: u16,
    ) -> Result<u32, EvalErrorKind> {
        let frame = self.leave(value, evidence)?;
        if frame.call == NO_CALL {
            return Ok(NO_CALL);
        }
        // A frame begins where that of its caller ends.
        window.move_to(frame.caller_base as usize, window.base);
        let code: &'v [Inst] = &self.program.code;
        let call = item(code, frame.call as usize);
        let goes_on = window.set_some(call.a, value);
        Ok(if goes_on { frame.call + 1 } else { call.c })
    }
}
