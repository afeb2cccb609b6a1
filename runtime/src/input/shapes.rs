//! How the objects in lists of earlier requests were laid out: those of a service are of few kinds, and mostly all of a list are
//! of one. Where a document is read as a whole, all of its objects are read by this, and come in one order mostly.
//!
//! What stands in front of the value of a member (the beginning of the object or a comma, blanks, the key, a colon) is one
//! piece here, and a shape is the pieces of an object in their order. A piece is taken only where all of its bytes are found
//! again; they tell where the key is. Where all pieces of a shape were found and the object ends behind them, its keys are
//! those of the shape, so that it is known how they are sorted, and that they differ. Everything else (which shape is tried,
//! which are kept) is a guess that at worst costs time. No value is ever kept here; keys of earlier requests are.

use super::lanes::{WORD, differing};
use super::layouts::WINDOW;
use super::lessons::Lessons;
use super::places::{Hand, Learned};
use super::scan::Scanner;

/// Shapes that are kept.
const PLACES: usize = 32;

/// Members of an object whose shape is kept.
const MEMBERS_MAX: usize = 8;

/// Bytes of a piece, so that the first byte of the value behind it is looked at too.
const BYTES_MAX: usize = WORD - 1;

/// After so many objects of unknown shapes a document is read without any more guesses.
const PATIENCE: u8 = 8;

/// Objects of one document that are learned when it has ended.
const LATE_MAX: usize = 8;

/// In place of a shape: it is not known.
const UNKNOWN: u8 = u8::MAX;

/// The place of what stands for the front of a list, which has no pieces.
const FRONT: u8 = 0;

const _: () = assert!(PLACES <= UNKNOWN as usize);

/// What stands in front of the value of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    bytes: [u8; WORD],
    /// Which of the bytes count, a bit each.
    counting: u32,
    pub(super) len: u8,
    /// Where in it the text of the key begins, and where it ends.
    pub(super) key: (u8, u8),
    /// The place of the key among those of the object when they are sorted.
    pub(super) order: u8,
}

impl Piece {
    const NONE: Piece = Piece {
        bytes: [0; WORD],
        counting: 0,
        len: 0,
        key: (0, 0),
        order: 0,
    };

    /// The first byte of the value behind it, if the text begins with both.
    #[inline(always)]
    pub(super) fn leads_on(&self, text: &[u8; WINDOW]) -> Option<u8> {
        let beginning: &[u8; WORD] = text.first_chunk()?;
        let is_it = differing(*beginning, self.bytes) & self.counting == 0;
        let first = *text.get(usize::from(self.len))?;
        (is_it && first > b' ').then_some(first)
    }
}

/// How an object was laid out.
#[derive(Clone, Copy, Debug)]
struct Shape {
    pieces: [Piece; MEMBERS_MAX],
    len: u8,
    /// It was met since somebody looked for a place.
    is_used: bool,
    /// The one that came behind it.
    next: u8,
}

impl Learned for Shape {
    fn is_used(&mut self) -> &mut bool {
        &mut self.is_used
    }
}

impl Shape {
    const NONE: Shape = Shape {
        pieces: [Piece::NONE; MEMBERS_MAX],
        len: 0,
        is_used: false,
        next: UNKNOWN,
    };

    #[inline(always)]
    fn pieces(&self) -> &[Piece] {
        self.pieces.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// The first byte of the first value, if an object that begins with the text may be of this shape.
    #[inline(always)]
    fn begins(&self, text: &[u8; WINDOW]) -> Option<u8> {
        self.pieces().first()?.leads_on(text)
    }
}

/// A shape that is kept, and how many members it has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    place: u8,
    len: u8,
}

impl Known {
    #[inline(always)]
    pub(super) fn len(self) -> usize {
        self.len.into()
    }
}

/// The shape of the object that began before another one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Behind(u8);

/// Shapes of the last objects, for one core.
#[derive(Debug)]
pub(super) struct Shapes {
    /// First what stands for the front of a list. Never more than [`PLACES`], for which there is room from the beginning.
    shapes: Vec<Shape>,
    hand: Hand,
    /// The one before the last, the last one, and the one that is tried next.
    before: u8,
    last: u8,
    guess: u8,
    lessons: Lessons,
    /// Objects of other shapes than were tried until this document is read without guesses.
    patience: u8,
    /// Objects within objects are read by shapes too. Then nothing is learned before the document has ended, so that those around
    /// stay what they are meanwhile: where objects of other shapes are, and behind what they came.
    is_everywhere: bool,
    late: [(usize, Behind); LATE_MAX],
    late_count: usize,
    /// How many objects a shape was tried for, and how many were of another one, or of none that is known.
    #[cfg(test)]
    counted: (usize, usize),
}

impl Shapes {
    /// Nothing is known yet. All memory is taken here.
    pub(super) fn new() -> Shapes {
        let mut shapes = Vec::with_capacity(PLACES);
        shapes.push(Shape::NONE);
        Shapes {
            shapes,
            hand: Hand::default(),
            before: FRONT,
            last: FRONT,
            guess: UNKNOWN,
            lessons: Lessons::new(),
            patience: PATIENCE,
            is_everywhere: false,
            late: [(0, Behind(UNKNOWN)); LATE_MAX],
            late_count: 0,
            #[cfg(test)]
            counted: (0, 0),
        }
    }

    /// Replaces about half of all guesses by others, as if everything had been given away and learned again since.
    #[cfg(test)]
    pub(super) fn guess_anew(&mut self, mut random: impl FnMut(usize) -> usize) {
        let places = self.shapes.len();
        for shape in &mut self.shapes {
            if random(2) == 0 {
                shape.next = u8::try_from(random(places)).unwrap_or(UNKNOWN);
            }
        }
        // Others would hardly be learned any more.
        self.lessons.added();
    }

    #[cfg(test)]
    pub(super) fn counted(&self) -> (usize, usize) {
        self.counted
    }

    /// Makes ready for a document.
    pub(super) fn begin(&mut self) {
        self.lessons.begin();
        self.patience = PATIENCE;
        self.is_everywhere = false;
    }

    /// Makes ready for a document of which all objects are read by shapes.
    pub(super) fn begin_everywhere(&mut self) {
        self.begin();
        self.is_everywhere = true;
        self.late_count = 0;
        self.stand_behind(FRONT);
    }

    /// The document, all of whose objects were read by shapes, has ended, and is right.
    pub(super) fn end(&mut self, mut document: Scanner<'_>) {
        for late in 0..std::mem::take(&mut self.late_count) {
            if let Some(&(at, behind)) = self.late.get(late) {
                document.at = at;
                self.take_in(document, behind);
            }
        }
    }

    /// These for what is in an object or list, if they are for that.
    #[inline(always)]
    pub(super) fn for_parts(&mut self) -> Option<&mut Shapes> {
        self.is_everywhere.then_some(self)
    }

    /// A list begins.
    #[inline]
    pub(super) fn stand_in_front(&mut self) {
        if !self.is_everywhere {
            self.stand_behind(FRONT);
        }
    }

    /// Behind what the object came that was tried last.
    #[inline(always)]
    pub(super) fn behind(&self) -> Behind {
        Behind(self.before)
    }

    /// What stands in front of a value of a shape, if that has so many.
    #[inline(always)]
    pub(super) fn piece(&self, shape: Known, at: usize) -> Option<&Piece> {
        if at >= shape.len() {
            return None;
        }
        self.shapes.get(usize::from(shape.place))?.pieces.get(at)
    }

    #[inline(always)]
    fn stand_behind(&mut self, place: u8) {
        let shape = self.shapes.get(usize::from(place));
        (self.last, self.guess) = (place, shape.map_or(UNKNOWN, |shape| shape.next));
    }

    /// The shape that the object that begins with `text` may have, and the first byte behind the first piece of it, which is
    /// there. `None`: its shape is not known.
    #[inline]
    pub(super) fn follow(&mut self, text: &[u8; WINDOW]) -> Option<(Known, u8)> {
        self.before = self.last;
        // Each object of another shape than was guessed costs the memory of one of that shape, too.
        if self.patience == 0 {
            return None;
        }
        let guess = self.shapes.get(usize::from(self.guess));
        let (place, first) = match guess.and_then(|shape| shape.begins(text)) {
            Some(first) => (self.guess, first),
            None => self.other(text).unwrap_or((UNKNOWN, 0)),
        };
        self.stand_behind(place);
        let shape = self.shapes.get_mut(usize::from(place))?;
        #[cfg(test)]
        {
            self.counted.0 += 1;
        }
        shape.is_used = true;
        let len = shape.len;
        Some((Known { place, len }, first))
    }

    /// As [`Shapes::follow`], where the guess was wrong; another one is made the next time. The place of the shape.
    #[inline(never)]
    fn other(&mut self, text: &[u8; WINDOW]) -> Option<(u8, u8)> {
        let mut known = (0..).zip(&self.shapes);
        let (place, first) = known.find_map(|(place, shape)| Some((place, shape.begins(text)?)))?;
        self.lead(self.last, place);
        Some((place, first))
    }

    /// Behind the one comes the other.
    fn lead(&mut self, from: u8, to: u8) {
        if let Some(shape) = self.shapes.get_mut(usize::from(from)) {
            shape.next = to;
        }
    }

    /// The object at `object`, which is right, was of another shape than the one that was tried.
    pub(super) fn missed(&mut self, object: Scanner<'_>, behind: Behind) {
        #[cfg(test)]
        {
            self.counted.1 += 1;
        }
        self.patience = self.patience.saturating_sub(1);
        if !self.is_everywhere {
            self.take_in(object, behind);
        } else if let Some(place) = self.late.get_mut(self.late_count) {
            *place = (object.at, behind);
            self.late_count += 1;
        }
    }

    fn take_in(&mut self, object: Scanner<'_>, behind: Behind) {
        if self.lessons.take(self.shapes.len() < PLACES) {
            self.learn(object, behind);
        }
    }

    #[cold]
    fn learn(&mut self, object: Scanner<'_>, Behind(behind): Behind) {
        let Some(shape) = shape_of(object) else {
            return;
        };
        let known = self
            .shapes
            .iter()
            .position(|known| known.pieces() == shape.pieces());
        let place = known.unwrap_or_else(|| {
            self.lessons.added();
            self.hand.keep(&mut self.shapes, PLACES, shape)
        });
        let Ok(place) = u8::try_from(place) else {
            return;
        };
        self.lead(behind, place);
        self.stand_behind(place);
    }
}

/// The shape of an object, which is right, if it is one to be kept: keys with escapes take memory when they are read.
fn shape_of(mut object: Scanner<'_>) -> Option<Shape> {
    let mut shape = Shape::NONE;
    let mut keys = [""; MEMBERS_MAX];
    let mut len = 0;
    let mut from = object.at;
    let mut next = Some(object.after());
    while let Some(byte) = next {
        if byte != b'"' {
            return None;
        }
        let key = object.at + 1;
        object.skip_string()?;
        let key_end = object.at - 1;
        object.value()?;
        let bytes = object.since(from);
        if bytes.len() > BYTES_MAX || bytes.contains(&b'\\') {
            return None;
        }
        let piece = shape.pieces.get_mut(len)?;
        piece.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        piece.counting = (1 << bytes.len()) - 1;
        piece.len = u8::try_from(bytes.len()).ok()?;
        piece.key = (u8::try_from(key - from).ok()?, u8::try_from(key_end - from).ok()?);
        *keys.get_mut(len)? = std::str::from_utf8(bytes.get(key - from..key_end - from)?).ok()?;
        len += 1;
        object.skip()?;
        from = object.at;
        next = object.next();
    }
    let keys = keys.get(..len)?;
    for (piece, key) in shape.pieces.iter_mut().zip(keys) {
        if keys.iter().filter(|other| *other == key).count() > 1 {
            return None;
        }
        piece.order = u8::try_from(keys.iter().filter(|other| *other < key).count()).ok()?;
    }
    shape.len = u8::try_from(len).ok()?;
    Some(shape)
}
