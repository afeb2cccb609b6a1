//! Where something that was learned is kept: where nothing is, or else in the place of something that was not met for long.

/// Something that was learned of earlier requests.
pub(super) trait Learned {
    /// It was met since somebody looked for a place.
    fn is_used(&mut self) -> &mut bool;
}

/// The place that was given away last.
#[derive(Debug, Default)]
pub(super) struct Hand(usize);

impl Hand {
    /// Puts it behind the others while there are fewer than `places`, or in the place of the next one that was not met since it
    /// was passed over; never in the first place. Its place.
    pub(super) fn keep<T: Learned>(&mut self, kept: &mut Vec<T>, places: usize, learned: T) -> usize {
        if kept.len() < places {
            kept.push(learned);
            return kept.len() - 1;
        }
        loop {
            self.0 = self.0 % (places - 1) + 1;
            let Some(known) = kept.get_mut(self.0) else {
                return self.0;
            };
            if !std::mem::take(known.is_used()) {
                *known = learned;
                return self.0;
            }
        }
    }
}
