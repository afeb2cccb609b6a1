//! Builtins that the machine has ops for: what they give, for constants. Only optimisers write them.

use super::ir::K;
use gavel_runtime::value::Constant;

/// What is asked of one value.
#[derive(Clone, Debug, PartialEq)]
pub enum Direct {
    /// `count(x)`: of members, of elements, of characters.
    Count,
    /// `split(x, separator)[at]`
    Piece {
        /// A text that is not empty.
        separator: K,
        /// Number of the piece.
        at: u16,
    },
}

impl Direct {
    /// What a constant gives; `None`: nothing.
    #[must_use]
    pub fn of(&self, value: &Constant) -> Option<Constant> {
        match (self, value) {
            (Direct::Count, Constant::Array(items) | Constant::Set(items)) => length(items.len()),
            (Direct::Count, Constant::Object(members)) => length(members.len()),
            (Direct::Count, Constant::String(text)) => length(text.chars().count()),
            (Direct::Piece { separator, at }, Constant::String(text)) => match &**separator {
                Constant::String(separator) => {
                    let piece = text.split(separator.as_str()).nth(usize::from(*at));
                    piece.map(|piece| Constant::String(piece.to_owned()))
                }
                _ => None,
            },
            _ => None,
        }
    }
}

fn length(len: usize) -> Option<Constant> {
    i64::try_from(len).ok().map(Constant::Int)
}
