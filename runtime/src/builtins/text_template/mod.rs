//! `strings.render_template`: Go's text/template over the values that OPA hands to it.
//!
//! Text becomes tokens (`lexer`), a tree (`parse`, `node`), and is carried out (`run`, `functions`, `print`). Values are what
//! OPA's decoder makes of the object: numbers are texts of a type of their own, null is an empty interface (`value`).

mod builtin;
mod compare;
mod constant;
mod escape;
mod functions;
mod items;
mod lexer;
mod node;
mod parse;
mod pipeline;
mod print;
mod run;
mod value;

pub(super) use builtin::render;
