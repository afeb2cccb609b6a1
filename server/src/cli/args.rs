//! Verbs and flags, spelled as the reference spells them, and the habits of its flag library.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::audit::FullPolicy;
use crate::io::DriverChoice;
use crate::limits;

/// A policy decision point: decides over PolicyDomains, serves decisions, and shows what it made of them.
#[derive(Parser, Debug)]
#[command(name = "gavel", version)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
}

/// Flags that may stand before or after the verb.
#[derive(Args, Debug, Clone, Default)]
pub(crate) struct Global {
    /// Trace the evaluation of Rego: `eval` only, where it means --explain; refused elsewhere.
    #[arg(long, short = 't', global = true, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true", value_parser = go_bool, action = ArgAction::Set)]
    pub(crate) trace: bool,
    /// Trace only modules whose name matches this pattern (repeatable): without effect.
    #[arg(long, global = true, value_name = "REGEX", allow_hyphen_values = true)]
    pub(crate) trace_filter: Vec<String>,
    /// Indent access records.
    #[arg(long, global = true, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true", value_parser = go_bool, action = ArgAction::Set)]
    pub(crate) pretty_log: bool,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Verb {
    /// Evaluate once and show the outcome.
    Test {
        #[command(subcommand)]
        verb: Option<TestVerb>,
    },
    /// Serve decisions over HTTP.
    Serve(ServeArgs),
    /// Evaluate a Rego query and print its result as OPA's data API would.
    Eval(EvalArgs),
    /// Check Rego modules or PolicyDomains, write them as an image file, or show what a stage of the compiler makes of them.
    Compile(CompileArgs),
    /// Write PolicyDomains with the .rego files that they name in them.
    Build(BuildArgs),
    /// Print the version.
    Version,
}

#[derive(Subcommand, Debug)]
pub(crate) enum TestVerb {
    /// Decide over one PORC and print its access record.
    Decision(DecisionArgs),
    /// Run a suite of PORCs with expected decisions.
    Decisions(SuiteArgs),
    /// Print the PORC that a domain's mapper makes of a request.
    Mapper(MapperArgs),
    /// Decide over the PORC that a domain's mapper makes of a request.
    Envoy(MapperArgs),
}

/// The domains.
#[derive(Args, Debug, Clone, Default)]
pub(crate) struct DomainArgs {
    /// PolicyDomain file (repeatable; not split at commas), or one image file of `gavel compile -o`.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) bundle: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) dialect: DialectArgs,
    #[command(flatten)]
    pub(crate) roots: RootArgs,
}

/// Where .rego files may lie.
#[derive(Args, Debug, Clone, Default)]
pub(crate) struct RootArgs {
    /// Folder whose .rego files a PolicyDomain may name besides those below the working directory and its own (repeatable).
    #[arg(long, value_name = "FOLDER")]
    pub(crate) rego_root: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct BuildArgs {
    /// PolicyDomain file, or PolicyDomainReference (repeatable).
    #[arg(long, short, value_name = "FILE", required = true)]
    pub(crate) file: Vec<PathBuf>,
    /// The result; the input's name with -built before the extension if absent.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) roots: RootArgs,
}

/// The dialect of Rego texts.
#[derive(Args, Debug, Clone, Default)]
pub(crate) struct DialectArgs {
    /// Rego dialect: --v0-compatible (default) or --v1-compatible [env: MPE_CLI_OPA_FLAGS].
    #[arg(long, value_name = "FLAGS", allow_hyphen_values = true)]
    pub(crate) opa_flags: Option<String>,
    /// Read Rego as v1.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true", value_parser = go_bool, action = ArgAction::Set)]
    pub(crate) no_opa_flags: bool,
    /// Read Rego as v1.
    #[arg(long)]
    pub(crate) v1_compatible: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) domains: DomainArgs,
    /// Port; 0 for any free one.
    #[arg(long, default_value_t = 9000, allow_hyphen_values = true)]
    pub(crate) port: i64,
    /// Address; all interfaces if absent.
    #[arg(long, value_name = "IP")]
    pub(crate) host: Option<IpAddr>,
    /// Protocol: generic; envoy is refused, this version does not speak it.
    #[arg(long, short, default_value = "generic")]
    pub(crate) protocol: String,
    /// Domain whose mapper protocol envoy uses: without effect, as that protocol is refused.
    #[arg(long, short)]
    pub(crate) name: Option<String>,
    /// Cores to serve on; what the process may use if absent.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// Kernel interface for sockets.
    #[arg(long, value_enum, default_value = "auto", env = "GAVEL_IO")]
    pub(crate) io: DriverChoice,
    /// What happens to access records when they come faster than they can be written.
    #[arg(long, value_enum, default_value = "wait")]
    pub(crate) audit_full: FullPolicy,
    /// Largest request body.
    #[arg(long, value_name = "BYTES", default_value_t = limits::BODY_BYTES_MAX_DEFAULT)]
    pub(crate) max_body_bytes: usize,
    /// Time for requests in flight after SIGTERM or SIGINT.
    #[arg(long, value_name = "SECONDS", default_value_t = limits::DRAIN_SECONDS_DEFAULT)]
    pub(crate) drain_seconds: u64,
    /// Deny every request after the first without deciding, with the first one's record: what a benchmark compares with.
    #[arg(long, hide = true)]
    pub(crate) constant_deny: bool,
}

#[derive(Args, Debug)]
pub(crate) struct DecisionArgs {
    #[command(flatten)]
    pub(crate) domains: DomainArgs,
    /// PORC; standard input if absent or -.
    #[arg(long, short, value_name = "FILE", allow_hyphen_values = true)]
    pub(crate) input: Option<PathBuf>,
    /// Accepted, without effect.
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub(crate) test: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct SuiteArgs {
    #[command(flatten)]
    pub(crate) domains: DomainArgs,
    /// The suite.
    #[arg(long, short, value_name = "FILE", allow_hyphen_values = true)]
    pub(crate) input: PathBuf,
    /// Run only tests whose name matches this pattern (repeatable; commas separate patterns).
    #[arg(long, value_name = "PATTERN", allow_hyphen_values = true)]
    pub(crate) test: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct MapperArgs {
    #[command(flatten)]
    pub(crate) domains: DomainArgs,
    /// Request as JSON; standard input if absent or -.
    #[arg(long, short, value_name = "FILE", allow_hyphen_values = true)]
    pub(crate) input: Option<PathBuf>,
    /// Domain whose mapper is used; needed if there are several.
    #[arg(long, short)]
    pub(crate) name: Option<String>,
}

/// A stage of the compiler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Emit {
    /// Lexemes with row and column.
    Tokens,
    /// The tree of each module.
    Ast,
    /// The optimised plan.
    Plan,
    /// The program.
    Bytecode,
}

#[derive(Args, Debug)]
pub(crate) struct CompileArgs {
    /// Write the domains as an image file, which `serve` and `test` take in place of them.
    #[arg(long, short, value_name = "FILE", conflicts_with = "emit")]
    pub(crate) output: Option<PathBuf>,
    /// PolicyDomain file (repeatable): the same as a file without a flag.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) bundle: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) roots: RootArgs,
    /// What to show; nothing but errors if absent.
    #[arg(long, value_enum, value_name = "STAGE")]
    pub(crate) emit: Option<Emit>,
    #[command(flatten)]
    pub(crate) dialect: DialectArgs,
    /// Rego modules (.rego), compiled together, or PolicyDomain files.
    #[arg(required_unless_present = "bundle", value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct EvalArgs {
    /// Rego modules (.rego), documents (.json, .yaml), or folders of them (repeatable). `a.b:FILE` puts a document below `data.a.b`.
    #[arg(long, short, value_name = "PATH")]
    pub(crate) data: Vec<String>,
    /// Input document, JSON or YAML; - for standard input. Undefined if absent.
    #[arg(long, short, value_name = "FILE", allow_hyphen_values = true)]
    pub(crate) input: Option<PathBuf>,
    /// Trace the evaluation line by line on standard error.
    #[arg(long)]
    pub(crate) explain: bool,
    /// A builtin that fails is an error, not undefined.
    #[arg(long)]
    pub(crate) strict_builtin_errors: bool,
    #[command(flatten)]
    pub(crate) dialect: DialectArgs,
    /// The query: `data.authz.allow`, `count(data.users)`, `some user in data.users; user.admin`.
    #[arg(value_name = "QUERY")]
    pub(crate) query: String,
}

fn go_bool(text: &str) -> Result<bool, String> {
    crate::words::go_bool(text.as_bytes()).ok_or_else(|| "parse error".to_owned())
}

/// Long names that may be written with one dash.
const LONG_NAMES: &[&str] = &[
    "trace",
    "trace-filter",
    "pretty-log",
    "bundle",
    "opa-flags",
    "no-opa-flags",
    "v1-compatible",
    "port",
    "host",
    "protocol",
    "name",
    "threads",
    "io",
    "audit-full",
    "max-body-bytes",
    "drain-seconds",
    "input",
    "test",
    "help",
    "emit",
    "file",
    "output",
    "rego-root",
    "data",
    "explain",
    "strict-builtin-errors",
];

/// Rewrites what the reference's flag library allows and clap does not: long names with a single dash, `h` for `help`.
pub(crate) fn normalise(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut verbs = 0;
    let mut literal = false;
    let mut out: Vec<OsString> = Vec::new();
    for (index, arg) in args.into_iter().enumerate() {
        let text = arg.to_str().unwrap_or_default();
        literal |= text == "--";
        let single = text
            .strip_prefix('-')
            .filter(|rest| !literal && !rest.starts_with('-'));
        let name = single.and_then(|rest| rest.split('=').next()).unwrap_or_default();
        if LONG_NAMES.contains(&name) {
            out.push(format!("-{text}").into());
        } else if text == "h" && index > 0 && verbs < 2 && out.len() == index {
            out.push("help".into());
            verbs += 1;
        } else {
            verbs += usize::from(index > 0 && !text.starts_with('-'));
            out.push(arg);
        }
    }
    out
}
