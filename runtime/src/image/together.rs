//! What groups and roles say together, for the principals of the last requests: those of a service are of few kinds, and to
//! find what was merged takes less than to merge it again.
//!
//! It depends on the layers alone, all of which are compared. Memory for a set is taken when a place keeps one for the first time:
//! most caches never see as many sets as there are places, and some are made for one request.

use super::layers::Layer;
use crate::arena::Shelf;
use crate::value::Value;

/// Sets of layers that are kept. One that is asked for twice in a row displaces the one in its place.
const PLACES: usize = 32;

/// Layers of a set that is kept.
const LAYERS_MAX: usize = 12;

/// Cells of a set that is kept, and bytes of what stands in them.
pub(crate) const MERGED_CELLS_MAX: usize = 32;
const BYTES_MAX: usize = 1 << 10;

/// What could not be kept is tried again when it was asked for so often: what was missing may have been room in the arena of
/// that one request.
const RETRY: u32 = 256;

/// Annotations that lie over one another, the highest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layers {
    len: usize,
    starts: [u32; LAYERS_MAX],
}

/// There are more than are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TooMany;

impl Layers {
    /// Puts a layer, which says something, under the others.
    #[inline]
    pub(crate) fn push(&mut self, layer: Layer) -> Result<(), TooMany> {
        // Layers that say something begin at different places.
        let start = u32::try_from(layer.start).map_err(|_| TooMany)?;
        *self.starts.get_mut(self.len).ok_or(TooMany)? = start;
        self.len += 1;
        Ok(())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// One of so many places.
    #[inline]
    pub(super) fn place(&self, places: usize) -> usize {
        let starts = self.starts.iter().take(self.len);
        let hash = starts.fold(0_u64, |hash, start| {
            (hash.rotate_left(5) ^ u64::from(*start)).wrapping_mul(0x517c_c1b7_2722_0a95)
        });
        (hash >> 32) as usize % places
    }
}

/// A cell of the input and what stands there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MergedCell<'r> {
    pub(crate) cell: u16,
    /// How many of those behind it are cells below it.
    pub(crate) below: u16,
    pub(crate) value: Value<'r>,
}

/// What sets of layers say, for one core and one image.
#[derive(Debug)]
pub(crate) struct Together {
    places: Box<[Kept]>,
}

/// What one set of layers says.
#[derive(Debug)]
pub(crate) struct Kept {
    layers: Layers,
    /// Whether what they say is here: it may be too much.
    is_here: bool,
    /// How often they were asked for in vain since.
    vain: u32,
    /// The last layers that were asked for in vain.
    missed: Layers,
    cells: Vec<(u16, u16)>,
    /// `None`: nothing was kept so far.
    values: Option<Shelf>,
}

impl Together {
    /// Nothing is kept yet, and never will be where nobody says anything.
    pub(super) fn new(is_anything_said: bool) -> Together {
        let place = || Kept {
            layers: Layers::default(),
            is_here: false,
            vain: 0,
            missed: Layers::default(),
            cells: Vec::new(),
            values: None,
        };
        let count = if is_anything_said { PLACES } else { 0 };
        Together {
            places: std::iter::repeat_with(place).take(count).collect(),
        }
    }

    /// What these layers say; who is asked for the second time in a row has `merge` find it out. `None`: it is not kept.
    #[inline]
    pub(crate) fn find<'m>(
        &mut self,
        layers: &Layers,
        merge: impl FnOnce() -> Option<&'m [MergedCell<'m>]>,
    ) -> Option<&Kept> {
        let kept = self.places.get_mut(layers.place(PLACES))?;
        if kept.layers != *layers {
            if kept.missed != *layers {
                kept.missed = *layers;
                return None;
            }
        } else if kept.is_here {
            return Some(kept);
        } else if kept.vain < RETRY {
            kept.vain += 1;
            return None;
        }
        // Named last: should the merge panic, nothing stands here under a name that is not its own.
        (kept.is_here, kept.vain) = (false, 0);
        let is_here = merge().is_some_and(|cells| kept.keep(cells));
        kept.layers = *layers;
        kept.is_here = is_here;
        is_here.then_some(kept)
    }
}

impl Kept {
    fn keep(&mut self, cells: &[MergedCell<'_>]) -> bool {
        self.cells.clear();
        let is_room = cells.len() <= MERGED_CELLS_MAX;
        if is_room {
            self.cells.reserve_exact(MERGED_CELLS_MAX);
            self.cells
                .extend(cells.iter().map(|merged| (merged.cell, merged.below)));
        }
        let new = || Shelf::new(MERGED_CELLS_MAX, BYTES_MAX);
        is_room
            && self
                .values
                .get_or_insert_with(new)
                .refill(cells.iter().map(|merged| merged.value))
    }

    /// The cells, each in front of those below it.
    #[inline]
    pub(crate) fn cells(&self) -> impl Iterator<Item = MergedCell<'_>> {
        self.cells
            .iter()
            .zip(self.values.as_ref().map(Shelf::all).unwrap_or_default())
            .map(|(&(cell, below), &value)| MergedCell { cell, below, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(starts: &[usize]) -> Layers {
        let mut layers = Layers::default();
        for &start in starts {
            let layer = Layer {
                start,
                end: start + 1,
                ..Layer::default()
            };
            layers.push(layer).unwrap();
        }
        layers
    }

    /// What is kept of a set of layers, of which `cells` is what they say.
    fn ask(together: &mut Together, layers: &Layers, cells: &[MergedCell<'_>]) -> Option<Vec<(u16, String)>> {
        let kept = together.find(layers, || Some(cells))?;
        Some(
            kept.cells()
                .map(|merged| (merged.cell, format!("{:?}", merged.value)))
                .collect(),
        )
    }

    #[test]
    fn layers_are_told_apart_by_all_of_them() {
        let mut together = Together::new(true);
        // More sets than there are places, in all orders, the beginning of one another.
        let sets: Vec<Layers> = (0..40_usize)
            .flat_map(|n| [layers(&[n, n + 1]), layers(&[n + 1, n]), layers(&[n, n + 1, 0])])
            .collect();
        let mut kept = 0;
        for round in 0..3 {
            for (number, set) in (0..).zip(&sets) {
                let cells = [MergedCell {
                    cell: 3,
                    below: 0,
                    value: Value::int(number),
                }];
                let said = Some(vec![(3, format!("Int({number})"))]);
                let first = ask(&mut together, set, &cells);
                assert!(first.is_none() || first == said, "{round} {number}");
                assert_eq!(ask(&mut together, set, &cells), said);
                kept += usize::from(first.is_some());
            }
        }
        assert!(kept < 2 * sets.len());
    }

    #[test]
    fn what_is_too_much_is_not_kept_and_rarely_asked_for_again() {
        let mut together = Together::new(true);
        let set = layers(&[1, 2]);
        let text = "x".repeat(5000);
        let cells = [MergedCell {
            cell: 1,
            below: 0,
            value: Value::string(&text),
        }];
        let mut merges = 0;
        for _ in 0..5 {
            let kept = together.find(&set, || {
                merges += 1;
                Some(&cells)
            });
            assert!(kept.is_none());
        }
        assert_eq!(merges, 1);
        // What it was too much for once it may fit another time.
        let few = [MergedCell {
            cell: 1,
            below: 0,
            value: Value::int(7),
        }];
        let asked = (0..2 * RETRY).find(|_| together.find(&set, || Some(&few)).is_some());
        assert_eq!(asked, Some(RETRY - 3));
        assert_eq!(
            ask(&mut together, &set, &[]),
            Some(vec![(1, "Int(7)".to_owned())])
        );
        let mut too_many = layers(&[0; LAYERS_MAX]);
        assert!(too_many.push(Layer::default()).is_err());
        assert!(Together::new(false).find(&set, || None).is_none());
    }
}
