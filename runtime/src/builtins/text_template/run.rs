//! Carries out a template: text and actions in order, pipelines, fields, variables.

use super::items;
use super::node::{Branch, Function, Node, Operand, Pipe, Templates};
use super::parse::ROOT;
use super::print;
use super::value::Val;
use crate::arena::Arena;
use crate::builtins::output::Text;
use crate::builtins::{Call, Failure};
use crate::error::EvalErrorKind;
use crate::value::{Entry, Value};

/// Actions, templates and parentheses inside of each other; a level costs below 2 KiB of stack.
const DEPTH_MAX: usize = 200;

/// How a list of actions ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

/// A run.
pub(super) struct Runner<'t, 'c, 'r> {
    pub(super) call: &'t mut Call<'c, 'r>,
    templates: &'t Templates<'r>,
    out: Text<'r>,
    variables: Vec<(&'r str, Val<'r>)>,
    depth: usize,
}

/// The text that the templates make of a document.
pub(super) fn run<'t, 'r>(
    call: &'t mut Call<'_, 'r>,
    templates: &'t Templates<'r>,
    document: Value<'r>,
) -> Result<&'r str, Failure> {
    let arena = call.arena;
    let dot = Val::of(arena, document)?;
    let root = templates.get(ROOT).ok_or(Failure::BUILTIN)?;
    let mut runner = Runner {
        call,
        templates,
        out: Text::new(arena),
        variables: vec![("$", dot)],
        depth: 0,
    };
    runner.list(root, dot)?;
    runner.out.finish()
}

impl<'t, 'r> Runner<'t, '_, 'r> {
    pub(super) fn arena(&self) -> &'r Arena {
        self.call.arena
    }

    fn deeper<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T, Failure>) -> Result<T, Failure> {
        self.call.charge(1)?;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Failure::Abort(EvalErrorKind::DepthExceeded));
        }
        let result = run(self);
        self.depth -= 1;
        result
    }

    fn list(&mut self, list: &'t [Node<'r>], dot: Val<'r>) -> Result<Flow, Failure> {
        self.deeper(|runner| {
            for node in list {
                let flow = runner.node(node, dot)?;
                if flow != Flow::Next {
                    return Ok(flow);
                }
            }
            Ok(Flow::Next)
        })
    }

    fn node(&mut self, node: &'t Node<'r>, dot: Val<'r>) -> Result<Flow, Failure> {
        self.call.charge(1)?;
        match node {
            Node::Text(text) => {
                self.call.charge(text.len() / 8)?;
                self.out.push_str(text)?;
            }
            Node::Action(pipe) => {
                let value = self.pipe(pipe, dot)?;
                if pipe.variables.is_empty() {
                    print::plain(&mut self.out, self.call, value)?;
                }
            }
            Node::If(branch) => return self.scoped(|runner| runner.choose(branch, dot, false)),
            Node::With(branch) => return self.scoped(|runner| runner.choose(branch, dot, true)),
            Node::Range(branch) => return self.scoped(|runner| runner.range(branch, dot)),
            Node::Template(name, pipe) => self.template(name, pipe.as_ref(), dot)?,
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    /// Variables declared meanwhile are gone afterwards.
    fn scoped<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T, Failure>) -> Result<T, Failure> {
        let known = self.variables.len();
        let result = run(self);
        self.variables.truncate(known);
        result
    }

    fn choose(&mut self, branch: &'t Branch<'r>, dot: Val<'r>, sets_dot: bool) -> Result<Flow, Failure> {
        let value = self.pipe(&branch.pipe, dot)?;
        match (value.is_true(), sets_dot) {
            (true, true) => self.list(&branch.list, value),
            (true, false) => self.list(&branch.list, dot),
            (false, _) => self.list(&branch.otherwise, dot),
        }
    }

    fn range(&mut self, branch: &'t Branch<'r>, dot: Val<'r>) -> Result<Flow, Failure> {
        let over = self.pipe(&branch.pipe, dot)?;
        let count = match over {
            Val::Nothing | Val::Null => 0,
            Val::Int(_) | Val::Byte(_) if branch.pipe.variables.len() > 1 => return Err(Failure::BUILTIN),
            Val::Int(int) => usize::try_from(int).unwrap_or(0),
            Val::Byte(byte) => byte.into(),
            Val::List(list) => list.len,
            Val::Map(entries) => entries.len(),
            Val::Bool(_) | Val::Float(_) | Val::Text(_) | Val::Number(_) => return Err(Failure::BUILTIN),
        };
        for at in 0..count {
            let (index, element) = self.element(over, at)?;
            self.take_element(&branch.pipe, index, element)?;
            let flow = self.scoped(|runner| runner.list(&branch.list, element))?;
            if flow == Flow::Break {
                break;
            }
        }
        if count == 0 {
            return self.list(&branch.otherwise, dot);
        }
        Ok(Flow::Next)
    }

    /// Key and value of one round.
    fn element(&self, over: Val<'r>, at: usize) -> Result<(Val<'r>, Val<'r>), Failure> {
        let position = i64::try_from(at).unwrap_or(i64::MAX);
        Ok(match over {
            Val::List(list) => (Val::Int(position), list.get(self.arena(), at)?),
            Val::Map(entries) => {
                let Entry { key, value } = entries.get(at).ok_or(Failure::BUILTIN)?;
                let key = Val::Text(key.as_str().unwrap_or_default());
                (key, Val::of(self.arena(), *value)?)
            }
            Val::Byte(_) => (Val::Nothing, Val::Byte(u8::try_from(at).unwrap_or(u8::MAX))),
            _ => (Val::Nothing, Val::Int(position)),
        })
    }

    /// Gives a round's element and key to the variables of the `range`.
    fn take_element(&mut self, pipe: &Pipe<'r>, index: Val<'r>, element: Val<'r>) -> Result<(), Failure> {
        let values: &[Val<'r>] = match pipe.variables.len() {
            0 => &[],
            1 => &[element],
            _ => &[index, element],
        };
        let declared = self.variables.len() - pipe.variables.len().min(self.variables.len());
        for (at, (name, value)) in pipe.variables.iter().zip(values).enumerate() {
            if pipe.is_assignment {
                self.assign(name, *value)?;
            } else if let Some((_, variable)) = self.variables.get_mut(declared + at) {
                *variable = *value;
            }
        }
        Ok(())
    }

    fn template(&mut self, name: &str, pipe: Option<&'t Pipe<'r>>, dot: Val<'r>) -> Result<(), Failure> {
        let list = self.templates.get(name).ok_or(Failure::BUILTIN)?;
        let dot = match pipe {
            Some(pipe) => self.pipe(pipe, dot)?,
            None => Val::Nothing,
        };
        // Templates see no variables of their callers.
        let variables = std::mem::replace(&mut self.variables, vec![("$", dot)]);
        self.list(list, dot)?;
        self.variables = variables;
        Ok(())
    }

    /// The value of a pipeline; its variables get it.
    fn pipe(&mut self, pipe: &'t Pipe<'r>, dot: Val<'r>) -> Result<Val<'r>, Failure> {
        self.deeper(|runner| {
            let mut last = None;
            for command in &pipe.commands {
                last = Some(runner.command(command, dot, last)?.settled());
            }
            let value = last.unwrap_or(Val::Nothing);
            for name in &pipe.variables {
                if pipe.is_assignment {
                    runner.assign(name, value)?;
                } else {
                    runner.variables.push((name, value));
                }
            }
            Ok(value)
        })
    }

    fn assign(&mut self, name: &str, value: Val<'r>) -> Result<(), Failure> {
        let known = self.variables.iter_mut().rev().find(|(known, _)| *known == name);
        known.ok_or(Failure::BUILTIN)?.1 = value;
        Ok(())
    }

    /// `last`: the result of the command before.
    fn command(
        &mut self,
        command: &'t [Operand<'r>],
        dot: Val<'r>,
        last: Option<Val<'r>>,
    ) -> Result<Val<'r>, Failure> {
        let (first, args) = command.split_first().ok_or(Failure::BUILTIN)?;
        let has_args = !args.is_empty() || last.is_some();
        match first {
            Operand::Function(function) => self.function(*function, args, dot, last),
            Operand::Field(names) => fields(self.arena(), dot, names, has_args),
            Operand::Variable(name, names) if !names.is_empty() => {
                let value = self.variable(name)?;
                fields(self.arena(), value, names, has_args)
            }
            Operand::Chain(of, names) => {
                let value = self.operand(of, dot)?;
                fields(self.arena(), value, names, has_args)
            }
            Operand::Nil => Err(Failure::BUILTIN),
            _ if has_args => Err(Failure::BUILTIN),
            _ => self.operand(first, dot),
        }
    }

    fn variable(&self, name: &str) -> Result<Val<'r>, Failure> {
        let known = self.variables.iter().rev().find(|(known, _)| *known == name);
        known.map(|(_, value)| *value).ok_or(Failure::BUILTIN)
    }

    /// The value of a word.
    pub(super) fn operand(&mut self, operand: &'t Operand<'r>, dot: Val<'r>) -> Result<Val<'r>, Failure> {
        match operand {
            Operand::Dot => Ok(dot),
            Operand::Nil => Ok(Val::Null),
            Operand::Bool(value) => Ok(Val::Bool(*value)),
            Operand::Int(int) => Ok(Val::Int(*int)),
            Operand::Float(float) => Ok(Val::Float(*float)),
            Operand::Huge => Err(Failure::BUILTIN),
            Operand::Text(text) => Ok(Val::Text(self.arena().text(text)?)),
            Operand::Field(names) => fields(self.arena(), dot, names, false),
            Operand::Variable(name, names) => {
                let value = self.variable(name)?;
                fields(self.arena(), value, names, false)
            }
            Operand::Function(function) => self.function(*function, &[], dot, None),
            Operand::Pipe(pipe) => self.pipe(pipe, dot),
            // Nothing has fields that a parenthesis around nil gives.
            Operand::Chain(of, names) => {
                let value = self.operand(of, dot)?;
                fields(self.arena(), value, names, false)
            }
        }
    }

    fn function(
        &mut self,
        function: Function,
        args: &'t [Operand<'r>],
        dot: Val<'r>,
        last: Option<Val<'r>>,
    ) -> Result<Val<'r>, Failure> {
        if matches!(function, Function::And | Function::Or) {
            return self.and_or(function == Function::Or, args, dot, last);
        }
        let mut values = Vec::with_capacity(args.len() + 1);
        for arg in args {
            values.push(self.operand(arg, dot)?);
        }
        values.extend(last);
        self.apply(function, &values)
    }

    /// The first argument that decides, or the last one.
    fn and_or(
        &mut self,
        decides: bool,
        args: &'t [Operand<'r>],
        dot: Val<'r>,
        last: Option<Val<'r>>,
    ) -> Result<Val<'r>, Failure> {
        let mut value = None;
        for arg in args {
            let found = self.operand(arg, dot)?;
            if found.is_true() == decides {
                return Ok(found);
            }
            value = Some(found);
        }
        last.or(value).ok_or(Failure::BUILTIN)
    }
}

/// Follows fields. Nothing has only fields that are nothing; null has none.
fn fields<'r>(arena: &'r Arena, from: Val<'r>, names: &[&str], has_args: bool) -> Result<Val<'r>, Failure> {
    let mut value = from;
    for (at, name) in names.iter().enumerate() {
        value = match value {
            Val::Nothing => Val::Nothing,
            Val::Map(_) if has_args && at + 1 == names.len() => return Err(Failure::BUILTIN),
            Val::Map(entries) => match items::member(entries, name) {
                Some(member) => Val::of(arena, member)?,
                None => Val::Nothing,
            },
            _ => return Err(Failure::BUILTIN),
        };
    }
    Ok(value)
}
