//! One thread's engine: a decider, where its records go, and who knows its resources.

use super::moment::Moment;
use super::porc::PorcBuilder;
use super::records::{Record, RecordSink};
use crate::decision::{Decider, Decision, Facts, Refusal, ResourceResolver};
use crate::image::Image;
use crate::input::Trailing;
use crate::limits::Limits;
use std::sync::Arc;

/// Decides on one thread. Make one on each thread, over the same image: an engine does not move to another thread, and none
/// of its calls waits for another engine. Where threads are a framework's, a `thread_local!` holds it.
///
/// Without a sink no records are kept. See the [crate's documentation](crate) for an example.
///
/// # Panics
/// Nothing here panics unless there is a fault in the engine. A service that wants to survive one wraps calls in
/// [`std::panic::catch_unwind`], takes a panic for a deny, and makes a new engine.
pub struct Engine {
    image: Arc<Image>,
    limits: Limits,
    decider: Decider,
    sink: Option<Box<dyn RecordSink>>,
    resolver: Option<Box<dyn ResourceResolver>>,
    frame: Vec<u8>,
    body: Vec<u8>,
}

impl Engine {
    /// An engine with the limits of the service.
    #[must_use]
    pub fn new(image: Arc<Image>) -> Engine {
        Engine::with_limits(image, Limits::DEFAULT)
    }

    /// An engine with limits of its own.
    #[must_use]
    pub fn with_limits(image: Arc<Image>, limits: Limits) -> Engine {
        let decider = Decider::new(&image, &limits);
        Engine {
            image,
            limits,
            decider,
            sink: None,
            resolver: None,
            frame: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Sends records to a sink.
    #[must_use]
    pub fn sink(mut self, sink: impl RecordSink + 'static) -> Engine {
        self.sink = Some(Box::new(sink));
        self
    }

    /// Asks a resolver for resources that requests name by MRN.
    #[must_use]
    pub fn resolver(mut self, resolver: impl ResourceResolver + 'static) -> Engine {
        self.resolver = Some(Box::new(resolver));
        self
    }

    /// The image that decides.
    #[must_use]
    pub fn image(&self) -> &Arc<Image> {
        &self.image
    }

    /// Decides by another image from the next request on.
    pub fn replace_image(&mut self, image: Arc<Image>) {
        self.decider = Decider::new(&image, &self.limits);
        self.image = image;
    }

    /// Decides over a PORC in JSON and hands its record to the sink.
    ///
    /// # Errors
    /// Bytes that are no PORC, or too large a one: whoever asked must take that for a deny. It leaves a DENY record.
    pub fn decide(&mut self, body: &[u8], moment: &Moment) -> Result<bool, Refusal> {
        let mut facts = match &mut self.resolver {
            Some(resolver) => Facts::Resolver(resolver.as_mut()),
            None => Facts::Image,
        };
        let (image, env) = (&*self.image, moment.env());
        self.frame.clear();
        let outcome = self
            .decider
            .decide_with(image, body, Trailing::Refuse, &env, &mut facts)
            .map(|decision| {
                decision.encode(body, moment.stamp(), &mut self.frame);
                decision.granted
            });
        if let Err(refusal) = &outcome {
            refusal.encode(moment.stamp(), &mut self.frame);
        }
        let kept = self.sink.as_mut().is_none_or(|sink| {
            sink.keep(Record {
                image: &self.image,
                frame: &self.frame,
            })
        });
        outcome.map(|granted| granted && kept)
    }

    /// As [`Engine::decide`], over a PORC from a builder.
    ///
    /// # Errors
    /// As [`Engine::decide`].
    pub fn decide_porc(&mut self, porc: &PorcBuilder, moment: &Moment) -> Result<bool, Refusal> {
        let mut body = std::mem::take(&mut self.body);
        body.clear();
        porc.write(&mut body);
        let outcome = self.decide(&body, moment);
        self.body = body;
        outcome
    }

    /// Decides without a record, and shows which policies were asked and what each said.
    ///
    /// # Errors
    /// As [`Engine::decide`].
    pub fn probe(&mut self, body: &[u8], moment: &Moment) -> Result<Decision<'_>, Refusal> {
        let mut facts = match &mut self.resolver {
            Some(resolver) => Facts::Resolver(resolver.as_mut()),
            None => Facts::Image,
        };
        self.decider
            .decide_with(&self.image, body, Trailing::Refuse, &moment.env(), &mut facts)
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("limits", &self.limits)
            .field("sink", &self.sink.is_some())
            .field("resolver", &self.resolver.is_some())
            .finish_non_exhaustive()
    }
}
