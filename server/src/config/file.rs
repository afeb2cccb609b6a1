//! Finds and reads the configuration file and flattens it to dotted keys in small letters.
//!
//! The search is the reference's: `$MPE_CONFIG_PATH` (default: the working directory; empty: nowhere), the name
//! `$MPE_CONFIG_FILENAME` (default `mpe-config`; empty: `config`) with each known extension and then bare. Whatever the
//! extension, the text is YAML. Unlike the reference we refuse a file that is there but cannot be used.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::values::Environment;
use crate::error::Failure;
use crate::{files, limits};

const EXTENSIONS: [&str; 13] = [
    ".json",
    ".toml",
    ".yaml",
    ".yml",
    ".properties",
    ".props",
    ".prop",
    ".hcl",
    ".tfvars",
    ".dotenv",
    ".env",
    ".ini",
    "",
];

/// Dotted keys with their values; lists stay values.
pub(super) type Settings = BTreeMap<String, Value>;

/// Reads the file, if there is one.
pub(super) fn settings(environment: &Environment<'_>) -> Result<Settings, Failure> {
    let Some(path) = find(environment)? else {
        return Ok(Settings::new());
    };
    let text =
        files::text(&path, limits::TEXT_BYTES_MAX).map_err(|error| Failure::unreadable(&path, &error))?;
    parse(&text)
        .map_err(|error| Failure::Operator(format!("error reading config {}: {error}", path.display())))
}

fn find(environment: &Environment<'_>) -> Result<Option<PathBuf>, Failure> {
    let directory = match environment("MPE_CONFIG_PATH") {
        Some(path) if path.is_empty() => return Ok(None),
        Some(path) => PathBuf::from(path),
        None => PathBuf::from("."),
    };
    let name = match environment("MPE_CONFIG_FILENAME") {
        Some(name) if name.is_empty() => "config".into(),
        Some(name) => name,
        None => "mpe-config".into(),
    };
    for extension in EXTENSIONS {
        let mut file = name.clone();
        file.push(extension);
        let path = Path::new(&directory).join(file);
        match path.metadata() {
            // A folder of that name is no configuration.
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Ok(Some(path)),
            // A link to nowhere was meant to be one; so was what is there and cannot be looked at.
            Err(error) if error.kind() != ErrorKind::NotFound || path.is_symlink() => {
                return Err(Failure::unreadable(&path, &error));
            }
            Err(_) => {}
        }
    }
    Ok(None)
}

pub(super) fn parse(text: &str) -> Result<Settings, String> {
    // YAML 1.2 has two words for each boolean; a key `n` must stay a text.
    let options = serde_saphyr::options! { strict_booleans: true };
    let value: Option<Value> =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| error.to_string())?;
    let mut settings = Settings::new();
    match value {
        None | Some(Value::Null) => {}
        Some(Value::Object(members)) => {
            for (key, value) in members {
                flatten(key.to_lowercase(), value, &mut settings);
            }
        }
        Some(_) => return Err("the top level must be a mapping".to_owned()),
    }
    Ok(settings)
}

fn flatten(key: String, value: Value, settings: &mut Settings) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                flatten(format!("{key}.{}", name.to_lowercase()), value, settings);
            }
        }
        value => {
            settings.insert(key, value);
        }
    }
}
