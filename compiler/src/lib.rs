//! Rego and PolicyDomain text in, image and diagnostics out. Pure: no files, clocks, sockets, environment, logging.
//!
//! [`compile`] makes an image that decides; [`compile_parts`] stops before that, for
//! [`gavel_runtime::image::save`], which makes an image file of it.
//!
//! ```
//! use gavel_compiler::source::SourceMap;
//! use gavel_compiler::{Options, compile, render};
//! use gavel_runtime::embed::{Engine, Moment, PorcBuilder};
//! use std::sync::Arc;
//!
//! let domain = r#"
//! apiVersion: iamlite.manetu.io/v1beta1
//! kind: PolicyDomain
//! metadata: {name: shop}
//! spec:
//!   policies:
//!     - mrn: "mrn:shop:policy:gate"
//!       name: gate
//!       rego: |
//!         package authz
//!         default allow = -1
//!         allow = 1 { input.principal.sub == "ann" }
//!   operations:
//!     - {name: all, selector: ["shop:.*"], policy: "mrn:shop:policy:gate"}
//! "#;
//!
//! let mut sources = SourceMap::default();
//! let file = sources.add_file("shop.yml", domain);
//! let compiled = match compile(&mut sources, &[file], &Options::default()) {
//!     Ok(compiled) => compiled,
//!     Err(problems) => return eprintln!("{}", render::text(&sources, &problems)),
//! };
//!
//! let mut engine = Engine::new(Arc::new(compiled.image));
//! let moment = Moment::new(1_700_000_000_000_000_000, *b"16 random bytes!");
//! let by = |subject| PorcBuilder::new("shop:order:read").subject(subject);
//! assert_eq!(engine.decide_porc(&by("ann"), &moment), Ok(true));
//! assert_eq!(engine.decide_porc(&by("bob"), &moment), Ok(false));
//! ```
//!
//! The modules are the stages, in the order of `ARCHITECTURE.md`: [`parse`], [`analyse`], [`types`], [`plan`], [`opt`], [`emit`],
//! [`domain`], [`link`]. [`rego`] compiles modules and queries without a PolicyDomain.
#![forbid(unsafe_code)]

pub mod analyse;
pub mod ast;
pub mod check;
mod constant;
pub mod diagnostic;
pub mod documents;
pub mod domain;
pub mod dump;
pub mod emit;
pub mod fold;
pub mod hir;
mod layout;
pub mod lexer;
pub mod limits;
pub mod link;
pub mod lint;
pub mod metadata;
pub mod opa_ast;
pub mod opt;
pub mod parse;
pub mod places;
pub mod plan;
pub mod policies;
pub mod rego;
pub mod render;
pub mod source;
pub mod token;
pub mod types;
mod units;

pub use policies::{Compiled, Linked, Options, compile, compile_parts};
