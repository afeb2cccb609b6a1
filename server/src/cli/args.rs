//! Verbs and flags, spelled as the reference spells them.

use std::path::PathBuf;
use std::sync::Arc;

use clap::builder::{OsStringValueParser, PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use gavel_compiler::opt::{PASSES, Pass};

use crate::cli::help;
use crate::cli::serve_args::ServeArgs;
use crate::fetch::{AllowList, Allowed, Network};
use crate::replay::Format;

/// A policy decision point: may this principal do this operation on this resource?
///
/// Policies are Rego inside PolicyDomain YAML. `serve` answers over HTTP, `test` shows what the same policies decide without a
/// service.
#[derive(Parser, Debug)]
#[command(name = "gavel", version, after_help = help::ROOT, after_long_help = help::ROOT_LONG)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
}

/// Flags that may stand before or after the verb.
#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "Global options, before or after the command")]
pub(crate) struct Global {
    /// Trace the Rego of each policy and mapper that is asked, line by line, on standard error.
    #[arg(long, short = 't', global = true, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true", value_parser = go_bool, action = ArgAction::Set,
          hide_possible_values = true)]
    pub(crate) trace: bool,
    /// With --trace: only policies and mappers whose name matches (repeatable; RE2 syntax, unanchored).
    #[arg(long, global = true, value_name = "REGEX", allow_hyphen_values = true)]
    pub(crate) trace_filter: Vec<String>,
    /// Indent access records.
    #[arg(long, global = true, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true", value_parser = go_bool, action = ArgAction::Set)]
    pub(crate) pretty_log: bool,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Verb {
    /// Decide without a service: one request, or a suite of them.
    Test {
        #[command(subcommand)]
        verb: Option<TestVerb>,
    },
    /// Serve decisions, over HTTP or to Envoy.
    #[command(after_help = help::SERVE, after_long_help = help::SERVE_LONG)]
    Serve(Box<ServeArgs>),
    /// Evaluate a Rego query and print its result as OPA's data API would.
    #[command(after_help = help::EVAL)]
    Eval(EvalArgs),
    /// Check Rego modules or PolicyDomains, write them as an image file, or show what a stage of the compiler makes of them.
    #[command(after_help = help::COMPILE)]
    Compile(CompileArgs),
    /// Report everything that is wrong with PolicyDomains.
    #[command(after_help = help::LINT)]
    Lint(LintArgs),
    /// Write PolicyDomains with the .rego files that they name in them.
    #[command(after_help = help::BUILD)]
    Build(BuildArgs),
    /// Read a spool of access records by hand.
    #[command(after_help = help::AUDIT)]
    Audit {
        #[command(subcommand)]
        verb: Option<AuditVerb>,
    },
    /// Print the completion script of a shell.
    #[command(after_help = help::COMPLETION)]
    Completion(CompletionArgs),
    /// Print the version.
    Version,
}

#[derive(Subcommand, Debug)]
pub(crate) enum TestVerb {
    /// Decide over one PORC and print its access record.
    #[command(after_help = help::DECISION)]
    Decision(DecisionArgs),
    /// Run a suite of PORCs with expected decisions.
    #[command(after_help = help::DECISIONS, after_long_help = help::DECISIONS_LONG)]
    Decisions(SuiteArgs),
    /// Decide recorded requests again, and report each decision that changed with the policies that changed it.
    #[command(after_help = help::REPLAY)]
    Replay(ReplayArgs),
    /// Print the PORC that a domain's mapper makes of a request.
    #[command(after_help = help::MAPPER)]
    Mapper(MapperArgs),
    /// Decide over the PORC that a domain's mapper makes of a request.
    #[command(after_help = help::ENVOY)]
    Envoy(MapperArgs),
}

#[derive(Subcommand, Debug)]
pub(crate) enum AuditVerb {
    /// Print the records of a spool, one a line, oldest first.
    #[command(after_help = help::AUDIT_CAT)]
    Cat(SpoolArgs),
    /// Say what a spool holds and whether all of it is whole.
    #[command(after_help = help::AUDIT_VERIFY)]
    Verify(SpoolArgs),
}

#[derive(Args, Debug)]
pub(crate) struct SpoolArgs {
    /// The folder given to `serve --audit-spool`; a process may be writing to it.
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
}

/// The domains.
#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "Policies")]
pub(crate) struct DomainArgs {
    /// PolicyDomain file, or folder of them (repeatable; not split at commas), or one image file of `gavel compile -o`.
    #[arg(long, short, value_name = "PATH")]
    pub(crate) bundle: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) roots: RootArgs,
    #[command(flatten)]
    pub(crate) dialect: DialectArgs,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
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

/// The form of lint's findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LintFormat {
    /// The lines of the reference, with the piece of the file that each is about.
    Text,
    /// FILE:LINE:COLUMN: SEVERITY: CODE: MESSAGE.
    Line,
    /// One document.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
}

#[derive(Args, Debug)]
pub(crate) struct LintArgs {
    /// PolicyDomain file, or folder of them (repeatable; not split at commas).
    #[arg(
        long,
        short,
        value_name = "PATH",
        visible_alias = "bundle",
        visible_short_alias = 'b',
        required = true
    )]
    pub(crate) file: Vec<PathBuf>,
    /// How to print the findings.
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: LintFormat,
    /// Run the lints for authorisation policies, too.
    #[arg(long, visible_alias = "style", value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true", value_parser = go_bool, action = ArgAction::Set)]
    pub(crate) regal: bool,
    /// Fail on warnings, too.
    #[arg(long)]
    pub(crate) deny_warnings: bool,
    #[command(flatten)]
    pub(crate) dialect: DialectArgs,
    #[command(flatten)]
    pub(crate) roots: RootArgs,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
}

/// The dialect of Rego texts.
#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "Rego dialect")]
pub(crate) struct DialectArgs {
    /// --v0-compatible (default) or --v1-compatible [env: MPE_CLI_OPA_FLAGS].
    #[arg(long, value_name = "FLAGS", allow_hyphen_values = true)]
    pub(crate) opa_flags: Option<String>,
    /// Read Rego as v1.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true", value_parser = go_bool, action = ArgAction::Set)]
    pub(crate) no_opa_flags: bool,
    /// Read Rego as v1.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true", value_parser = go_bool, action = ArgAction::Set)]
    pub(crate) v1_compatible: bool,
}

/// What mappers may ask.
#[derive(Args, Debug, Clone, Default)]
pub(crate) struct NetworkArgs {
    /// Host that mappers may ask with http.send, at any port or at one (repeatable). Without it a mapper that calls
    /// http.send is refused.
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(crate) allow_net: Vec<Allowed>,
}

impl NetworkArgs {
    /// The network of those hosts, if there are any.
    pub(crate) fn network(&self) -> Option<Arc<Network>> {
        let hosts = (!self.allow_net.is_empty()).then(|| AllowList(self.allow_net.clone()))?;
        Some(Arc::new(Network::new(hosts)))
    }
}

#[derive(Args, Debug)]
pub(crate) struct DecisionArgs {
    /// PORC; standard input if absent, empty or -.
    #[arg(long, short, value_name = "FILE", allow_hyphen_values = true, value_parser = path())]
    pub(crate) input: Option<PathBuf>,
    /// Accepted, without effect.
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub(crate) test: Vec<String>,
    #[command(flatten)]
    pub(crate) domains: DomainArgs,
}

#[derive(Args, Debug)]
pub(crate) struct SuiteArgs {
    /// The suite.
    #[arg(long, short, value_name = "FILE", allow_hyphen_values = true)]
    pub(crate) input: PathBuf,
    /// Run only tests whose name matches this pattern (repeatable; commas separate patterns).
    #[arg(long, value_name = "PATTERN", allow_hyphen_values = true)]
    pub(crate) test: Vec<String>,
    /// Write the outcomes as JUnit XML, too.
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub(crate) junit: Option<PathBuf>,
    /// Count which lines of Rego the tests reach, and say it as text, json (as OPA's), or lcov.
    #[arg(long, value_enum, value_name = "FORMAT", num_args = 0..=1, require_equals = true,
          default_missing_value = "text", help_heading = "Reports")]
    pub(crate) coverage: Option<CoverageFormat>,
    /// Where the coverage goes; standard output, behind the outcomes, if absent (text only).
    #[arg(long, value_name = "FILE", requires = "coverage", help_heading = "Reports")]
    pub(crate) coverage_out: Option<PathBuf>,
    /// Fail if the tests reach less of the lines than this, from 0 to 100; counts them also without --coverage.
    #[arg(long, value_name = "PERCENT", value_parser = percent, help_heading = "Reports")]
    pub(crate) coverage_min: Option<f64>,
    #[command(flatten)]
    pub(crate) domains: DomainArgs,
}

/// How coverage is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CoverageFormat {
    /// For people.
    Text,
    /// The members of OPA's coverage reports.
    Json,
    /// For tools that show it beside the source.
    Lcov,
}

#[derive(Args, Debug)]
pub(crate) struct ReplayArgs {
    /// Access records, one a line or indented, also packed by gzip; - for standard input.
    #[arg(required = true, value_name = "RECORDS")]
    pub(crate) records: Vec<PathBuf>,
    /// How findings are written.
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: Format,
    /// Look up resources given by MRN and the principals' annotations anew. Without it they are taken as recorded.
    #[arg(long)]
    pub(crate) resolve: bool,
    #[command(flatten)]
    pub(crate) domains: DomainArgs,
}

#[derive(Args, Debug)]
pub(crate) struct MapperArgs {
    /// Request as JSON; standard input if absent, empty or -.
    #[arg(long, short, value_name = "FILE", allow_hyphen_values = true, value_parser = path())]
    pub(crate) input: Option<PathBuf>,
    /// Domain whose mapper is used; needed if there are several.
    #[arg(long, short)]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) domains: DomainArgs,
}

#[derive(Args, Debug)]
pub(crate) struct CompletionArgs {
    /// The shell.
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
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
    /// What each pass of the optimiser changes: the code before and after it.
    Passes,
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
    /// With `--emit passes`: only these passes.
    #[arg(
        long,
        value_name = "PASS",
        value_delimiter = ',',
        value_parser = passes(),
        requires = "emit",
        conflicts_with = "output"
    )]
    pub(crate) pass: Vec<String>,
    /// Switch passes of the optimiser off, to see what they do (with --emit); `all` for every pass.
    #[arg(
        long,
        value_name = "PASS",
        value_delimiter = ',',
        value_parser = passes_or_all(),
        requires = "emit",
        conflicts_with = "output"
    )]
    pub(crate) without: Vec<String>,
    /// Rego modules (.rego), compiled together, or PolicyDomain files.
    #[arg(required_unless_present = "bundle", value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) dialect: DialectArgs,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
}

#[derive(Args, Debug)]
pub(crate) struct EvalArgs {
    /// Rego modules (.rego), documents (.json, .yaml), or folders of them (repeatable). `a.b:FILE` puts a document below `data.a.b`.
    #[arg(long, short, value_name = "PATH")]
    pub(crate) data: Vec<String>,
    /// Input document, JSON or YAML; - for standard input. Undefined if absent.
    #[arg(long, short, value_name = "FILE", allow_hyphen_values = true)]
    pub(crate) input: Option<PathBuf>,
    /// Trace the evaluation on standard error, with the text of each line (--trace: in OPA's columns).
    #[arg(long)]
    pub(crate) explain: bool,
    /// A builtin that fails is an error, not undefined.
    #[arg(long)]
    pub(crate) strict_builtin_errors: bool,
    /// The query: `data.authz.allow`, `count(data.users)`, `some user in data.users; user.admin`.
    #[arg(value_name = "QUERY")]
    pub(crate) query: String,
    #[command(flatten)]
    pub(crate) dialect: DialectArgs,
}

/// The passes by name, with what they do for the long help.
fn passes() -> PossibleValuesParser {
    let value = |pass: &Pass| PossibleValue::new(pass.name).help(pass.what);
    PASSES.iter().map(value).collect::<Vec<_>>().into()
}

fn passes_or_all() -> PossibleValuesParser {
    let value = |pass: &Pass| PossibleValue::new(pass.name).help(pass.what);
    let all = PossibleValue::new("all").help("every pass");
    PASSES.iter().map(value).chain([all]).collect::<Vec<_>>().into()
}

/// A path, also the empty one, which the parser of paths refuses.
fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

fn percent(text: &str) -> Result<f64, String> {
    let percent = text.strip_suffix('%').unwrap_or(text).parse::<f64>();
    percent
        .ok()
        .filter(|percent| (0.0..=100.0).contains(percent))
        .ok_or_else(|| "it must be a number from 0 to 100".to_owned())
}

pub(crate) fn go_bool(text: &str) -> Result<bool, String> {
    crate::words::go_bool(text.as_bytes()).ok_or_else(|| "it must be true or false".to_owned())
}
