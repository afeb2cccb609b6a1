//! A request of Envoy: the PORC that the served mapper makes of it, and the bodies of rules that ran for that in a copy which
//! is compiled for tracing.

use gavel_runtime::decision::{Asked, Phase, RecordOptions, Watcher as _};
use serde_json::{Value, json};

use super::bodies::Bodies;
use super::excerpts::Excerpts;
use super::traced::Traced;
use crate::envoy::{Input, Machine, MapError};
use crate::publish::Revision;

/// What became of a request.
pub(super) struct Mapped {
    /// Its PORC; without one it is denied.
    pub(super) porc: Option<Vec<u8>>,
    name: Option<String>,
    /// Why there is none.
    reason: Option<String>,
    bodies: Vec<Value>,
    /// The bodies are those of the mapper that is served.
    is_told: bool,
}

impl Mapped {
    /// Runs the mapper over attributes.
    ///
    /// # Errors
    /// They are no JSON, Envoy is not served, or the mapper could wait for other services.
    pub(super) fn of(
        revision: &Revision,
        attributes: &[u8],
        watched: Option<(&Traced, &mut Excerpts<'_>)>,
    ) -> Result<Mapped, String> {
        let mapper = match &revision.loaded.lens {
            None => return Err("Envoy is not served, so there is no mapper".to_owned()),
            Some(Err(why)) => return Ok(Mapped::without(None, why.clone())),
            Some(Ok(mapper)) if mapper.waits => {
                let text = "the mapper may ask other services (http.send), so it is not run here";
                return Err(text.to_owned());
            }
            Some(Ok(mapper)) => mapper,
        };
        let made = Machine::default().map(mapper, Input::Document(attributes), None);
        let mut mapped = match &made {
            Ok(porc) => Mapped {
                porc: Some(porc.clone()),
                reason: None,
                ..Mapped::without(Some(&mapper.name), String::new())
            },
            Err(error @ MapError::Unreadable(_)) => return Err(error.to_string()),
            Err(error) => Mapped::without(Some(&mapper.name), error.to_string()),
        };
        if let Some((traced, excerpts)) = watched {
            let shows_values = revision.records.redact.is_none();
            mapped.watch(traced, attributes, (&made, shows_values), excerpts);
        }
        Ok(mapped)
    }

    fn without(name: Option<&str>, reason: String) -> Mapped {
        Mapped {
            porc: None,
            name: name.map(str::to_owned),
            reason: Some(reason),
            bodies: Vec::new(),
            is_told: false,
        }
    }

    /// What it made is no PORC.
    pub(super) fn refused(mut self, why: &str) -> Mapped {
        self.reason = Some(format!("the mapper's result is no PORC: {why}"));
        self
    }

    /// Runs the traced copy, and keeps what it tells if it makes the same.
    fn watch(
        &mut self,
        traced: &Traced,
        attributes: &[u8],
        (made, shows_values): (&Result<Vec<u8>, MapError>, bool),
        excerpts: &mut Excerpts<'_>,
    ) {
        let Some((mapper, texts)) = traced.mapper() else {
            return;
        };
        let asked = Asked {
            phase: Phase::Operation,
            id: "",
            policy: &mapper.name,
        };
        let mut watcher = Bodies::new(texts);
        let input = Input::Document(attributes);
        let again = Machine::default().map(mapper, input, watcher.asks(&asked));
        if again != *made {
            return;
        }
        self.is_told = true;
        let ran = watcher.of(asked.phase, asked.id, asked.policy);
        // The question itself is no rule.
        let ran = ran.into_iter().filter(|(body, _)| body.rule.starts_with("data."));
        self.bodies = ran
            .filter_map(|(body, _)| excerpts.body(texts, body, false, shows_values))
            .collect();
    }

    /// Why not all rules are shown, if so.
    pub(super) fn doubt(&self) -> Option<&'static str> {
        let has_mapper = self.name.is_some();
        (has_mapper && !self.is_told).then_some("the mapper that tells its rules did not make the same")
    }

    /// For the answer, as far as records show it.
    pub(super) fn json(&self, records: &RecordOptions) -> Value {
        // What is no PORC has no places that could be left out.
        let is_shown = self.reason.is_none() || records.redact.is_none();
        let porc = self.porc.as_ref().filter(|_| is_shown);
        let shown = porc.and_then(|porc| records.document(porc));
        let porc: Option<Value> = shown.and_then(|shown| serde_json::from_slice(&shown).ok());
        json!({"name": self.name, "porc": porc, "reason": self.reason, "bodies": self.bodies})
    }
}
