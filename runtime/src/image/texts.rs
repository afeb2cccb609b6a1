//! What annotations are as JSON, for whoever writes records: requests name the same groups, roles and resources over and over, and
//! to find a text takes a fraction of writing it again.
//!
//! It depends on the layers alone, all of which are compared. Memory is taken where a text is kept: most caches write none.

use super::together::Layers;

/// Texts that are kept; one that is written displaces the one in its place.
const PLACES: usize = 64;

/// Bytes of a text that is kept.
const BYTES_MAX: usize = 1 << 10;

/// What sets of layers are as JSON, for one core and one image.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    /// None before the first text is kept.
    places: Box<[Text]>,
}

#[derive(Clone, Debug, Default)]
struct Text {
    layers: Layers,
    /// Empty: nothing is kept here.
    json: Vec<u8>,
}

impl Texts {
    /// What these layers are together.
    #[inline]
    pub(crate) fn find(&self, layers: &Layers) -> Option<&[u8]> {
        let kept = self.places.get(layers.place(PLACES))?;
        (kept.layers == *layers && !kept.json.is_empty()).then_some(&kept.json)
    }

    /// Keeps that for the next time.
    pub(crate) fn keep(&mut self, layers: &Layers, json: &[u8]) {
        if json.len() > BYTES_MAX {
            return;
        }
        if self.places.is_empty() {
            self.places = vec![Text::default(); PLACES].into_boxed_slice();
        }
        if let Some(kept) = self.places.get_mut(layers.place(PLACES)) {
            kept.json.clear();
            kept.json.extend_from_slice(json);
            kept.layers = *layers;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BYTES_MAX, Layers, PLACES, Texts};
    use crate::image::Layer;

    fn layers(starts: &[usize]) -> Layers {
        let mut layers = Layers::default();
        for &start in starts {
            let end = start + 1;
            layers
                .push(Layer {
                    start,
                    end,
                    ..Layer::default()
                })
                .unwrap();
        }
        layers
    }

    #[test]
    fn a_text_is_found_by_all_of_its_layers() {
        let mut texts = Texts::default();
        assert!(texts.find(&layers(&[0])).is_none());
        for first in 0..3 * PLACES {
            for set in [vec![first], vec![first, 7], vec![7, first]] {
                let text = format!("{set:?}");
                texts.keep(&layers(&set), text.as_bytes());
                assert_eq!(texts.find(&layers(&set)), Some(text.as_bytes()));
                assert!(texts.find(&layers(&[first, 8])).is_none());
            }
        }
    }

    #[test]
    fn what_is_long_is_not_kept() {
        let mut texts = Texts::default();
        texts.keep(&layers(&[1]), &[b'x'; BYTES_MAX]);
        texts.keep(&layers(&[1]), &[b'y'; BYTES_MAX + 1]);
        assert_eq!(texts.find(&layers(&[1])), Some(&[b'x'; BYTES_MAX][..]));
    }
}
