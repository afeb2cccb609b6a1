//! What is said about the principal, together: PORC over scopes over groups over roles, each in request order. Unknown names
//! say nothing.
//!
//! Policies read few members of it, through cells that are known when the image is made, so that only those are merged for
//! a request; all of it is put together when somebody asks for the object. Both ways merge one layer after the other, by the
//! same rules. A member that one layer alone names is a constant of the image. What groups and roles say together was merged
//! when the image was made, for principals of one group, or for an earlier request (`image/together.rs`).

use super::annotations::{Strategy, layer_of, merge, merge_values, object};
use super::principal::{Belongings, Named};
use crate::arena::Arena;
use crate::error::EvalErrorKind;
use crate::image::{
    Image, Kept, Layer, Layers, MERGED_CELLS_MAX, MergedCell, ReadAnnotation, Subject, Together, TooMany,
};
use crate::input::{Merge, SlotTrie};
use crate::value::{Kind, Value};
use crate::vm::Request;
use bumpalo::collections::Vec as BumpVec;

/// Who says something about a principal, besides the request.
#[derive(Clone, Copy)]
pub(super) struct Said<'r> {
    pub(super) image: &'r Image,
    pub(super) who: Belongings<'r>,
}

/// Whether a value is an object that is not empty.
pub(super) fn has_members(value: Value<'_>) -> bool {
    matches!(value.kind(), Kind::Object([_, ..]))
}

/// What is said together, for who needs all of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Whole<'r> {
    /// Nothing else than what was sent.
    #[default]
    Sent,
    /// This object.
    Value(Value<'r>),
    /// What these layers say, and the first of them.
    Layers(Layers, Layer),
}

impl<'r> Whole<'r> {
    /// What a layer says, if it does.
    pub(super) fn of(image: &'r Image, layer: Layer) -> Whole<'r> {
        if layer.is_empty() {
            return Whole::Sent;
        }
        let mut layers = Layers::default();
        match layers.push(layer) {
            Ok(()) => Whole::Layers(layers, layer),
            Err(TooMany) => Whole::Value(image.annotation_object(layer)),
        }
    }
}

impl<'r> Said<'r> {
    /// What is said together where `sent` was sent.
    pub(super) fn whole(self, arena: &'r Arena, sent: Option<Value<'r>>) -> Result<Whole<'r>, EvalErrorKind> {
        let has_members = sent.is_some_and(has_members);
        let (mut first, mut count) = (Layer::default(), 0);
        let (mut layers, mut is_room) = (Layers::default(), true);
        self.each(self.closure(), |layer| {
            if count == 0 {
                first = layer;
            }
            count += 1;
            is_room = is_room && layers.push(layer).is_ok();
            Ok(())
        })?;
        match (has_members, count) {
            (true, 0) => Ok(Whole::Sent),
            (false, 0) => Ok(Whole::Value(Value::object(&[]))),
            (false, _) if is_room => Ok(Whole::Layers(layers, first)),
            _ => Ok(Whole::Value(self.merged(arena, sent)?)),
        }
    }

    /// What layers say together, of which this is the first.
    pub(super) fn of_layers(
        &self,
        arena: &'r Arena,
        (layers, first): (&Layers, Layer),
    ) -> Result<Value<'r>, EvalErrorKind> {
        match layers.len() {
            1 => Ok(self.image.annotation_object(first)),
            _ => self.merged(arena, None),
        }
    }

    /// The cell `at`, in which stands what was sent, becomes what is said together, and so do the cells below it. Whether that is
    /// anything else than what was sent.
    #[inline(always)]
    pub(super) fn settle(
        self,
        request: &mut Request<'r>,
        at: u16,
        together: &'r mut Together,
    ) -> Result<bool, EvalErrorKind> {
        let closure = self.closure();
        let (mut first, mut count) = (Layer::default(), 0);
        self.each(closure, |layer| {
            if count == 0 {
                first = layer;
            }
            count += 1;
            Ok(())
        })?;
        match (request.cell_has_members(at) == Some(true), count) {
            (true, 0) => return Ok(false),
            (false, 0) => {
                request.settle_cell(at, Some(Value::object(&[])));
                return Ok(true);
            }
            (false, 1) => {
                request.settle_known_cell(at, self.image.layer_cells(first));
                return Ok(true);
            }
            _ => {}
        }
        let arena = request.arena();
        let mut merging = Merging::new(self.image, request, at)?;
        each_of(self.who.scopes, &mut |layer| merging.put_all(layer))?;
        match closure {
            Some(closure) => {
                for merged in self.image.read_annotations(closure) {
                    if merging.request.is_missing(merged.cell) {
                        merging.put(merged)?;
                    } else {
                        // Each of them may say how it meets what is there.
                        self.each_group_and_role(&mut |layer| merging.put_cell(merged.cell, layer))?;
                    }
                }
            }
            None => match self.kept(together, arena, &merging.request.program().trie) {
                Some(kept) => merging.put_kept(&self, kept)?,
                None => self.each_group_and_role(&mut |layer| merging.put_all(layer))?,
            },
        }
        request.settle_merged_cell(at, arena.kept(self)?);
        Ok(true)
    }

    /// What the one group and its roles say together, which was merged when the image was made.
    fn closure(&self) -> Option<Layer> {
        match self.who.groups {
            [group] if self.who.is_one_group => group.known?.closure,
            _ => None,
        }
    }

    /// What several groups and roles say together, if that is kept.
    #[inline(always)]
    fn kept(&self, together: &'r mut Together, arena: &'r Arena, trie: &SlotTrie) -> Option<&'r Kept> {
        let mut layers = Layers::default();
        self.each_group_and_role(&mut |layer| layers.push(layer)).ok()?;
        if layers.len() < 2 {
            return None;
        }
        together.find(&layers, || self.merged_cells(arena, trie).ok())
    }

    /// What groups and roles say together, in the cells that policies read, each in front of those below it.
    #[cold]
    fn merged_cells(&self, arena: &'r Arena, trie: &SlotTrie) -> Result<&'r [MergedCell<'r>], TooMany> {
        let mut merged: BumpVec<'r, ReadAnnotation<'r>> =
            arena.list(MERGED_CELLS_MAX).map_err(|_| TooMany)?;
        self.each_group_and_role(&mut |layer| {
            for lower in self.image.read_annotations(layer) {
                if let Some(higher) = merged.iter_mut().find(|higher| higher.cell == lower.cell) {
                    let strategy = higher.strategy.or(lower.strategy).or(Strategy::Deep);
                    let value = merge_values(arena, strategy, lower.value, higher.value);
                    higher.value = value.map_err(|_| TooMany)?;
                } else if merged.len() < MERGED_CELLS_MAX {
                    merged.push(lower);
                } else {
                    return Err(TooMany);
                }
            }
            Ok(())
        })?;
        let mut cells = arena.list(MERGED_CELLS_MAX).map_err(|_| TooMany)?;
        for one in merged {
            put_cells(trie, one.cell, one.value, &mut cells)?;
        }
        Ok(cells.into_bump_slice())
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
    fn each_group_and_role<E>(&self, tell: &mut impl FnMut(Layer) -> Result<(), E>) -> Result<(), E> {
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

/// Appends a cell and those below it. Recursive over the trie.
fn put_cells<'r>(
    trie: &SlotTrie,
    cell: u16,
    value: Value<'r>,
    cells: &mut BumpVec<'r, MergedCell<'r>>,
) -> Result<(), TooMany> {
    let at = cells.len();
    if at == MERGED_CELLS_MAX {
        return Err(TooMany);
    }
    cells.push(MergedCell {
        cell,
        below: 0,
        value,
    });
    if let Kind::Object(entries) = value.kind() {
        for entry in entries {
            if let Some(kid) = entry.key.as_str().and_then(|key| trie.kid(cell, key)) {
                put_cells(trie, kid, entry.value, cells)?;
            }
        }
    }
    let below = cells.len() - at - 1;
    if let Some(merged) = cells.get_mut(at) {
        merged.below = u16::try_from(below).map_err(|_| TooMany)?;
    }
    Ok(())
}

#[inline(always)]
fn each_of<E>(
    subjects: &[Named<'_, Subject>],
    tell: &mut impl FnMut(Layer) -> Result<(), E>,
) -> Result<(), E> {
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
        at: u16,
    ) -> Result<Merging<'m, 'r>, EvalErrorKind> {
        let program = request.program();
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

    /// Puts what groups and roles say together.
    #[inline(always)]
    fn put_kept(&mut self, said: &Said<'r>, kept: &'r Kept) -> Result<(), EvalErrorKind> {
        let mut cells = kept.cells();
        while let Some(own) = cells.next() {
            let below = cells.by_ref().take(own.below.into());
            if self.request.is_missing(own.cell) {
                let filled = std::iter::once(own).chain(below);
                self.request
                    .fill_cells(filled.map(|merged| (merged.cell, merged.value)));
            } else {
                below.for_each(drop);
                // Each of them may say how it meets what is there.
                said.each_group_and_role(&mut |layer| self.put_cell(own.cell, layer))?;
            }
        }
        Ok(())
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
            self.request.settle_cell(lower.cell, Some(value));
        }
        Ok(())
    }
}
