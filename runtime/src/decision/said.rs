//! What is said about the principal, together: PORC over scopes over groups over roles, each in request order. Unknown names
//! say nothing.
//!
//! Policies read few members of it, through cells that are known when the image is made, so that only those are merged for
//! a request; all of it is put together when somebody asks for the object. Both ways merge one layer after the other, by the
//! same rules. A member that one layer alone names is a constant of the image.

use super::annotations::{Strategy, layer_of, merge, merge_values, object};
use super::principal::{Belongings, Named};
use crate::arena::Arena;
use crate::bytecode::SlotId;
use crate::error::EvalErrorKind;
use crate::image::{Image, Layer, ReadAnnotation, Subject};
use crate::input::Merge;
use crate::value::{Kind, Value};
use crate::vm::Request;

/// Who says something about a principal, besides the request.
#[derive(Clone, Copy)]
pub(super) struct Said<'r> {
    pub(super) image: &'r Image,
    pub(super) who: Belongings<'r>,
}

impl<'r> Said<'r> {
    /// The slot, in which stands what was sent, becomes what is said together, and so do the cells below it. Whether that is
    /// anything else than what was sent.
    pub(super) fn settle(self, request: &mut Request<'r>, slot: SlotId) -> Result<bool, EvalErrorKind> {
        let closure = self.closure();
        let (mut first, mut count) = (Layer::default(), 0);
        self.each(closure, |layer| {
            if count == 0 {
                first = layer;
            }
            count += 1;
            Ok(())
        })?;
        match (request.slot_has_members(slot) == Some(true), count) {
            (true, 0) => return Ok(false),
            (false, 0) => {
                request.settle_slot(slot, Some(Value::object(&[])));
                return Ok(true);
            }
            (false, 1) => {
                request.settle_known_slot(slot, self.image.layer_cells(first));
                return Ok(true);
            }
            _ => {}
        }
        let arena = request.arena();
        let mut merging = Merging::new(self.image, request, slot)?;
        match closure {
            Some(closure) => {
                each_of(self.who.scopes, &mut |layer| merging.put_all(layer))?;
                for merged in self.image.read_annotations(closure) {
                    if merging.request.is_missing(merged.cell) {
                        merging.put(merged)?;
                    } else {
                        // Each of them may say how it meets what is there.
                        self.each_group_and_role(&mut |layer| merging.put_cell(merged.cell, layer))?;
                    }
                }
            }
            None => self.each(None, |layer| merging.put_all(layer))?,
        }
        request.settle_merged_slot(slot, arena.kept(self)?);
        Ok(true)
    }

    /// What the one group and its roles say together, which was merged when the image was made.
    fn closure(&self) -> Option<Layer> {
        match self.who.groups {
            [group] if self.who.is_one_group => group.known?.closure,
            _ => None,
        }
    }

    /// Tells of all layers that say something, the highest first; `closure` stands for groups and roles.
    #[inline(always)]
    fn each(
        &self,
        closure: Option<Layer>,
        mut tell: impl FnMut(Layer) -> Result<(), EvalErrorKind>,
    ) -> Result<(), EvalErrorKind> {
        each_of(self.who.scopes, &mut tell)?;
        match closure {
            Some(closure) if closure.is_empty() => Ok(()),
            Some(closure) => tell(closure),
            None => self.each_group_and_role(&mut tell),
        }
    }

    #[inline(always)]
    fn each_group_and_role(
        &self,
        tell: &mut impl FnMut(Layer) -> Result<(), EvalErrorKind>,
    ) -> Result<(), EvalErrorKind> {
        for group in self.who.groups {
            if let Some(group) = group.known
                && !group.layer.is_empty()
            {
                tell(group.layer)?;
            }
        }
        each_of(self.who.roles, tell)
    }
}

#[inline(always)]
fn each_of(
    subjects: &[Named<'_, Subject>],
    tell: &mut impl FnMut(Layer) -> Result<(), EvalErrorKind>,
) -> Result<(), EvalErrorKind> {
    for subject in subjects {
        if let Some(subject) = subject.known
            && !subject.layer.is_empty()
        {
            tell(subject.layer)?;
        }
    }
    Ok(())
}

impl<'r> Merge<'r> for Said<'r> {
    fn merged(&self, arena: &'r Arena, sent: Option<Value<'r>>) -> Result<Value<'r>, EvalErrorKind> {
        let mut said = match sent.map(Value::kind) {
            Some(Kind::Object(entries)) => layer_of(arena, entries)?,
            _ => &[],
        };
        self.each(None, |layer| {
            said = merge(arena, self.image.annotations(layer), said.iter().copied())?;
            Ok(())
        })?;
        object(arena, said)
    }
}

/// Annotations that policies read, while they are put under those that are there.
struct Merging<'m, 'r> {
    image: &'r Image,
    request: &'m mut Request<'r>,
    /// The cell of the object.
    at: u16,
    /// Of each cell below it what the first that put something there says about merging; the request says nothing.
    strategies: &'r mut [Strategy],
}

impl<'m, 'r> Merging<'m, 'r> {
    fn new(
        image: &'r Image,
        request: &'m mut Request<'r>,
        slot: SlotId,
    ) -> Result<Merging<'m, 'r>, EvalErrorKind> {
        let program = request.program();
        let at = program.cell_of(slot);
        let cells = usize::from(program.trie.end(at).saturating_sub(at));
        Ok(Merging {
            image,
            at,
            strategies: request.arena().filled(cells, Strategy::Unset)?,
            request,
        })
    }

    fn put_all(&mut self, layer: Layer) -> Result<(), EvalErrorKind> {
        for lower in self.image.read_annotations(layer) {
            self.put(lower)?;
        }
        Ok(())
    }

    /// Puts what a layer says about one member.
    fn put_cell(&mut self, cell: u16, layer: Layer) -> Result<(), EvalErrorKind> {
        let mut read = self.image.read_annotations(layer);
        read.find(|lower| lower.cell == cell)
            .map_or(Ok(()), |lower| self.put(lower))
    }

    #[inline(always)]
    fn put(&mut self, lower: ReadAnnotation<'r>) -> Result<(), EvalErrorKind> {
        let place = usize::from(lower.cell).wrapping_sub(usize::from(self.at));
        let strategy = self.strategies.get_mut(place).ok_or(EvalErrorKind::NoSuchEntry)?;
        if self.request.is_missing(lower.cell) {
            *strategy = lower.strategy;
            self.request.fill_cells(self.image.cells(lower.cells));
            return Ok(());
        }
        let strategy = strategy.or(lower.strategy).or(Strategy::Deep);
        self.put_under(lower, strategy)
    }

    #[inline(never)]
    fn put_under(&mut self, lower: ReadAnnotation<'r>, strategy: Strategy) -> Result<(), EvalErrorKind> {
        let Some(higher) = self.request.cell(lower.cell)? else {
            return Ok(());
        };
        let value = merge_values(self.request.arena(), strategy, lower.value, higher)?;
        if !value.is_same(higher) {
            self.request.settle_cell(lower.cell, value);
        }
        Ok(())
    }
}
