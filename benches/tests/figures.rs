//! Whatever `report` prints as a figure is described in `benches/README.md`.

use std::collections::BTreeSet;
use std::path::Path;

/// Figures without a dot in their names.
const PLAIN: [&str; 3] = ["start_ms", "rss_idle_mib", "rss_kib_per_idle_connection"];

/// What other figures' names begin with.
const SUBJECTS: [&str; 10] = [
    "batch", "compile", "decision", "http", "image", "large", "lint", "machine", "record", "replay",
];

/// Endings of files, which have names as figures have.
const ENDINGS: [&str; 4] = ["yml", "json", "log", "img"];

#[test]
fn every_figure_is_described() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut figures = BTreeSet::new();
    for entry in std::fs::read_dir(root.join("src")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let text = std::fs::read_to_string(path).unwrap();
            figures.extend(text.split('"').filter(|word| is_figure(word)).map(str::to_owned));
        }
    }
    assert!(figures.len() > 50, "{figures:?}");
    let page = std::fs::read_to_string(root.join("README.md")).unwrap();
    let missing: Vec<_> = figures
        .iter()
        .filter(|figure| !page.contains(&format!("`{figure}`")))
        .collect();
    assert!(
        missing.is_empty(),
        "benches/README.md says nothing of {missing:?}"
    );
}

fn is_figure(word: &str) -> bool {
    let is_name = |part: &str| {
        let is_known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        !part.is_empty() && part.chars().all(is_known)
    };
    let Some((subject, rest)) = word.split_once('.') else {
        return PLAIN.contains(&word);
    };
    SUBJECTS.contains(&subject) && rest.split('.').all(is_name) && !ENDINGS.contains(&rest)
}
