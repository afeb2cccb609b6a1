//! Shapes with one long body: variables to put in order, patterns, `with` modifiers.

use std::fmt::Write as _;

use super::{HEAD, Shape, fill, listed};

pub(super) fn bodies() -> Vec<Shape> {
    listed! {
        "variables forwards" => |n| fill(n, "p if {\nx0 = 1\n", "}\n", |i| format!("x{} = x{i}\n", i + 1)),
        "variables backwards" => |n| {
            let count = n / 14;
            let mut text = format!("{HEAD}p if {{\n");
            for i in (0..count).rev() { let _ = writeln!(text, "x{} = x{i}", i + 1); }
            text.push_str("x0 = 1\n}\n");
            text
        },
        "sums backwards" => |n| {
            let count = n / 16;
            let mut text = format!("{HEAD}p if {{\n");
            for i in (0..count).rev() { let _ = writeln!(text, "x{} = x{i} + 1", i + 1); }
            text.push_str("x0 = 1\n}\n");
            text
        },
        "assignments" => |n| fill(n, "p if {\n", "}\n", |i| format!("x{i} := {i}\n")),
        "assignments of input" => |n| fill(n, "p if {\n", "}\n", |i| format!("x{i} := input.a{i}\n")),
        "declarations" => |n| fill(n, "p if {\n", "}\n", |i| format!("some x{i} in input.a\n")),
        "some names" => |n| fill(n, "p if {\nsome x", "\ninput[x]\n}\n", |i| format!(", x{i}")),
        "tests" => |n| fill(n, "p if {\n", "}\n", |i| format!("input.a{i} == {i}\n")),
        "same tests" => |n| fill(n, "p if {\n", "}\n", |_| "input.a == 1\n".to_owned()),
        "calls in a body" => |n| fill(n, "p if {\n", "}\n", |i| format!("f{i} := count(input.a)\n")),
        "nots in a body" => |n| fill(n, "p if {\nx := 1\n", "}\n", |_| "not x == 2\n".to_owned()),
        "nots over variables" => |n| fill(n, "p if {\n", "}\n", |i| format!("x{i} := input.a\nnot x{i} == 2\n")),
        "comprehension over variables" => |n| fill(n, "p if {\n", "}\n", |i| format!("x{i} := input.a\ny{i} := [z|z:=x{i}]\n")),
        "unsafe variables" => |n| fill(n, "p if {\n", "}\n", |i| format!("x{i} == x{}\n", i + 1)),
        "unsafe closures" => |n| fill(n, "p if {\n", "}\n", |i| format!("y{i} = [1|x{i} == y{}]\n", i + 1)),
        "or in one body" => |n| format!("package h\nimport rego.v2\np if {{\n{}}}\n", "{ input.a } or { input.b }\n".repeat(n / 27)),
        "with on one literal" => |n| fill(n, "p if input.a", "\n", |i| format!(" with input.a{i} as {i}")),
        "same with on one literal" => |n| fill(n, "p if input.a", "\n", |i| format!(" with input.a as {i}")),
        "with of input on one literal" => |n| fill(n, "p if input.a", "\n", |i| format!(" with input.a as input.b{i}")),
        "with on calls" => |n| format!("{HEAD}p if count([{}]) == 1{}\n", vec!["count(input.a)"; n / 40].join(","), " with input.a as [1]".repeat(n / 50)),
        "with on each" => |n| fill(n, "q if input.a\np if {\n", "}\n", |i| format!("q with input.a as {i}\n")),
        "with data on each" => |n| fill(n, "q if data.a\np if {\n", "}\n", |i| format!("q with data.a{i} as {i}\n")),
        "with function on each" => |n| fill(n, "q if count(input) > 1\np if {\n", "}\n", |i| format!("q with count as {i}\n")),
        "with on rules" => |n| fill(n, "r0 if input.a\n", "", |i| format!("r{} if r{i} with input.a as {i}\n", i + 1)),
        "with functions on rules" => |n| fill(n, "r0 if count(input.a)\n", "", |i| format!("r{} if r{i} with count as {i}\n", i + 1)),
        "with functions in a matrix" => |n| {
            let names = ["count", "sum", "max", "min", "abs", "round", "ceil", "floor", "lower", "upper", "trim_space", "sort", "json.marshal"];
            let mut text = format!("{HEAD}r0 if {{\n");
            for name in names { let _ = writeln!(text, "{name}(input.a)"); }
            text.push_str("}\n");
            for i in 0.. {
                let line = format!("r{} if {{ r{i} with {} as {i}; r{i} }}\n", i + 1, names.get(i % names.len()).copied().unwrap_or_default());
                if text.len() + line.len() > n { break; }
                text.push_str(&line);
            }
            text
        },
        "one with for many rules" => |n| fill(n, "p if r0 with input.x as 1\n", "", |i| format!("r{i} if {{ input.x; r{} }}\n", i + 1)),
        "arrays unified" => |n| {
            let one = (n / 2).saturating_sub(40);
            let left: String = (0..one / 6).map(|i| format!("x{i},")).collect();
            let right: String = (0..one / 6).map(|i| format!("y{i},")).collect();
            format!("{HEAD}p if {{ [{left}1] = [{right}1] }}\n")
        },
        "arrays unified crosswise" => |n| {
            let count = n / 16;
            let left: String = (0..count).map(|i| format!("x{i},")).collect();
            let right: String = (0..count).map(|i| format!("x{},", (i + 1) % count.max(1))).collect();
            format!("{HEAD}p if {{ [{left}1] = [{right}x0]; x0 = 1 }}\n")
        },
        "array unified with input" => |n| fill(n, "p if { [", "_] = input.a }\n", |i| format!("x{i},")),
        "array unified with constants" => |n| {
            let count = n / 12;
            let left: String = (0..count).map(|i| format!("x{i},")).collect();
            let right: String = (0..count).map(|i| format!("{i},")).collect();
            format!("{HEAD}p if {{ [{left}1] = [{right}1] }}\n")
        },
        "objects unified" => |n| {
            let count = n / 28;
            let left: String = (0..count).map(|i| format!("\"k{i}\":x{i},")).collect();
            let right: String = (0..count).map(|i| format!("\"k{i}\":{i},")).collect();
            format!("{HEAD}p if {{ {{{left}}} = {{{right}}} }}\n")
        },
        "objects unified with variables" => |n| {
            let count = n / 28;
            let left: String = (0..count).map(|i| format!("\"k{i}\":x{i},")).collect();
            let right: String = (0..count).rev().map(|i| format!("\"k{i}\":y{i},")).collect();
            format!("{HEAD}p if {{ {{{left}}} = {{{right}}} }}\n")
        },
        "collections waiting" => |n| fill(n, "p if {\n", "}\n", |i| format!("x{i} = [x{}, 1]\n", i + 1)),
        "walks" => |n| fill(n, "p if {\n", "}\n", |i| format!("walk(input, [a{i}, b{i}])\n")),
    }
}
