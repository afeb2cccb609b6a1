//! From a checked unit to a plan: functions are planned as they are asked for, starting from entries and queries.

use super::body::{Body, Planned};
use super::data::Filter;
use super::ir::{Container, FnRef, Function, Inst, K, NO_BODY, Note, Plan, Reg};
use super::partial::HeadKey;
use super::scan::Replaced;
use super::text::{constant_text, document_name};
use super::tree::{Node, NodeKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::{Checked, Query, Rule, RuleKind, Term, Unit};
use crate::source::Span;
use gavel_runtime::bytecode::FnKind;
use gavel_runtime::value::Constant;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

/// What is wanted of a unit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'r> {
    /// Paths behind `data`: of rules, packages, base documents, or inside their values.
    pub entries: &'r [Vec<String>],
    /// Queries, checked against the same unit.
    pub queries: &'r [Query],
    /// The plan has notes for traces.
    pub trace: bool,
    /// The input has numbers that are not spelled as their values are printed (`1.0`), which may show in results.
    pub spellings: bool,
    /// Failing builtins abort.
    pub strict_builtins: bool,
}

/// Plans everything that the request needs. Refusals come as diagnostics.
///
/// # Errors
/// Programs that need a document to be evaluated while it is being evaluated, and shapes named in the messages.
pub fn plan(unit: &Checked, request: Request<'_>) -> Result<Plan, Vec<Diagnostic>> {
    let mut planner = Planner::new(&unit.0, request);
    let entries: Vec<(Vec<String>, FnRef)> = request
        .entries
        .iter()
        .map(|path| (path.clone(), planner.entry(path)))
        .collect();
    let queries: Vec<FnRef> = (0..request.queries.len())
        .map(|at| planner.request(FnKey::Query(at)))
        .collect();
    planner.run(request.queries)?;
    let mut plan = Plan {
        functions: planner.finished(),
        entries,
        queries,
        base: planner.base.clone(),
        reads_base: planner.reads_base,
        files: unit.0.modules.iter().map(|module| module.file).collect(),
    };
    super::replace::resolve(&mut plan)?;
    super::cycles::check(&plan)?;
    super::memo::settle(&mut plan, &planner.partials, request.spellings)?;
    Ok(plan)
}

/// What a function of the plan computes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FnKey {
    /// A rule's document; with keys, only what can contribute to them.
    Group { path: Vec<String>, keys: Vec<Constant> },
    /// What can contribute to keys of a partial document; keys that are not known are parameters.
    Keyed { path: Vec<String>, keys: Filter },
    /// A complete rule that is part of a tree.
    Leaf { path: Vec<String> },
    /// A function rule.
    Function { path: Vec<String> },
    /// The document of an inner node, as far as the filter goes.
    Extent { path: Vec<String>, filter: Filter },
    /// What stands so many names below it, one by one.
    Children {
        path: Vec<String>,
        filter: Filter,
        depth: usize,
    },
    /// A path that ends in a value or a base document.
    Inside { path: Vec<String> },
    /// A virtual document in the place of a function with so many parameters.
    Document { keys: Vec<Constant>, params: usize },
    /// A query of the request.
    Query(usize),
}

/// State while a unit is planned.
#[derive(Debug)]
pub(super) struct Planner<'u> {
    /// What is planned.
    pub unit: &'u Unit,
    /// Its virtual documents.
    pub tree: Rc<Node>,
    /// What `with` replaces somewhere.
    pub replaced: Replaced,
    /// Rules or packages stand where the base document has something that is not just the way to them.
    pub overlaps: bool,
    /// Some instruction reads the base document.
    pub reads_base: bool,
    /// Notes are written.
    pub trace: bool,
    /// Failing builtins abort.
    pub strict: bool,
    /// Whether documents and functions may abort, as far as that was asked.
    pub raising: HashMap<Vec<String>, bool>,
    /// Documents of which that is being found out.
    pub asking: usize,
    /// Documents that several rules contribute to.
    partials: Vec<FnRef>,
    base: Option<K>,
    functions: Vec<Option<Function>>,
    known: HashMap<String, FnRef>,
    queue: VecDeque<(FnRef, FnKey)>,
}

impl<'u> Planner<'u> {
    fn new(unit: &'u Unit, request: Request<'_>) -> Planner<'u> {
        let tree = Node::build(unit);
        Planner {
            unit,
            overlaps: unit.base.as_ref().is_some_and(|base| tree.overlaps(base)),
            tree: Rc::new(tree),
            replaced: Replaced::scan(unit, request.queries),
            trace: request.trace,
            reads_base: false,
            strict: request.strict_builtins,
            raising: HashMap::new(),
            asking: 0,
            partials: Vec::new(),
            base: unit.base.clone().map(K::new),
            functions: Vec::new(),
            known: HashMap::new(),
            queue: VecDeque::new(),
        }
    }

    /// The function for a key, planned later if it is new.
    pub(super) fn request(&mut self, key: FnKey) -> FnRef {
        let name = key.name();
        if let Some(func) = self.known.get(&name) {
            return *func;
        }
        let func = FnRef(self.functions.len());
        self.functions.push(None);
        self.known.insert(name, func);
        self.queue.push_back((func, key));
        func
    }

    fn entry(&mut self, path: &[String]) -> FnRef {
        let key = match self.tree.find(path) {
            Some(node) if node.is_group() => FnKey::Group {
                path: path.to_vec(),
                keys: Vec::new(),
            },
            Some(node) if node.kind == NodeKind::Inner => FnKey::Extent {
                path: path.to_vec(),
                filter: Filter::new(),
            },
            Some(_) | None => FnKey::Inside { path: path.to_vec() },
        };
        self.request(key)
    }

    /// The base document at a path.
    pub(super) fn base_at(&self, path: &[String]) -> Option<&Constant> {
        let base: &Constant = self.base.as_ref()?;
        path.iter().try_fold(base, |value, key| value.get(key))
    }

    fn run(&mut self, queries: &[Query]) -> Result<(), Vec<Diagnostic>> {
        let mut problems = Vec::new();
        while let Some((func, key)) = self.queue.pop_front() {
            if self.is_partial(&key) {
                self.partials.push(func);
            }
            match self.function(key, queries) {
                Ok(function) => {
                    if let Some(cell) = self.functions.get_mut(func.0) {
                        *cell = Some(function);
                    }
                }
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }

    fn is_partial(&self, key: &FnKey) -> bool {
        match key {
            FnKey::Keyed { .. } => true,
            FnKey::Group { path, .. } => {
                self.tree.find(path).map(|node| node.kind) != Some(NodeKind::Complete)
            }
            FnKey::Leaf { .. }
            | FnKey::Function { .. }
            | FnKey::Extent { .. }
            | FnKey::Children { .. }
            | FnKey::Inside { .. }
            | FnKey::Document { .. }
            | FnKey::Query(_) => false,
        }
    }

    fn finished(&mut self) -> Vec<Function> {
        std::mem::take(&mut self.functions)
            .into_iter()
            .flatten()
            .collect()
    }

    fn function(&mut self, key: FnKey, queries: &[Query]) -> Planned<Function> {
        let name = key.name();
        let own = self.own_rules(&key);
        let (kind, params) = match &key {
            FnKey::Function { .. } => (FnKind::Memo, own.first().map_or(0, |rule| rule.args.len())),
            FnKey::Keyed { keys, .. } => {
                let params = keys.iter().filter(|key| key.is_none()).count();
                (FnKind::Memo, params)
            }
            FnKey::Document { params, .. } => (FnKind::Function, *params),
            FnKey::Query(_) => (FnKind::Query, 0),
            FnKey::Group { .. }
            | FnKey::Leaf { .. }
            | FnKey::Extent { .. }
            | FnKey::Children { .. }
            | FnKey::Inside { .. } => (FnKind::Rule, 0),
        };
        let params = u32::try_from(params).unwrap_or(u32::MAX);
        let query = match &key {
            FnKey::Query(at) => queries.get(*at),
            _ => None,
        };
        let span: Option<Span> = own
            .first()
            .map(|rule| rule.span)
            .or(query.map(|query| query.span));
        let mut body = Body::new(self, params);
        body.note(Note::Rest);
        body.compute(&key, &own, query)?;
        Ok(Function {
            name,
            kind,
            params,
            regs: body.regs,
            labels: body.labels,
            code: body.code,
            span,
            document: key.document(),
        })
    }

    /// The rules whose path is the key's.
    fn own_rules(&self, key: &FnKey) -> Vec<&'u Rule> {
        let path = match key {
            FnKey::Group { path, .. }
            | FnKey::Keyed { path, .. }
            | FnKey::Leaf { path }
            | FnKey::Function { path } => path,
            FnKey::Extent { .. }
            | FnKey::Children { .. }
            | FnKey::Inside { .. }
            | FnKey::Document { .. }
            | FnKey::Query(_) => {
                return Vec::new();
            }
        };
        let start: &Node = &self.tree;
        let node = path.iter().try_fold(start, |node, name| node.children.get(name));
        let rules = node.into_iter().flat_map(|node| &node.rules);
        rules.filter_map(|at| self.unit.rules.get(*at)).collect()
    }
}

impl FnKey {
    /// Unique in a unit.
    fn name(&self) -> String {
        let path = document_name;
        let filter = |filter: &Filter| {
            filter
                .iter()
                .map(|key| match key {
                    Some(key) => format!("[{}]", constant_text(key)),
                    None => "[_]".to_owned(),
                })
                .collect::<String>()
        };
        match self {
            FnKey::Group { path: at, keys } => keys
                .iter()
                .fold(path(at), |name, key| format!("{name}[{}]", constant_text(key))),
            FnKey::Function { path: at } => path(at),
            FnKey::Keyed { path: at, keys } => format!("keyed {}{}", path(at), filter(keys)),
            FnKey::Leaf { path: at } => format!("leaf {}", path(at)),
            FnKey::Extent { path: at, filter: f } => format!("extent {}{}", path(at), filter(f)),
            FnKey::Children {
                path: at,
                filter: f,
                depth,
            } => format!("children {}{} of depth {depth}", path(at), filter(f)),
            FnKey::Inside { path: at } => format!("inside {}", path(at)),
            FnKey::Document { keys, params } => {
                let keys: String = keys
                    .iter()
                    .map(|key| format!("[{}]", constant_text(key)))
                    .collect();
                format!("document data{keys} for {params}")
            }
            FnKey::Query(at) => format!("query {at}"),
        }
    }

    /// The document that `with` replaces when its target is the path or stands above.
    fn document(&self) -> Option<Vec<String>> {
        match self {
            FnKey::Group { path, .. } | FnKey::Extent { path, .. } | FnKey::Leaf { path } => {
                Some(path.clone())
            }
            // Made from the documents of the children, which are replaced one by one.
            FnKey::Children { .. } | FnKey::Inside { .. } | FnKey::Document { .. } | FnKey::Query(_) => None,
            // Never asked for where some `with` replaces the document.
            FnKey::Function { .. } | FnKey::Keyed { .. } => None,
        }
    }
}

impl Body<'_, '_> {
    /// Writes the code of what a key stands for.
    fn compute(&mut self, key: &FnKey, own: &[&Rule], query: Option<&Query>) -> Planned<()> {
        match key {
            FnKey::Group { path, keys } => {
                if self.planner.tree.find(path).map(|node| node.kind) == Some(NodeKind::Complete) {
                    return self.complete(own, &[]);
                }
                let keys: Vec<HeadKey> = keys.iter().cloned().map(HeadKey::Known).collect();
                self.partial(path, &keys)
            }
            FnKey::Keyed { path, keys } => {
                let mut params = (0..).map(Reg);
                let keys: Vec<HeadKey> = keys
                    .iter()
                    .map(|key| match key {
                        Some(key) => HeadKey::Known(key.clone()),
                        None => HeadKey::Param(params.next().unwrap_or(Reg(0))),
                    })
                    .collect();
                self.partial(path, &keys)
            }
            FnKey::Leaf { .. } => {
                let is_leaf = |rule: &&Rule| rule.dynamic.is_empty() && rule.kind == RuleKind::Value;
                let own: Vec<&Rule> = own.iter().copied().filter(is_leaf).collect();
                self.complete(&own, &[])
            }
            FnKey::Function { .. } => {
                let params: Vec<Reg> = (0..self.regs).map(Reg).collect();
                self.complete(own, &params)
            }
            FnKey::Extent { path, filter } => self.extent(path, filter),
            FnKey::Children { path, filter, depth } => self.child_tuples(path, filter, *depth),
            FnKey::Inside { path } => {
                let keys: Vec<Constant> = path.iter().cloned().map(Constant::String).collect();
                self.inside(&keys)
            }
            FnKey::Document { keys, .. } => self.inside(keys),
            FnKey::Query(_) => match query {
                Some(query) => self.query(query),
                None => {
                    self.emit(Inst::RetUndefined);
                    Ok(())
                }
            },
        }
    }

    /// A constant path as a function of its own.
    fn inside(&mut self, keys: &[Constant]) -> Planned<()> {
        let none = self.label();
        let path: Vec<Term> = keys.iter().cloned().map(Term::Const).collect();
        let mut redo = none;
        let value = self.data(&path, &mut redo)?;
        self.emit(Inst::Ret { value, body: NO_BODY });
        self.place(none);
        self.emit(Inst::RetUndefined);
        Ok(())
    }

    /// The array of all solutions, each the array of the bindings' values.
    fn query(&mut self, query: &Query) -> Planned<()> {
        let (all, none) = (self.reg(), self.label());
        self.note(Note::Stmt(query.span));
        self.emit(Inst::New {
            kind: Container::Array,
            dst: all,
        });
        self.note_names(&query.var_names);
        let redo = self.block(&query.block, none)?;
        self.note(Note::Rest);
        let parts = query
            .bindings
            .iter()
            .map(|(_, var)| self.var(*var))
            .collect::<Planned<Vec<Reg>>>()?;
        let solution = self.reg();
        self.emit(Inst::Collect {
            kind: Container::Array,
            dst: solution,
            parts,
        });
        self.emit(Inst::Add {
            kind: Container::Array,
            to: all,
            value: solution,
        });
        self.emit(Inst::Jump(redo));
        self.place(none);
        self.emit(Inst::End {
            kind: Container::Array,
            reg: all,
        });
        self.emit(Inst::Ret {
            value: all,
            body: NO_BODY,
        });
        Ok(())
    }
}

/// A refusal about a function of the plan.
pub(super) fn refusal(function: &Function, message: String) -> Diagnostic {
    match function.span {
        Some(span) => Diagnostic::error(Code::Unsupported, span, message),
        None => Diagnostic::global(Code::Unsupported, message),
    }
}
