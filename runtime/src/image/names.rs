//! MRN → index: a small open-addressing table over names known at load time.

use crate::selector::hash;

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

    /// All names, by their index.
    pub(super) fn all(&self) -> &[Box<str>] {
        &self.names
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

    /// Names as people number them, each of which is found within a few steps.
    #[test]
    fn names_that_differ_in_few_bytes_do_not_crowd() {
        let shapes: [fn(u32) -> String; 5] = [
            |n| format!("mrn:iam:role:{n}"),
            |n| format!("r{n:06}"),
            |n| format!("mrn:{n}:role:admin"),
            |n| format!("mrn:tenant-{:03}:role:reader-{:03}", n % 100, n / 100),
            |n| char::from_u32(0x4e00 + n).unwrap().to_string(),
        ];
        for shape in shapes {
            let names: Vec<Box<str>> = (0..10_000).map(|n| shape(n).into()).collect();
            let table = Names::new(names.clone());
            let steps = |name: &str| {
                let from = table.cells.iter().cycle().skip(table.start(name));
                from.take_while(|cell| {
                    table
                        .names
                        .get(**cell as usize)
                        .is_some_and(|known| &**known != name)
                })
                .count()
            };
            let most = names.iter().map(|name| steps(name)).max();
            assert!(most < Some(40), "{} takes {most:?} steps", names[0]);
        }
    }

    #[test]
    fn the_first_of_equal_names_wins() {
        let table = Names::new(vec!["a".into(), "b".into(), "a".into()]);
        assert_eq!(table.find("a"), Some(0));
    }
}
