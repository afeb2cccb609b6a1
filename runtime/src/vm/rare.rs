//! Lists that most requests have no use for. They stay with the machine until a request first needs one of them, so that
//! beginning and ending a request does not move them to and fro.

use super::builder::Builder;
use super::core::emptied;
use super::machine::Request;
use super::memo::Memo;
use super::run::Grouped;
use super::scopes::{Mock, Scope, Undo};
use crate::value::Value;

/// The lists.
#[derive(Default)]
pub(super) struct Rare<'v> {
    pub(super) memo: Memo<'v>,
    /// Collections whose members were looked for.
    pub(super) grouped: Vec<Grouped<'v>>,
    pub(super) scopes: Vec<Scope>,
    pub(super) undo: Vec<Undo<'v>>,
    /// Rules that `with` replaced, which hold in inner scopes too.
    pub(super) fixed: Vec<(u32, Value<'v>)>,
    /// Replacements of functions in force, by cell.
    pub(super) mocks: Vec<(u16, Mock<'v>)>,
    pub(super) builders: Vec<Builder<'v>>,
}

impl Rare<'_> {
    /// Their memory, empty, for another request.
    pub(super) fn emptied<'w>(mut self) -> Rare<'w> {
        self.scopes.clear();
        Rare {
            memo: self.memo.emptied(),
            grouped: emptied(self.grouped),
            scopes: self.scopes,
            undo: emptied(self.undo),
            fixed: emptied(self.fixed),
            mocks: emptied(self.mocks),
            builders: emptied(self.builders),
        }
    }
}

impl<'v> Request<'v> {
    /// The lists, for who puts something into one of them.
    #[inline]
    pub(super) fn rare(&mut self) -> &mut Rare<'v> {
        let home = &mut *self.home;
        self.rare.get_or_insert_with(|| std::mem::take(&mut home.rare))
    }
}
