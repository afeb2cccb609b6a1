//! Folders of spools, requests that their records can be told by, and what records say.

use std::fs;
use std::path::PathBuf;

use super::cli::{Folder, run_words};

/// A folder of its own for a driver, made by the server or here.
pub(crate) fn folder(name: &str, driver: &str) -> Folder {
    let folder = Folder::new(&format!("audit-{name}-{driver}"), &[]);
    let _ = fs::remove_dir_all(&folder.0);
    folder
}

pub(crate) fn text(folder: &Folder) -> &str {
    folder.0.to_str().unwrap()
}

/// A request that its record can be told by.
pub(crate) fn numbered(number: &str) -> String {
    format!("{{\"operation\":\"shop:door:open\",\"context\":{{\"number\":\"{number}\"}}}}")
}

/// The numbers of records and how many records the marks say are missing.
pub(crate) fn read(output: &str) -> (Vec<String>, u64) {
    let (mut numbers, mut missing) = (Vec::new(), 0);
    for line in output.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line:?}"));
        match line["gap"]["records"].as_str() {
            Some(count) => missing += count.parse::<u64>().unwrap(),
            None => numbers.push(
                line["porc"]["context"]["number"]
                    .as_str()
                    .unwrap_or("")
                    .to_owned(),
            ),
        }
    }
    (numbers, missing)
}

pub(crate) fn cat(spool: &Folder) -> (Option<i32>, String, String) {
    run_words(&["audit", "cat", text(spool)], "")
}

pub(crate) fn segments(spool: &Folder) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(&spool.0)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "spool"))
        .collect();
    found.sort();
    found
}
