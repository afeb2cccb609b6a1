//! An index from texts, integers and booleans to numbers: which body of a rule is the first that may hold. Made ready when
//! the image is.

use crate::number::compare_int_text;
use crate::value::{Kind, Value};
use borsh::{BorshDeserialize, BorshSerialize};

/// What an index says. For a value that several lines fit, the lowest number counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct SwitchSpec {
    /// The text itself.
    pub exact: Vec<(String, u16)>,
    /// Texts that start so.
    pub starts: Vec<(String, u16)>,
    /// Texts that end so.
    pub ends: Vec<(String, u16)>,
    /// Integers, in any spelling.
    pub integers: Vec<(i64, u16)>,
    /// Booleans.
    pub flags: Vec<(bool, u16)>,
}

impl SwitchSpec {
    /// Every number of it.
    pub fn ways(&self) -> impl Iterator<Item = u16> {
        let texts = [&self.exact, &self.starts, &self.ends];
        let texts = texts.into_iter().flatten().map(|(_, way)| *way);
        let integers = self.integers.iter().map(|(_, way)| *way);
        texts
            .chain(integers)
            .chain(self.flags.iter().map(|(_, way)| *way))
    }
}

/// An index that is ready.
#[derive(Debug)]
pub struct Switch {
    exact: Table,
    starts: Vec<(usize, Table)>,
    ends: Vec<(usize, Table)>,
    /// Sorted; each once.
    integers: Box<[(i64, u16)]>,
    flags: Box<[(bool, u16)]>,
}

impl Switch {
    /// Makes an index ready.
    #[must_use]
    pub fn new(spec: &SwitchSpec) -> Switch {
        Switch {
            exact: Table::new(spec.exact.iter()),
            starts: by_length(&spec.starts),
            ends: by_length(&spec.ends),
            integers: sorted(&spec.integers),
            flags: sorted(&spec.flags),
        }
    }

    /// The lowest number that fits a value.
    #[inline]
    #[must_use]
    pub fn find_value(&self, value: Value<'_>) -> Option<u16> {
        match value.as_str() {
            Some(text) => self.find(text),
            None => self.find_scalar(value),
        }
    }

    #[inline(never)]
    fn find_scalar(&self, value: Value<'_>) -> Option<u16> {
        match value.kind() {
            Kind::Int(int) => find(&self.integers, int),
            Kind::Bool(flag) => find(&self.flags, flag),
            // Another spelling of an integer.
            Kind::Number(text) => {
                let mut lines = self.integers.iter();
                let line = lines.find(|(int, _)| compare_int_text(*int, text).is_eq());
                line.map(|(_, way)| *way)
            }
            _ => None,
        }
    }

    /// The lowest number that fits a text.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<u16> {
        let text = text.as_bytes();
        let mut found = self.exact.get(text);
        let mut take = |way: Option<u16>| {
            if let Some(way) = way {
                found = Some(found.map_or(way, |found| found.min(way)));
            }
        };
        for (len, table) in &self.starts {
            take(text.get(..*len).and_then(|start| table.get(start)));
        }
        for (len, table) in &self.ends {
            let at = text.len().checked_sub(*len);
            take(at.and_then(|at| text.get(at..)).and_then(|end| table.get(end)));
        }
        found
    }
}

/// The lines by their keys, of equal ones that with the lowest number.
fn sorted<T: Ord + Copy>(lines: &[(T, u16)]) -> Box<[(T, u16)]> {
    let mut lines = lines.to_vec();
    lines.sort_unstable();
    lines.dedup_by_key(|(key, _)| *key);
    lines.into_boxed_slice()
}

fn find<T: Ord>(lines: &[(T, u16)], key: T) -> Option<u16> {
    let at = lines.binary_search_by(|(known, _)| known.cmp(&key)).ok()?;
    lines.get(at).map(|(_, way)| *way)
}

/// A table for each length.
fn by_length(texts: &[(String, u16)]) -> Vec<(usize, Table)> {
    let mut lengths: Vec<usize> = texts.iter().map(|(text, _)| text.len()).collect();
    lengths.sort_unstable();
    lengths.dedup();
    lengths
        .into_iter()
        .map(|len| {
            let of_length = texts.iter().filter(|(text, _)| text.len() == len);
            (len, Table::new(of_length))
        })
        .collect()
}

/// A hash table without collisions: as many places as that takes, and a multiplier that was tried out.
#[derive(Debug)]
struct Table {
    places: Box<[Option<Line>]>,
    multiplier: u64,
    shift: u32,
}

/// A text and its number.
type Line = (Box<str>, u16);

/// Multipliers that are tried for each size.
const TRIES: u64 = 64;
/// Places for each text beyond which a table is not made larger: it takes several places for a text then.
const PLACES_MAX: usize = 16;

impl Table {
    fn new<'s>(texts: impl Iterator<Item = &'s (String, u16)> + Clone) -> Table {
        let count = texts.clone().count().max(1);
        let mut size = (2 * count).next_power_of_two();
        loop {
            for turn in 0..TRIES {
                if let Some(table) = Table::filled(texts.clone(), size, turn) {
                    return table;
                }
            }
            size *= 2;
            if size > PLACES_MAX * count.next_power_of_two() {
                return Table::probed(texts, size);
            }
        }
    }

    fn empty(size: usize, turn: u64) -> Table {
        Table {
            places: vec![None; size].into_boxed_slice(),
            // Any odd number; these are far apart.
            multiplier: 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(2 * turn + 1),
            shift: 64 - size.trailing_zeros(),
        }
    }

    fn filled<'s>(texts: impl Iterator<Item = &'s (String, u16)>, size: usize, turn: u64) -> Option<Table> {
        let mut table = Table::empty(size, turn);
        for (text, way) in texts {
            let at = table.place(text.as_bytes());
            match table.places.get_mut(at)? {
                Some((known, first)) if **known == **text => *first = *way.min(first),
                Some(_) => return None,
                place => *place = Some((text.as_str().into(), *way)),
            }
        }
        Some(table)
    }

    /// With texts that hash alike one behind the other.
    fn probed<'s>(texts: impl Iterator<Item = &'s (String, u16)>, size: usize) -> Table {
        let mut table = Table::empty(size, 0);
        for (text, way) in texts {
            let mut at = table.place(text.as_bytes());
            while let Some(place) = table.places.get_mut(at) {
                match place {
                    Some((known, first)) if **known == **text => {
                        *first = *way.min(first);
                        break;
                    }
                    Some(_) => at = (at + 1) & (size - 1),
                    None => {
                        *place = Some((text.as_str().into(), *way));
                        break;
                    }
                }
            }
        }
        table
    }

    #[inline]
    fn place(&self, text: &[u8]) -> usize {
        // Two shifts: a table of one place would be shifted by all 64 bits.
        (hash(text).wrapping_mul(self.multiplier) >> 1 >> (self.shift - 1)) as usize
    }

    #[inline]
    fn get(&self, text: &[u8]) -> Option<u16> {
        let mut at = self.place(text);
        // At least half of the places are free.
        while let Some(Some((known, way))) = self.places.get(at) {
            if known.as_bytes() == text {
                return Some(*way);
            }
            at = (at + 1) & (self.places.len() - 1);
        }
        None
    }
}

/// Eight bytes at a time.
#[inline]
fn hash(text: &[u8]) -> u64 {
    let mut hash = text.len() as u64;
    let mut words = text.chunks_exact(8);
    for word in &mut words {
        let word = word.first_chunk().map_or(0, |word| u64::from_le_bytes(*word));
        hash = (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
    let rest = words.remainder();
    let tail = rest
        .iter()
        .rev()
        .fold(0, |tail, byte| tail << 8 | u64::from(*byte));
    hash = (hash.rotate_left(5) ^ tail).wrapping_mul(0x517c_c1b7_2722_0a95);
    hash ^ hash >> 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repeated::repeated;

    fn lines(texts: &[(&str, u16)]) -> Vec<(String, u16)> {
        texts
            .iter()
            .map(|(text, way)| ((*text).to_owned(), *way))
            .collect()
    }

    #[test]
    fn the_lowest_number_that_fits_is_found() {
        let index = Switch::new(&SwitchSpec {
            exact: lines(&[("shop:order:read", 3), ("x", 0), ("shop:order:read", 5)]),
            starts: lines(&[("shop:", 4), ("shop:order:", 1), ("", 9)]),
            ends: lines(&[(":read", 2), (":write", 6)]),
            ..SwitchSpec::default()
        });
        for (text, want) in [
            ("shop:order:read", 1),
            ("shop:read", 2),
            ("shop:write", 4),
            ("write", 9),
            (":write", 6),
            ("x", 0),
            ("", 9),
        ] {
            assert_eq!(index.find(text), Some(want), "{text}");
        }
        let plain = Switch::new(&SwitchSpec {
            exact: lines(&[("é", 1)]),
            ..SwitchSpec::default()
        });
        assert_eq!(plain.find("e"), None);
        assert_eq!(plain.find("é"), Some(1));
        assert_eq!(Switch::new(&SwitchSpec::default()).find("x"), None);
    }

    #[test]
    fn integers_and_booleans_are_found_by_value() {
        let index = Switch::new(&SwitchSpec {
            exact: lines(&[("1", 7)]),
            integers: vec![(10, 3), (1, 4), (10, 2), (-5, 0)],
            flags: vec![(true, 1)],
            ..SwitchSpec::default()
        });
        for (value, want) in [
            (Value::int(10), Some(2)),
            (Value::int(1), Some(4)),
            (Value::int(-5), Some(0)),
            (Value::int(0), None),
            (Value::number_text("1.0"), Some(4)),
            (Value::number_text("-0.5e1"), Some(0)),
            (Value::number_text("1.5"), None),
            (Value::string("1"), Some(7)),
            (Value::TRUE, Some(1)),
            (Value::FALSE, None),
            (Value::NULL, None),
            (Value::UNSET, None),
            (Value::array(&[]), None),
        ] {
            assert_eq!(index.find_value(value), want, "{value:?}");
        }
    }

    #[test]
    fn large_tables_find_what_is_in_them_and_nothing_else() {
        let texts: Vec<(String, u16)> = (0..)
            .take(repeated(5000))
            .map(|at| (format!("operation-{at}"), at))
            .collect();
        let index = Switch::new(&SwitchSpec {
            exact: texts.clone(),
            ..SwitchSpec::default()
        });
        for (text, way) in &texts {
            assert_eq!(index.find(text), Some(*way));
            assert_eq!(index.find(&format!("{text}x")), None);
        }
    }
}
