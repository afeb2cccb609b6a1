//! The API document of the service, and the page that shows it: everything comes from the binary.

use std::sync::LazyLock;

use crate::http::response::{Body, Reply};
use crate::yaml::Document;

/// The document, as people write it.
const YAML: &[u8] = include_bytes!("openapi.yaml");

/// The same as JSON, which the page reads. Nothing, should the document be no YAML.
static JSON: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let document = std::str::from_utf8(YAML).ok();
    let document = document.and_then(|text| Document::read("openapi.yaml", text).ok());
    let value = document.and_then(|document| document.value(document.root()).ok());
    value
        .and_then(|value| serde_json::to_vec(&value).ok())
        .unwrap_or_default()
});

/// Where the page lies. The reference has a viewer at the same place.
const FOLDER: &[u8] = b"/swagger-ui/";

/// The answer to `GET` of one of the paths here; nothing for any other path.
#[must_use]
pub fn page(path: &[u8]) -> Option<Reply> {
    let body = match path {
        b"/openapi.yaml" => Body::Document("application/yaml", YAML),
        b"/openapi.json" => Body::Document("application/json", &JSON),
        b"/swagger-ui" => Body::Moved("swagger-ui/"),
        _ => match path.strip_prefix(FOLDER)? {
            b"" => Body::Page("text/html; charset=utf-8", include_bytes!("viewer/index.html")),
            b"index.html" => Body::Moved("./"),
            b"viewer.css" => Body::Page("text/css; charset=utf-8", include_bytes!("viewer/viewer.css")),
            b"viewer.js" => Body::Page(
                "text/javascript; charset=utf-8",
                include_bytes!("viewer/viewer.js"),
            ),
            _ => return None,
        },
    };
    let status = if matches!(body, Body::Moved(_)) { 301 } else { 200 };
    Some(Reply {
        status,
        body,
        allow: None,
        again: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> serde_json::Value {
        serde_json::from_slice(&JSON).unwrap()
    }

    #[test]
    fn the_document_is_one_of_this_version() {
        let document = document();
        assert_eq!(document["openapi"], "3.0.0");
        assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
        for (path, operation) in [("/decision", "decision"), ("/decisions", "decisions")] {
            assert_eq!(document["paths"][path]["post"]["operationId"], operation);
        }
        let batch = &document["paths"]["/decisions"]["post"]["requestBody"]["content"]["application/json"];
        assert_eq!(batch["schema"]["maxItems"], crate::limits::BATCH_DECISIONS_MAX);
    }

    /// Every reference points at something, and every example of a body is what its schema says on the first level.
    #[test]
    fn references_and_examples_fit() {
        fn references<'d>(value: &'d serde_json::Value, found: &mut Vec<&'d str>) {
            match value {
                serde_json::Value::Object(members) => {
                    found.extend(members.get("$ref").and_then(|to| to.as_str()));
                    members.values().for_each(|member| references(member, found));
                }
                serde_json::Value::Array(items) => items.iter().for_each(|item| references(item, found)),
                _ => {}
            }
        }
        let document = document();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 10);
        for reference in found {
            assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
        }
        let examples = |path: &str| {
            let body = &document["paths"][path]["post"]["requestBody"]["content"]["application/json"];
            let examples = body["examples"].as_object().unwrap().values();
            examples
                .map(|example| example["value"].clone())
                .collect::<Vec<_>>()
        };
        let elements = |batch: &serde_json::Value| batch.as_array().unwrap().clone();
        let batches = examples("/decisions");
        let known = document["components"]["schemas"]["porc"]["properties"]
            .as_object()
            .unwrap();
        for example in examples("/decision")
            .into_iter()
            .chain(batches.iter().flat_map(elements))
        {
            let members = example.as_object().unwrap();
            assert!(members.keys().all(|name| known.contains_key(name)), "{example}");
        }
    }

    #[test]
    fn the_page_asks_nobody_else() {
        for path in ["", "viewer.css", "viewer.js"] {
            let reply = page(format!("/swagger-ui/{path}").as_bytes()).unwrap();
            let Body::Page(_, bytes) = reply.body else {
                panic!("no page at {path}")
            };
            let text = std::str::from_utf8(bytes).unwrap();
            for word in ["http:", "https:", "//cdn", "@import", "innerHTML", "style="] {
                assert!(!text.contains(word), "{path}: {word}");
            }
        }
    }

    #[test]
    fn there_is_nothing_else() {
        for path in [
            "/swagger-ui/none.js",
            "/swagger-ui/../openapi.yaml",
            "/swagger-ui//",
            "/openapi.yml",
            "/swagger-ui/viewer.js/",
        ] {
            assert_eq!(page(path.as_bytes()), None, "{path}");
        }
    }
}
