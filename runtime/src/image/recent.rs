//! What the last operation strings meant: a service asks for few operations over and over, and finding one again takes less
//! than walking the selectors.

use super::tables::Operation;
use crate::selector::hash;

/// Operations that are kept. A new one displaces the one in its place.
const PLACES: usize = 64;

/// Bytes of a text that is kept; others are looked up each time.
const TEXT_BYTES_MAX: usize = 55;

/// The last operations of one core, by one image.
#[derive(Debug)]
pub(super) struct Recent {
    places: Box<[Known]>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    operation: Operation,
    /// Of no text so far: more than any text has.
    len: u8,
    text: [u8; TEXT_BYTES_MAX],
}

impl Recent {
    pub(super) fn new() -> Recent {
        let nothing = Known {
            operation: Operation::Unknown,
            len: u8::MAX,
            text: [0; TEXT_BYTES_MAX],
        };
        Recent {
            places: vec![nothing; PLACES].into_boxed_slice(),
        }
    }

    /// What a text means: as it was found last, or as `find` finds.
    #[inline]
    pub(super) fn or_find(&mut self, text: &str, find: impl FnOnce() -> Operation) -> Operation {
        let text = text.as_bytes();
        let place = self.places.get_mut(hash(text) as usize % PLACES);
        match place {
            Some(known) if known.text.get(..known.len.into()) == Some(text) => known.operation,
            Some(known) => {
                let operation = find();
                if let (Some(kept), Ok(len)) = (known.text.get_mut(..text.len()), u8::try_from(text.len())) {
                    kept.copy_from_slice(text);
                    (known.operation, known.len) = (operation, len);
                }
                operation
            }
            None => find(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_means_what_was_found_for_it() {
        let mut recent = Recent::new();
        let mut asked = 0;
        let texts: Vec<String> = (0..200).map(|n| "x".repeat(n % 60) + &n.to_string()).collect();
        for _ in 0..3 {
            for (number, text) in (0..).zip(&texts) {
                let found = recent.or_find(text, || {
                    asked += 1;
                    Operation::Policy(number)
                });
                assert_eq!(found, Operation::Policy(number), "{text}");
                let again = recent.or_find(text, || Operation::Ambiguous);
                let is_kept = text.len() <= TEXT_BYTES_MAX;
                assert_eq!(again == Operation::Policy(number), is_kept, "{text}");
            }
        }
        assert!(asked > 0);
    }
}
