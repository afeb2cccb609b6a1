//! Meaning of parsed modules: names, safety, checks. In: trees of modules that see each other. Out: HIR for the planner,
//! or everything that is wrong with the modules, in OPA's words and order.
//!
//! Stages, a file each: `resolve*` (names) → `template`, `print`, `expand` (calls become statements) → `annotate`
//! (`rego.metadata.*` become constants) → `withs` → `conflicts`, `calls` (checks) → `order` (safety) → `recursion` →
//! `lower` (HIR). `pipeline` runs them. They go through the tree by the visitors of `walk`.

mod annotate;
mod calls;
mod conflicts;
mod declared;
mod dump;
mod enumeration;
mod expand;
mod findings;
mod globals;
mod keys;
mod known_values;
mod lower;
mod lower_with;
mod names;
mod needs;
mod number_heads;
mod open_defaults;
mod options;
mod order;
mod outputs;
mod pipeline;
mod print;
mod query;
mod recursion;
mod rename;
mod resolve;
mod resolve_declare;
mod resolve_operand;
mod resolve_rule;
mod resolve_term;
mod rule_tree;
mod scope;
mod template;
mod term_order;
mod text;
mod tree;
mod unsafe_vars;
mod unused;
mod vars;
mod walk;
mod withs;

pub use dump::{dump, dump_query};
pub use options::AnalyseOptions;
pub use pipeline::analyse;
pub use query::analyse_query;
