//! The functions of templates on values.

use super::compare::{equals_any, is_less};
use super::escape;
use super::items;
use super::node::Function;
use super::print;
use super::run::Runner;
use super::value::Val;
use crate::builtins::Failure;
use crate::builtins::output::Text;

impl<'r> Runner<'_, '_, 'r> {
    /// The result of a function other than `and` and `or`.
    pub(super) fn apply(&mut self, function: Function, args: &[Val<'r>]) -> Result<Val<'r>, Failure> {
        let arena = self.arena();
        self.call.charge(args.len())?;
        match (function, args) {
            (Function::Not, [value]) => Ok(Val::Bool(!value.is_true())),
            (Function::Len, [of]) => items::len(arena, *of),
            (Function::Index, [of, indexes @ ..]) => items::index(arena, *of, indexes),
            (Function::Slice, [of, indexes @ ..]) => items::slice(arena, *of, indexes),
            (Function::Eq, [first, others @ ..]) => equals_any(arena, *first, others).map(Val::Bool),
            (Function::Ne, [left, right]) => {
                equals_any(arena, *left, &[*right]).map(|equal| Val::Bool(!equal))
            }
            (Function::Lt, [left, right]) => is_less(arena, *left, *right).map(Val::Bool),
            (Function::Ge, [left, right]) => is_less(arena, *left, *right).map(|less| Val::Bool(!less)),
            (Function::Le | Function::Gt, [left, right]) => {
                let at_most = is_less(arena, *left, *right)? || equals_any(arena, *left, &[*right])?;
                Ok(Val::Bool(at_most == (function == Function::Le)))
            }
            (Function::Print, args) => self.text(|out, runner| print::side_by_side(out, runner.call, args)),
            (Function::Println, args) => self.text(|out, runner| print::line(out, runner.call, args)),
            (Function::Printf, [Val::Text(format), args @ ..]) => {
                self.text(|out, runner| print::formatted(out, runner.call, format, args))
            }
            (Function::Html, args) => self.escaped(args, escape::html),
            (Function::Js, args) => self.escaped(args, escape::js),
            (Function::UrlQuery, args) => self.escaped(args, escape::url_query),
            // Nothing in a document can be called.
            _ => Err(Failure::BUILTIN),
        }
    }

    fn text(
        &mut self,
        write: impl FnOnce(&mut Text<'r>, &mut Self) -> Result<(), Failure>,
    ) -> Result<Val<'r>, Failure> {
        let mut out = Text::new(self.arena());
        write(&mut out, self)?;
        self.call.charge(out.len() / 8)?;
        Ok(Val::Text(out.finish()?))
    }

    /// The arguments side by side, escaped.
    fn escaped(
        &mut self,
        args: &[Val<'r>],
        escape: fn(&mut Text<'r>, &str) -> Result<(), Failure>,
    ) -> Result<Val<'r>, Failure> {
        let args: Vec<Val<'r>> = args
            .iter()
            .map(|arg| match arg.settled() {
                Val::Nothing => Val::Text(print::NO_VALUE),
                value => value,
            })
            .collect();
        let plain = self.text(|out, runner| print::side_by_side(out, runner.call, &args))?;
        let Val::Text(plain) = plain else {
            return Err(Failure::BUILTIN);
        };
        self.text(|out, _| escape(out, plain))
    }
}
