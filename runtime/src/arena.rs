//! Bump memory: the arena of a request, whose values all die at once, and the frozen arena of an image.
#![expect(
    unsafe_code,
    reason = "a frozen arena owns the memory its own values borrow from, which the borrow checker cannot express"
)]

use crate::checks::{self, check};
use crate::error::EvalErrorKind;
use crate::value::{Entry, Value};
use bumpalo::collections::Vec as BumpVec;
use bumpalo::{AllocErr, Bump};

/// A bump arena. Allocation never panics and never exceeds the budget.
#[derive(Debug)]
pub struct Arena {
    bump: Bump,
    warm_bytes: usize,
    keep_bytes: usize,
    bytes_max: usize,
}

impl Arena {
    /// An arena that keeps `warm_bytes` ready and takes `bytes_max` at most.
    #[must_use]
    pub fn new(warm_bytes: usize, bytes_max: usize) -> Arena {
        Arena::keeping(warm_bytes, warm_bytes, bytes_max)
    }

    /// As [`Arena::new`]; after a request that needed more than the warm amount up to `keep_bytes` stay ready.
    #[must_use]
    pub fn keeping(warm_bytes: usize, keep_bytes: usize, bytes_max: usize) -> Arena {
        Arena {
            bump: chunk(warm_bytes, bytes_max),
            warm_bytes,
            keep_bytes,
            bytes_max,
        }
    }

    /// An arena that takes about so many bytes at once, and never any more.
    fn fixed(bytes: usize) -> Arena {
        let bump = chunk(bytes, bytes);
        // More than was asked for.
        let bytes = bump.allocated_bytes();
        Arena {
            bump,
            warm_bytes: bytes,
            keep_bytes: bytes,
            bytes_max: bytes,
        }
    }

    /// Frees everything at once. Memory that was taken in several pieces is replaced by one piece of the same size (or
    /// by the warm amount, if that is too much to keep), so that the next request allocates nothing.
    pub fn reset(&mut self) {
        let taken = self.bump.allocated_bytes();
        let is_one_piece = self.bump.iter_allocated_chunks().nth(1).is_none();
        if is_one_piece && taken <= self.keep_bytes.max(2 * self.warm_bytes) {
            self.bump.reset();
            return;
        }
        let bytes = if taken <= self.keep_bytes {
            taken
        } else {
            self.warm_bytes
        };
        self.bump = chunk(bytes, self.bytes_max);
    }

    /// Bytes taken from the system since the last reset, warm ones included.
    #[must_use]
    pub fn used_bytes(&self) -> usize {
        self.bump.allocated_bytes()
    }

    /// A copy of a text.
    pub fn text(&self, text: &str) -> Result<&str, EvalErrorKind> {
        self.bump
            .try_alloc_str(text)
            .map(|copy| &*copy)
            .map_err(exhausted)
    }

    /// A copy of bytes.
    pub fn bytes(&self, bytes: &[u8]) -> Result<&[u8], EvalErrorKind> {
        self.bump
            .try_alloc_slice_copy(bytes)
            .map(|copy| &*copy)
            .map_err(exhausted)
    }

    /// A copy of values.
    pub fn values<'r>(&'r self, values: &[Value<'r>]) -> Result<&'r [Value<'r>], EvalErrorKind> {
        self.bump
            .try_alloc_slice_copy(values)
            .map(|copy| &*copy)
            .map_err(exhausted)
    }

    /// A copy of values that may still be changed (sorted) by the caller.
    pub fn values_mut<'r>(&'r self, values: &[Value<'r>]) -> Result<&'r mut [Value<'r>], EvalErrorKind> {
        self.bump.try_alloc_slice_copy(values).map_err(exhausted)
    }

    /// A copy of entries that may still be changed (sorted) by the caller.
    pub fn entries_mut<'r>(&'r self, entries: &[Entry<'r>]) -> Result<&'r mut [Entry<'r>], EvalErrorKind> {
        self.bump.try_alloc_slice_copy(entries).map_err(exhausted)
    }

    /// An item.
    pub(crate) fn kept<T: Copy>(&self, item: T) -> Result<&T, EvalErrorKind> {
        self.bump.try_alloc(item).map(|kept| &*kept).map_err(exhausted)
    }

    /// `len` copies of an item, to be overwritten.
    pub fn filled<T: Copy>(&self, len: usize, item: T) -> Result<&mut [T], EvalErrorKind> {
        self.bump.try_alloc_slice_fill_copy(len, item).map_err(exhausted)
    }

    /// An empty list with room for `capacity` items; pushing that many never allocates again.
    pub fn list<T>(&self, capacity: usize) -> Result<BumpVec<'_, T>, EvalErrorKind> {
        let mut list = BumpVec::new_in(&self.bump);
        reserve(&mut list, capacity)?;
        Ok(list)
    }

    /// Whether the parts of all values lie in this arena. For checks: it walks over all chunks.
    fn holds(&mut self, values: &[Value<'_>]) -> bool {
        let chunks = self.bump.iter_allocated_chunks();
        let chunks: Vec<_> = chunks.map(|chunk| chunk.as_ptr_range()).collect();
        let is_inside = |place: usize| {
            chunks
                .iter()
                .any(|chunk| (chunk.start.addr()..chunk.end.addr()).contains(&place))
        };
        values.iter().filter_map(|value| value.place()).all(is_inside)
    }

    /// The allocator itself, for growing vectors (`bumpalo::collections`); the budget holds there as a panic-free abort
    /// only through the `try_` functions.
    #[must_use]
    pub fn bump(&self) -> &Bump {
        &self.bump
    }
}

/// Room for `capacity` items in an empty list; pushing that many never allocates again.
#[inline]
pub(crate) fn reserve<T>(list: &mut BumpVec<'_, T>, capacity: usize) -> Result<(), EvalErrorKind> {
    list.try_reserve_exact(capacity)
        .map_err(|_| EvalErrorKind::ArenaExhausted)
}

fn chunk(bytes: usize, bytes_max: usize) -> Bump {
    let bump = Bump::with_capacity(bytes);
    // A limit below what was taken already would be none.
    bump.set_allocation_limit(Some(bytes_max.max(bump.allocated_bytes())));
    bump
}

fn exhausted(_: AllocErr) -> EvalErrorKind {
    EvalErrorKind::ArenaExhausted
}

/// A list that grows in the arena.
#[derive(Debug)]
pub struct List<'r, T: Copy> {
    items: bumpalo::collections::Vec<'r, T>,
}

impl<'r, T: Copy> List<'r, T> {
    /// An empty list; takes no memory yet.
    #[must_use]
    pub fn new(arena: &'r Arena) -> List<'r, T> {
        List {
            items: bumpalo::collections::Vec::new_in(arena.bump()),
        }
    }

    /// Appends an item.
    #[inline]
    pub fn push(&mut self, item: T) -> Result<(), EvalErrorKind> {
        if self.is_full() {
            self.grow(1)?;
        }
        self.items.push(item);
        Ok(())
    }

    /// Appends items.
    pub fn extend(&mut self, items: &[T]) -> Result<(), EvalErrorKind> {
        if self.items.capacity() - self.items.len() < items.len() {
            self.grow(items.len())?;
        }
        self.items.extend_from_slice_copy(items);
        Ok(())
    }

    /// Makes room for so many items more.
    pub fn reserve(&mut self, more: usize) -> Result<(), EvalErrorKind> {
        if self.items.capacity() - self.items.len() < more {
            self.grow(more)?;
        }
        Ok(())
    }

    #[cold]
    fn grow(&mut self, more: usize) -> Result<(), EvalErrorKind> {
        let more = more.max(self.items.capacity()).max(4);
        self.items
            .try_reserve_exact(more)
            .map_err(|_| EvalErrorKind::ArenaExhausted)
    }

    /// Whether the next push takes memory.
    #[inline]
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.items.len() == self.items.capacity()
    }

    /// Moves the items that `compact` wants to keep to the front (it says how many), and grows if that made little room.
    /// For lists that are full: the price of compacting is paid once per doubling.
    pub fn make_room<E: From<EvalErrorKind>>(
        &mut self,
        compact: impl FnOnce(&mut [T]) -> Result<usize, E>,
    ) -> Result<(), E> {
        let kept = compact(&mut self.items)?;
        self.items.truncate(kept);
        if kept >= self.items.capacity() / 2 {
            self.grow(1)?;
        }
        Ok(())
    }

    /// The items so far.
    #[must_use]
    pub fn items(&self) -> &[T] {
        &self.items
    }

    /// The items so far, to be changed in place.
    pub fn items_mut(&mut self) -> &mut [T] {
        &mut self.items
    }

    /// Removes the last item.
    pub fn pop(&mut self) -> Option<T> {
        self.items.pop()
    }

    /// Forgets all items behind the first `len`.
    pub fn truncate(&mut self, len: usize) {
        self.items.truncate(len);
    }

    /// The finished list.
    #[must_use]
    pub fn finish(self) -> &'r mut [T] {
        self.items.into_bump_slice_mut()
    }
}

/// Values together with the arena that all their parts lie in; immutable once built.
#[derive(Debug)]
pub struct Frozen {
    // INVARIANT: these borrow from `arena` (or from statics); they are only handed out for as long as `self` is borrowed.
    values: Box<[Value<'static>]>,
    arena: Arena,
}

// SAFETY: after `build` nothing allocates in `arena` or changes it: `&Frozen` gives access to the values alone, and those
// are immutable data that any thread may read.
unsafe impl Sync for Frozen {}

impl Frozen {
    /// Builds values in a fresh arena without a budget.
    pub fn build<E>(fill: impl for<'a> FnOnce(&'a Arena) -> Result<Vec<Value<'a>>, E>) -> Result<Frozen, E> {
        let mut arena = Arena::new(0, usize::MAX);
        let values: Vec<Value<'_>> = fill(&arena)?;
        // SAFETY: only the lifetime changes. `fill` is general over it, so the values borrow from `arena` or from
        // statics; the arena's chunks do not move when the arena does, and they are freed together with the values.
        let values = unsafe { std::mem::transmute::<Vec<Value<'_>>, Vec<Value<'static>>>(values) };
        if checks::ON {
            check(arena.holds(&values), "a frozen value lies outside of its arena");
        }
        Ok(Frozen {
            values: values.into_boxed_slice(),
            arena,
        })
    }

    /// The value at a place.
    #[inline]
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Value<'_>> {
        self.values.get(index).copied()
    }

    /// All values.
    #[inline]
    #[must_use]
    pub fn all(&self) -> &[Value<'_>] {
        &self.values
    }

    /// Bytes of the arena.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.arena.used_bytes() + size_of_val(&*self.values)
    }
}

/// Values together with the memory that all their parts lie in, which is taken once: what is put here takes the place of what
/// was here before, and what does not fit is refused.
#[derive(Debug)]
pub struct Shelf {
    // INVARIANT: these borrow from `arena` (or from statics); they are only handed out for as long as `self` is borrowed, and
    // are forgotten before anything in `arena` is.
    values: Vec<Value<'static>>,
    arena: Arena,
}

impl Shelf {
    /// An empty one with room for so many values and about so many bytes of their parts.
    #[must_use]
    pub fn new(values_max: usize, bytes_max: usize) -> Shelf {
        Shelf {
            values: Vec::with_capacity(values_max),
            arena: Arena::fixed(bytes_max),
        }
    }

    /// Puts copies of these here, whether they fit: if not, nothing is here.
    pub fn refill<'v>(&mut self, values: impl Iterator<Item = Value<'v>>) -> bool {
        self.values.clear();
        self.arena.reset();
        for value in values {
            let is_room = self.values.len() < self.values.capacity();
            let Some(copy) = value.copied(&self.arena).ok().filter(|_| is_room) else {
                self.values.clear();
                return false;
            };
            // SAFETY: only the lifetime changes. All parts of the copy lie in `arena`, whose chunks do not move when it does;
            // they are freed with the values, or reset by this function alone, once it has forgotten the values.
            self.values
                .push(unsafe { std::mem::transmute::<Value<'_>, Value<'static>>(copy) });
        }
        if checks::ON {
            check(
                self.arena.holds(&self.values),
                "a kept value lies outside of its arena",
            );
        }
        true
    }

    /// All of them.
    #[inline]
    #[must_use]
    pub fn all(&self) -> &[Value<'_>] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shelf_keeps_copies_and_refuses_what_does_not_fit() {
        let mut shelf = Shelf::new(2, 1 << 10);
        let keep = |shelf: &mut Shelf, count: usize, bytes: usize| {
            let arena = Arena::new(1 << 10, 1 << 20);
            let text = Value::string(arena.text(&"x".repeat(bytes)).unwrap());
            let list = Value::array(arena.values(&[text, Value::int(7)]).unwrap());
            shelf.refill(std::iter::repeat_n(list, count))
        };
        for _ in 0..100 {
            assert!(keep(&mut shelf, 2, 100));
            for kept in shelf.all() {
                assert_eq!(kept.index(Value::int(0)).map(|text| text.len()), Some(100));
                assert_eq!(kept.index(Value::int(1)), Some(Value::int(7)));
            }
            assert!(!keep(&mut shelf, 3, 1));
            assert_eq!(shelf.all().len(), 0);
            assert!(!keep(&mut shelf, 1, 5000));
            assert_eq!(shelf.all().len(), 0);
        }
        assert!(shelf.arena.used_bytes() < 2 << 10);
    }

    #[test]
    fn a_grown_arena_becomes_one_piece() {
        let mut arena = Arena::keeping(1 << 10, 1 << 20, 4 << 20);
        for _ in 0..100 {
            arena.text(&"x".repeat(1000)).unwrap();
        }
        assert!(arena.bump.iter_allocated_chunks().count() > 1);
        arena.reset();
        let kept = arena.used_bytes();
        assert!(kept >= 100_000);
        for _ in 0..100 {
            arena.text(&"x".repeat(1000)).unwrap();
        }
        assert_eq!(arena.used_bytes(), kept);
    }

    #[test]
    fn a_bound_below_the_first_piece_is_a_bound() {
        for bytes_max in [0, 1 << 10] {
            let arena = Arena::new(1 << 14, bytes_max);
            let refused = (0..100).find_map(|_| arena.text(&"x".repeat(1000)).err());
            assert_eq!(refused, Some(EvalErrorKind::ArenaExhausted));
        }
    }

    #[test]
    fn too_much_is_refused_and_not_kept() {
        let mut arena = Arena::keeping(1 << 10, 1 << 16, 1 << 20);
        let big = "x".repeat(100_000);
        let refused = (0..100).find_map(|_| arena.text(&big).err());
        assert_eq!(refused, Some(EvalErrorKind::ArenaExhausted));
        arena.reset();
        assert!(arena.used_bytes() < 1 << 16);
    }
}
