//! MRN → index: a small open-addressing table over names known at load time.

/// Names with their indices. The set is fixed by the image, so only look-ups see text from outside, and a look-up ends at
/// the first empty cell whatever it is asked for: at most half of the cells are taken.
#[derive(Debug)]
pub(super) struct Names {
    cells: Vec<u32>,
    names: Vec<Box<str>>,
}

const EMPTY: u32 = u32::MAX;

impl Names {
    /// Of equal names the first wins.
    pub(super) fn new(names: Vec<Box<str>>) -> Names {
        let cell_count = (names.len() * 2 + 1).next_power_of_two();
        let mut table = Names {
            cells: vec![EMPTY; cell_count],
            names: Vec::new(),
        };
        for (index, name) in names.iter().enumerate() {
            let mut cell = table.start(name);
            while let Some(taken) = table.cells.get(cell).copied().filter(|taken| *taken != EMPTY) {
                if names.get(taken as usize) == Some(name) {
                    break;
                }
                cell = (cell + 1) & (cell_count - 1);
            }
            if let Some(free @ &mut EMPTY) = table.cells.get_mut(cell) {
                *free = u32::try_from(index).unwrap_or(EMPTY);
            }
        }
        table.names = names;
        table
    }

    fn start(&self, name: &str) -> usize {
        hash(name.as_bytes()) as usize & (self.cells.len() - 1)
    }

    /// The index of a name.
    pub(super) fn find(&self, name: &str) -> Option<u32> {
        let mut cell = self.start(name);
        loop {
            let index = *self.cells.get(cell)?;
            if index == EMPTY {
                return None;
            }
            if self
                .names
                .get(index as usize)
                .is_some_and(|known| &**known == name)
            {
                return Some(index);
            }
            cell = (cell + 1) & (self.cells.len() - 1);
        }
    }
}

/// A multiplicative hash over eight bytes at a time; good enough for names that nobody outside chooses.
fn hash(bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut state = bytes.len() as u64;
    let mut mix = |word: u64| state = (state.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    let (words, rest) = bytes.as_chunks::<8>();
    words.iter().for_each(|word| mix(u64::from_le_bytes(*word)));
    match bytes.last_chunk::<8>() {
        // Some bytes count twice, which costs less than a loop over the rest.
        Some(word) if !rest.is_empty() => mix(u64::from_le_bytes(*word)),
        Some(_) => {}
        None => rest.iter().for_each(|byte| mix(u64::from(*byte))),
    }
    state ^ (state >> 32)
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn finds_every_name_and_nothing_else() {
        let names: Vec<Box<str>> = (0..500).map(|n| format!("mrn:iam:role:{n}").into()).collect();
        let table = Names::new(names.clone());
        for (index, name) in names.iter().enumerate() {
            assert_eq!(table.find(name), u32::try_from(index).ok());
        }
        assert_eq!(table.find("mrn:iam:role:500"), None);
        assert_eq!(table.find(""), None);
    }

    #[test]
    fn the_first_of_equal_names_wins() {
        let table = Names::new(vec!["a".into(), "b".into(), "a".into()]);
        assert_eq!(table.find("a"), Some(0));
    }
}
