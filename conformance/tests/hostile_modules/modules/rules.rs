//! Shapes with many rules: of one name, of many, with many errors.

use std::fmt::Write as _;

use super::{HEAD, Shape, fill, listed};

pub(super) fn rules() -> Vec<Shape> {
    listed! {
        "rules of one name" => |n| fill(n, "", "", |i| format!("p if input.x == {i}\n")),
        "values of one name" => |n| fill(n, "", "", |i| format!("p := {i} if input.x == {i}\n")),
        "constants of one name" => |n| fill(n, "", "", |i| format!("p := {i}\n")),
        "same constants of one name" => |n| fill(n, "", "", |_| "p := 1\n".to_owned()),
        "clauses of one function" => |n| fill(n, "", "", |i| format!("f({i}) := {i}\n")),
        "clauses with variables" => |n| fill(n, "", "", |i| format!("f(x) := {i} if x == {i}\n")),
        "clauses with patterns" => |n| fill(n, "", "", |i| format!("f([x, {i}]) := x\n")),
        "clauses of two arguments" => |n| fill(n, "", "p := f(1, 2)\n", |i| format!("f({i}, x) := x\n")),
        "function with many parameters" => |n| fill(n, "f(x", ") := 1\n", |i| format!(",x{i}")),
        "call with many arguments" => |n| fill(n, "f(x) := 1\np := f(x", ")\n", |i| format!(",{i}")),
        "members of one set" => |n| fill(n, "", "", |i| format!("s contains {i}\n")),
        "members of one set with bodies" => |n| fill(n, "", "", |i| format!("s contains {i} if input.x\n")),
        "keys of one object" => |n| fill(n, "", "", |i| format!("o[{i}] := 1\n")),
        "dotted keys" => |n| fill(n, "", "", |i| format!("o.a{i} := 1\n")),
        "variable keys" => |n| fill(n, "", "", |i| format!("o[x].a{i} := 1 if x := input.y\n")),
        "heads of many lengths" => |n| {
            let mut text = HEAD.to_owned();
            let mut head = String::from("o");
            for i in 0.. {
                let _ = write!(head, "[x{i}]");
                let line = format!("{head} := 1 if input.z\n");
                if text.len() + line.len() > n { break; }
                text.push_str(&line);
            }
            text
        },
        "ground heads of many lengths" => |n| {
            let mut text = HEAD.to_owned();
            let mut head = String::from("o");
            for i in 0.. {
                let _ = write!(head, ".a{i}");
                let line = format!("{head}.v := 1\n");
                if text.len() + line.len() > n { break; }
                text.push_str(&line);
            }
            text
        },
        "sets under heads" => |n| fill(n, "", "", |i| format!("o.a{i} contains x if x := input.y\n")),
        "default functions" => |n| fill(n, "", "", |i| format!("default f{i}(_) := 1\n")),
        "defaults" => |n| fill(n, "", "", |i| format!("default p{i} := 1\n")),
        "defaults of one name" => |n| fill(n, "", "", |_| "default p := 1\n".to_owned()),
        "rules and references" => |n| {
            let count = (n / 12).isqrt().max(1);
            let mut text = HEAD.to_owned();
            for i in 0..count {
                let _ = writeln!(text, "r{i} if {{");
                for j in i + 1..count { let _ = writeln!(text, "r{j}"); }
                text.push_str("true\n}\n");
                if text.len() > n { break; }
            }
            text
        },
        "mutual recursion" => |n| {
            let count = (n / 6).isqrt().max(1);
            let mut text = HEAD.to_owned();
            for i in 0..count {
                let _ = writeln!(text, "r{i} if {{");
                for j in 0..count { let _ = writeln!(text, "r{j}"); }
                text.push_str("}\n");
                if text.len() > n { break; }
            }
            text
        },
        "one reference of each" => |n| fill(n, "", "", |i| format!("r{i} := data.h\n")),
        "partial reads of package" => |n| fill(n, "q[x] := 1 if x := input.y\n", "", |i| format!("r{i} if q[input.z{i}]\n")),
        "imports" => |n| fill(n, "", "p := 1\n", |i| format!("import data.a{i}\n")),
        "same imports" => |n| fill(n, "", "p := 1\n", |_| "import data.a\n".to_owned()),
        "used imports" => |n| fill(n / 2, "", "", |i| format!("import data.a{i}\n")) + &fill(n / 2, "p if {\n", "}\n", |i| format!("a{i}\n")).replace(HEAD, ""),
        "packages" => |n| fill(n, "", "", |i| format!("package a{i}\n")),
        "unused variables" => |n| fill(n, "p if {\n", "}\n", |i| format!("x{i} := 1\n")),
        "errors" => |n| fill(n, "", "", |i| format!("p{i} if x{i}\n")),
        "syntax errors" => |n| fill(n, "", "", |i| format!("p{i} if := )\n")),
        "unknown functions" => |n| fill(n, "", "", |i| format!("p{i} if f{i}(1)\n")),
        "type errors" => |n| fill(n, "", "", |i| format!("p{i} if 1 == \"a\"\n")),
        "conflicts" => |n| fill(n, "", "", |i| format!("p{i} := 1\np{i} contains 1\n")),
        "rules on one line" => |n| fill(n, "", "", |i| format!("p{i} := x; ")),
        "rules on one long line" => |n| fill(n, "p if { 1 == 1 ", "}\n", |_| "; 1 == 1 ".to_owned()),
    }
}
