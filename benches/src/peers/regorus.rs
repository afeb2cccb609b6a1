//! The peer `regorus`, its register VM and its interpreter, on the same policies, phases and requests.
//!
//! It is given another job than ours: which policies to ask is handed to it, and it reads the document with annotations and
//! resource already resolved, which is a longer text. It parses the JSON, runs every policy of every phase on what was compiled before, and
//! combines the votes.

use gavel_compiler::domain;
use gavel_compiler::source::SourceMap;
use gavel_runtime::decision::{Decider, Phase, Reference};
use gavel_runtime::image::Image;
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;

use crate::corpus::Example;

/// One machine for each policy of a domain.
pub struct Peer {
    policies: Vec<Machine>,
}

/// Which of its two machines runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The register VM.
    Vm,
    /// The interpreter.
    Interpreter,
}

enum Machine {
    Vm(Box<RegoVM>),
    Interpreter(regorus::CompiledPolicy),
}

impl Machine {
    fn run(&mut self, input: regorus::Value) -> regorus::Value {
        let result = match self {
            Machine::Vm(vm) => {
                vm.set_input(input);
                vm.execute().ok()
            }
            Machine::Interpreter(policy) => policy.eval_with_input(input).ok(),
        };
        result.unwrap_or(regorus::Value::Undefined)
    }
}

/// A request in the peer's form.
#[derive(Debug)]
pub struct Request {
    document: String,
    ask: Vec<(Phase, usize)>,
}

impl Request {
    /// The document as the peer's values.
    pub fn parsed(&self) -> Result<regorus::Value, String> {
        regorus::Value::from_json_str(&self.document).map_err(|error| error.to_string())
    }
}

const ENTRY: &str = "data.authz.allow";

impl Peer {
    /// Compiles every policy of the example with its libraries.
    pub fn new(example: &Example, kind: Kind) -> Result<Peer, String> {
        let text = std::fs::read_to_string(&example.domain).map_err(|error| error.to_string())?;
        let mut sources = SourceMap::default();
        let file = sources.add_file("domain", &text);
        let set = domain::load(&mut sources, &[file]).map_err(|problems| format!("{problems:?}"))?;
        let policies = set.policies.iter().map(|policy| {
            let libraries = policy
                .libraries
                .iter()
                .filter_map(|index| set.libraries.get(index.0));
            let modules = libraries.map(|library| library.rego).chain([policy.rego]);
            let modules: Vec<String> = modules
                .map(|module| sources.source(module).text.to_string())
                .collect();
            machine(&modules, kind).map_err(|error| format!("{}: {error:#}", policy.mrn))
        });
        Ok(Peer {
            policies: policies.collect::<Result<_, _>>()?,
        })
    }

    /// Decides, from the text of the document; an error of a policy is its deny, as in ours.
    pub fn decide(&mut self, request: &Request) -> Result<bool, String> {
        let input = request.parsed()?;
        self.decide_parsed(request, &input)
    }

    /// Decides, with the document parsed before.
    pub fn decide_parsed(&mut self, request: &Request, input: &regorus::Value) -> Result<bool, String> {
        let mut settled = None;
        let mut phases = [false, false, false];
        let mut scope_asked = false;
        for (phase, policy) in &request.ask {
            let machine = self.policies.get_mut(*policy).ok_or("no such policy")?;
            let result = machine.run(input.clone());
            match phase {
                Phase::Operation => settled = Some(result.as_i64().unwrap_or(-1)),
                Phase::Identity => phases[0] |= result == regorus::Value::from(true),
                Phase::Resource => phases[1] |= result == regorus::Value::from(true),
                Phase::Scope => {
                    scope_asked = true;
                    phases[2] |= result == regorus::Value::from(true);
                }
            }
        }
        Ok(match settled {
            Some(n) if n != 0 => n > 0,
            Some(_) => phases[0] && phases[1] && (phases[2] || !scope_asked),
            None => false,
        })
    }
}

fn machine(modules: &[String], kind: Kind) -> Result<Machine, Box<dyn std::error::Error>> {
    let mut engine = regorus::Engine::new();
    engine.set_rego_v0(true);
    for (index, module) in modules.iter().enumerate() {
        engine.add_policy(format!("module-{index}.rego"), module.clone())?;
    }
    let compiled = engine.compile_with_entrypoint(&ENTRY.into())?;
    if kind == Kind::Interpreter {
        return Ok(Machine::Interpreter(compiled));
    }
    let program = Compiler::compile_from_policy(&compiled, &[ENTRY])?;
    let mut vm = RegoVM::new();
    vm.load_program(program);
    vm.set_data(regorus::Value::new_object())?;
    Ok(Machine::Vm(Box::new(vm)))
}

/// The request as the peer takes it, from what our engine made of it.
pub fn request(
    decider: &mut Decider,
    image: &Image,
    body: &[u8],
    references: &[(Phase, Option<u32>)],
) -> Result<Request, String> {
    let document = super::clinic::realised(decider, image, body)?;
    let ask = references
        .iter()
        .filter_map(|(phase, policy)| Some((*phase, policy.as_ref().copied()? as usize)));
    Ok(Request {
        document,
        ask: ask.collect(),
    })
}

/// Phase and policy of each reference.
#[must_use]
pub fn asked(references: &[Reference<'_>]) -> Vec<(Phase, Option<u32>)> {
    references
        .iter()
        .map(|reference| (reference.phase, reference.policy))
        .collect()
}
