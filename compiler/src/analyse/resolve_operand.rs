//! Names to variables and documents: what stands under `not`, `and`, `or`.

use super::declared::{self, Names};
use super::rename;
use super::resolve::Resolver;
use super::tree::{Callee, Expr, ExprKind, Kind, Operand, With};
use super::vars::{self, EVERYWHERE, Places};
use super::walk::{self, Place, Visit};
use crate::ast::{self, Literal, LiteralKind};

/// What an unbraced operand belongs to.
#[derive(Clone, Copy)]
pub(super) enum OperandOf {
    Not,
    And,
    Or,
}

impl<'a> Resolver<'_, 'a> {
    /// Undeclared names of a statement that its block declared further down mean that declaration, even in an `every`'s
    /// domain: so OPA has it.
    pub(super) fn captured_by_block(&mut self, expr: &mut Expr) {
        rename::in_expr(expr, &self.scopes.renames());
        let mut shadowed = Vec::new();
        walk::expr(expr, &mut |place| {
            if let Place::Term(term) = place
                && let Kind::Call(call) = &term.kind
                && let Callee::Unknown(name) = &call.callee
                && name
                    .split('.')
                    .next()
                    .is_some_and(|first| self.scopes.declared(first).is_some())
            {
                shadowed.push((term.span, format!("called function {name} shadowed")));
            }
        });
        for (span, message) in shadowed {
            self.error(span, message);
        }
    }

    /// Both sides of `and` or `or`. What is a plain statement is looked at last.
    pub(super) fn operands(
        &mut self,
        left: &ast::Operand<'a>,
        right: &ast::Operand<'a>,
        of: OperandOf,
    ) -> (Operand, Operand) {
        let before = self.errors.len();
        let pair = if is_plain(left) && !is_plain(right) {
            let right = self.operand(right, of);
            (self.operand(left, of), right)
        } else {
            (self.operand(left, of), self.operand(right, of))
        };
        if self.errors.len() == before {
            self.see_operands([&pair.0, &pair.1]);
        }
        pair
    }

    /// The undeclared names of operands count as used in the block around.
    fn see_operands(&mut self, operands: [&Operand; 2]) {
        let places = Places {
            no_comprehensions: true,
            ..EVERYWHERE
        };
        let found = vars::collect(places, |vars| {
            operands.iter().for_each(|operand| vars.visit_body(&operand.body));
        });
        for var in found {
            self.scopes.see(&mut self.vars, var);
        }
    }

    pub(super) fn not(&mut self, literal: &Literal<'a>, operand: &ast::Operand<'a>) -> Option<Expr> {
        if self.dialect.new_not {
            if let ast::Operand::Braced(body) = operand {
                self.scopes.push();
                let body = self.body(body, &Names::new());
                let mut expr = self.finish(literal, ExprKind::Not(Operand { body, braced: true }));
                self.captured_by_block(&mut expr);
                self.scopes.pop();
                return Some(expr);
            }
            let operand = self.operand(operand, OperandOf::Not);
            return Some(self.finish(literal, ExprKind::Not(operand)));
        }
        let inner = match operand {
            ast::Operand::Implicit(inner) => inner,
            ast::Operand::Braced(body) => {
                self.error(
                    body.span,
                    "body not allowed behind `not` without `import future.keywords.not`",
                );
                return None;
            }
        };
        if matches!(declared::literal_kind(inner), LiteralKind::Assign(..)) {
            self.error(literal.span, "cannot assign vars inside negated expression");
            return None;
        }
        let mut expr = self.literal(inner)?;
        let outer: Vec<With> = literal.with.iter().map(|with| self.with(with)).collect();
        expr.with.extend(outer);
        expr.span = literal.span;
        expr.negated = true;
        Some(expr)
    }

    fn operand(&mut self, operand: &ast::Operand<'a>, of: OperandOf) -> Operand {
        match operand {
            ast::Operand::Braced(body) => Operand {
                body: self.block(body),
                braced: true,
            },
            ast::Operand::Implicit(literal) => {
                if matches!(declared::literal_kind(literal), LiteralKind::Assign(..)) {
                    let message = match of {
                        OperandOf::Not => "cannot assign vars inside negated expression",
                        OperandOf::And => "cannot assign vars inside implicit and operand",
                        OperandOf::Or => "cannot assign vars inside implicit or operand",
                    };
                    self.error(literal.span, message);
                }
                Operand {
                    body: vec![self.plain(literal)],
                    braced: false,
                }
            }
        }
    }
}

/// An operand that is one statement without operands of its own.
fn is_plain(operand: &ast::Operand<'_>) -> bool {
    match operand {
        ast::Operand::Braced(_) => false,
        ast::Operand::Implicit(literal) => !matches!(
            literal.kind,
            LiteralKind::Not(_) | LiteralKind::And(..) | LiteralKind::Or(..)
        ),
    }
}
