//! How the bodies of earlier requests were laid out between their values: which bytes stood there, and what they meant.
//!
//! A client writes one request like the other, with other values in them. What stands between two values (ends of objects, a
//! comma, blanks, keys, beginnings of objects) is one piece here. What a piece means follows from its bytes and from the object
//! that the value before it stands in, and nothing else: the same bytes behind a value of the same object lead to a value of
//! the same member. So a piece is taken only where all of its bytes are found again. Everything else (which piece is tried
//! first, which are kept) is a guess that at worst costs time. No value is ever kept here; keys of earlier requests are.

use super::SlotTrie;
use super::lanes::{WORD, differing};
use super::lessons::Lessons;
use super::places::{Hand, Learned};
use super::shapes::Shapes;
use super::trie::OUTSIDE;
use crate::limits::SLOT_CELLS_MAX;

/// Pieces that are kept, the beginning included. Each key of a body that is read takes one, and each order of keys.
const PLACES: usize = 256;

/// Bytes that are looked at for a piece, and for the first byte of the value behind it.
pub(super) const WINDOW: usize = 2 * WORD;

/// Bytes of a piece; what is longer is read each time.
const BYTES_MAX: usize = WINDOW - 1;

/// Objects that begin in a piece.
const OPENED_MAX: usize = 4;

/// Pieces that are tried behind another.
const GUESSES: usize = 4;

/// After so many places where nothing known came and nothing may be added, a document is read without any more guesses, which
/// cost a tenth of reading where they are all wrong.
const PATIENCE: u8 = 4;

/// The place of the piece in front of all, which has no bytes.
const BEGINNING: u16 = 0;

/// In place of a piece: it is not known.
const UNKNOWN: u16 = u16::MAX;

/// In place of a member: nobody reads it.
pub(super) const UNREAD: u16 = u16::MAX;

/// In place of a member: the document has ended.
pub(super) const END: u16 = u16::MAX - 1;

const _: () = assert!(SLOT_CELLS_MAX <= END as usize);

/// What a piece leads to: a value of this member of this object, whose first byte comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Next {
    /// Its node; [`OUTSIDE`]: the document itself, or its end.
    pub(super) object: u16,
    /// Its node, [`UNREAD`], or [`END`].
    pub(super) member: u16,
}

/// Objects that began since the last value: node, and place in the text.
#[derive(Debug, Default)]
pub(super) struct Opened {
    objects: [(u16, usize); OPENED_MAX],
    count: usize,
}

impl Opened {
    pub(super) fn clear(&mut self) {
        self.count = 0;
    }

    pub(super) fn push(&mut self, node: u16, at: usize) {
        if let Some(place) = self.objects.get_mut(self.count) {
            *place = (node, at);
        }
        self.count += 1;
    }
}

/// What a piece does to the walk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) next: Next,
    pub(super) len: u8,
    opened_count: u8,
    /// Node, and place in the piece.
    opened: [(u16, u8); OPENED_MAX],
}

impl Step {
    /// The objects that begin in the piece: node, and place in it.
    #[inline(always)]
    pub(super) fn opened(&self) -> impl Iterator<Item = (u16, usize)> {
        let opened = self.opened.iter().take(self.opened_count.into());
        opened.map(|(node, place)| (*node, usize::from(*place)))
    }
}

/// What stands between two values.
#[derive(Clone, Copy, Debug)]
struct Piece {
    bytes: [[u8; WORD]; 2],
    /// Which of the bytes count, a bit each.
    counting: [u32; 2],
    /// The object that the value before stands in.
    before: u16,
    step: Step,
    /// Whether the member's objects are gone into: one with members that begins here belongs to a longer piece.
    goes_deeper: bool,
    /// It was met since somebody looked for a place.
    is_used: bool,
    /// Pieces that came behind it.
    guesses: [u16; GUESSES],
}

impl Learned for Piece {
    fn is_used(&mut self) -> &mut bool {
        &mut self.is_used
    }
}

impl Piece {
    const NONE: Piece = Piece {
        bytes: [[0; WORD]; 2],
        counting: [0; 2],
        // No value stands there, so nothing leads on from here.
        before: END,
        step: Step {
            next: Next {
                object: OUTSIDE,
                member: END,
            },
            len: 0,
            opened_count: 0,
            opened: [(0, 0); OPENED_MAX],
        },
        goes_deeper: false,
        is_used: false,
        guesses: [UNKNOWN; GUESSES],
    };

    /// The first byte of the value that it leads to, behind `before`, if the text begins with both. Behind the end of the
    /// document anything may stand.
    #[inline(always)]
    fn leads_on(&self, before: u16, text: &[u8; WINDOW]) -> Option<u8> {
        let first = self.first_behind(before, text)?;
        self.is_led_to(first).then_some(first)
    }

    /// As [`Piece::leads_on`], also to an object that would be gone into and has no members, which few have.
    #[inline(always)]
    fn leads_somewhere(&self, before: u16, text: &[u8; WINDOW]) -> Option<u8> {
        let first = self.first_behind(before, text)?;
        let is_empty = || first == b'{' && text.get(usize::from(self.step.len) + 1) == Some(&b'}');
        (self.is_led_to(first) || is_empty()).then_some(first)
    }

    /// Whether a value that begins with this byte is what it leads to.
    #[inline(always)]
    fn is_led_to(&self, first: u8) -> bool {
        let is_value = first > b' ' && (first != b'{' || !self.goes_deeper);
        is_value || self.step.next.member == END
    }

    /// The first byte behind all of its bytes, if the text begins with them.
    #[inline(always)]
    fn first_behind(&self, before: u16, text: &[u8; WINDOW]) -> Option<u8> {
        let ([low, high], _) = text.as_chunks::<WORD>() else {
            return None;
        };
        let [own_low, own_high] = self.bytes;
        let [low_counts, high_counts] = self.counting;
        if self.before != before || differing(*low, own_low) & low_counts != 0 {
            return None;
        }
        if high_counts != 0 && differing(*high, own_high) & high_counts != 0 {
            return None;
        }
        text.get(usize::from(self.step.len)).copied()
    }
}

/// Pieces of the last bodies, for one core and one trie.
#[derive(Debug)]
pub(crate) struct Layouts {
    /// Of the trie that they belong to.
    digest: u64,
    /// The beginning first. Never more than [`PLACES`], for which there is room from the beginning.
    pieces: Vec<Piece>,
    hand: Hand,
    /// Of each member the last piece that was learned to lead to it.
    leading: Box<[u16]>,
    /// The piece behind which the walk is, and the one that is tried first there.
    last: u16,
    guess: u16,
    lessons: Lessons,
    /// Places where nothing known comes until this document is read without guesses.
    patience: u8,
    /// What is known of the objects in lists.
    pub(super) shapes: Shapes,
    /// How many pieces were followed, and how many were not known.
    #[cfg(test)]
    counted: (usize, usize),
}

impl Layouts {
    /// Nothing is known yet of documents that are read for this trie. All memory is taken here.
    pub(crate) fn new(trie: &SlotTrie) -> Layouts {
        let mut pieces = Vec::with_capacity(PLACES);
        pieces.push(Piece::NONE);
        Layouts {
            digest: trie.digest(),
            pieces,
            hand: Hand::default(),
            leading: vec![UNKNOWN; trie.len()].into_boxed_slice(),
            last: BEGINNING,
            guess: UNKNOWN,
            lessons: Lessons::new(),
            patience: PATIENCE,
            shapes: Shapes::new(),
            #[cfg(test)]
            counted: (0, 0),
        }
    }

    /// Replaces about half of all guesses by others, as if everything had been given away and learned again since.
    #[cfg(test)]
    pub(super) fn guess_anew(&mut self, mut random: impl FnMut(usize) -> usize) {
        let places = self.pieces.len();
        let mut anew = |guess: &mut u16| {
            if random(2) == 0 {
                *guess = u16::try_from(random(places)).unwrap_or(UNKNOWN);
            }
        };
        self.pieces
            .iter_mut()
            .flat_map(|piece| &mut piece.guesses)
            .for_each(&mut anew);
        self.leading.iter_mut().for_each(&mut anew);
        self.shapes.guess_anew(&mut random);
        // Others would hardly be learned any more.
        self.lessons.added();
    }

    #[cfg(test)]
    pub(super) fn counted(&self) -> (usize, usize) {
        self.counted
    }

    /// Makes ready for a document; `None`: it is read for another trie.
    pub(super) fn begin(&mut self, trie: &SlotTrie) -> Option<&mut Layouts> {
        self.stand_behind(BEGINNING);
        self.lessons.begin();
        self.shapes.begin();
        self.patience = PATIENCE;
        (self.digest == trie.digest()).then_some(self)
    }

    /// The piece that `text` begins with, behind a value of `object`, and the first byte of the value that it leads to.
    #[inline(always)]
    pub(super) fn follow(&mut self, object: u16, text: &[u8; WINDOW]) -> Option<(&Step, u8)> {
        match self.pieces.get(usize::from(self.guess))?.leads_on(object, text) {
            Some(first) => self.pass(first),
            None => self.follow_others(object, text),
        }
    }

    /// As [`Layouts::follow`], where the first guess was wrong, or what it leads to is rare; the right one is made earlier the
    /// next time.
    #[inline(never)]
    fn follow_others(&mut self, object: u16, text: &[u8; WINDOW]) -> Option<(&Step, u8)> {
        let guesses = self.pieces.get(usize::from(self.last))?.guesses;
        let leads = |guess: u16| {
            let piece = self.pieces.get(usize::from(guess))?;
            piece.leads_somewhere(object, text)
        };
        // The first one is seldom it.
        let [first_guess, others @ ..] = guesses;
        let (order, first) = (1..)
            .zip(others)
            .find_map(|(order, guess)| Some((order, leads(guess)?)))
            .or_else(|| Some((0, leads(first_guess)?)))?;
        if order > 0 {
            let last = self.pieces.get_mut(usize::from(self.last))?;
            last.guesses.swap(order, order - 1);
        }
        self.guess = *guesses.get(order)?;
        self.pass(first)
    }

    /// Goes over the piece that is guessed, which is there.
    #[inline(always)]
    fn pass(&mut self, first: u8) -> Option<(&Step, u8)> {
        let piece = self.pieces.get_mut(usize::from(self.guess))?;
        #[cfg(test)]
        {
            self.counted.0 += 1;
        }
        piece.is_used = true;
        let [guess, ..] = piece.guesses;
        (self.last, self.guess) = (self.guess, guess);
        Some((&piece.step, first))
    }

    /// The walk is behind this piece.
    #[inline]
    fn stand_behind(&mut self, place: u16) {
        let piece = self.pieces.get(usize::from(place));
        let [guess, ..] = piece.map_or([UNKNOWN; GUESSES], |piece| piece.guesses);
        (self.last, self.guess) = (place, guess);
    }

    /// No piece was known here: `bytes`, the first of which is at `from`, led from a value of `before` to `next`.
    #[inline]
    pub(super) fn missed(
        &mut self,
        trie: &SlotTrie,
        (before, next): (u16, Next),
        (from, bytes): (usize, &[u8]),
        opened: &Opened,
    ) {
        #[cfg(test)]
        {
            self.counted.1 += 1;
        }
        let may_add = self.lessons.take(self.pieces.len() < PLACES);
        let behind = self.last;
        // Where nothing is learned either: the way on may be known.
        let leading = self.leading.get(usize::from(next.member)).copied();
        self.stand_behind(leading.filter(|_| self.patience > 0).unwrap_or(UNKNOWN));
        self.patience = self.patience.saturating_sub(1);
        if may_add {
            self.learn(trie, (before, next), (from, bytes), opened, behind);
        }
    }

    #[cold]
    fn learn(
        &mut self,
        trie: &SlotTrie,
        (before, next): (u16, Next),
        (from, bytes): (usize, &[u8]),
        opened: &Opened,
        behind: u16,
    ) {
        let Some(piece) = piece(trie, (before, next), (from, bytes), opened) else {
            return;
        };
        let is_same = |known: &Piece| {
            known.before == before && known.counting == piece.counting && known.bytes == piece.bytes
        };
        let known = self.pieces.iter().position(is_same);
        let place = known.unwrap_or_else(|| {
            self.lessons.added();
            self.hand.keep(&mut self.pieces, PLACES, piece)
        });
        let Ok(place) = u16::try_from(place) else {
            return;
        };
        if let Some(behind) = self.pieces.get_mut(usize::from(behind))
            && !behind.guesses.contains(&place)
        {
            behind.guesses.rotate_right(1);
            behind.guesses[0] = place;
        }
        if let Some(leading) = self.leading.get_mut(usize::from(next.member)) {
            *leading = place;
        }
        self.stand_behind(place);
    }
}

/// The piece of these bytes, if it is one to be kept: what has escapes takes memory when it is read.
fn piece(
    trie: &SlotTrie,
    (before, next): (u16, Next),
    (from, bytes): (usize, &[u8]),
    opened: &Opened,
) -> Option<Piece> {
    if bytes.is_empty() || bytes.len() > BYTES_MAX || bytes.contains(&b'\\') {
        return None;
    }
    let mut piece = Piece {
        before,
        step: Step {
            next,
            len: u8::try_from(bytes.len()).ok()?,
            opened_count: u8::try_from(opened.count).ok()?,
            ..Piece::NONE.step
        },
        goes_deeper: trie.kids_of(next.member).is_some_and(|kids| !kids.is_empty()),
        ..Piece::NONE
    };
    piece
        .bytes
        .as_flattened_mut()
        .get_mut(..bytes.len())?
        .copy_from_slice(bytes);
    let counting = (1_u64 << bytes.len()) - 1;
    piece.counting = [counting as u32, (counting >> u32::BITS) as u32];
    for (kept, (node, at)) in piece
        .step
        .opened
        .iter_mut()
        .zip(opened.objects.get(..opened.count)?)
    {
        *kept = (*node, u8::try_from(at.checked_sub(from)?).ok()?);
    }
    Some(piece)
}
