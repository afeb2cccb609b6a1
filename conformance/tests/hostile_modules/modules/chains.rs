//! Shapes that chain: operators, references, rules that need the next one.

use super::{HEAD, Shape, fill, listed};

pub(super) fn chains() -> Vec<Shape> {
    listed! {
        "sum" => |n| fill(n, "p := 1", "\n", |_| "+1".to_owned()),
        "sum of input" => |n| fill(n, "p := input.a", "\n", |_| "+input.a".to_owned()),
        "sum in limits" => |n| format!("{HEAD}p := 1{}\n", "+input.a".repeat((n / 8).min(490))),
        "sums in limits" => |n| fill(n, "", "", |_| format!("p := 1{}\n", "+input.a".repeat(490))),
        "union" => |n| fill(n, "p := a", "\n", |_| "|a".to_owned()),
        "intersection" => |n| fill(n, "p := {1}", "\n", |_| "&{1}".to_owned()),
        "equal equal" => |n| fill(n, "p if { x == x", " }\n", |_| " == x".to_owned()),
        "unify unify" => |n| fill(n, "p if { x = x", " }\n", |_| " = x".to_owned()),
        "in in" => |n| fill(n, "p if { 1 in []", " }\n", |_| " in []".to_owned()),
        "and and" => |n| format!("package h\nimport rego.v2\np if true{}\n", " and true".repeat(n / 9)),
        "or or" => |n| format!("package h\nimport rego.v2\np if true{}\n", " or true".repeat(n / 8)),
        "and or in limits" => |n| format!("package h\nimport rego.v2\np if true{}\n", " and input.x or input.y".repeat((n / 22).min(240))),
        "deep reference" => |n| fill(n, "p := input", "\n", |i| format!(".a{i}")),
        "deep data reference" => |n| fill(n, "p := data", "\n", |i| format!(".a{i}")),
        "deep rule reference" => |n| fill(n, "p", " := 1\n", |i| format!(".a{i}")),
        "deep package" => |n| format!("package a{}\np := 1\n", ".a".repeat(n / 2)),
        "deep import" => |n| format!("{HEAD}import data.a{}\np := 1\n", ".a".repeat(n / 2)),
        "bracket reference" => |n| fill(n, "p := input", "\n", |_| "[_]".to_owned()),
        "bracket data reference" => |n| fill(n, "p := data", "\n", |_| "[_]".to_owned()),
        "data references with brackets" => |n| fill(n, "p if {\n", "}\n", |i| format!("data.h[x{i}]\n")),
        "data references to all" => |n| fill(n, "", "", |i| format!("p{i} if data.q[x]\n")),
        "else chain" => |n| fill(n, "p := 0 if input.x == 0\n", "", |i| format!("else := {i} if input.x == {i}\n")),
        "else chain of trues" => |n| fill(n, "p := 0 if false", "\n", |_| " else := 1".to_owned()),
        "chained rules" => |n| fill(n, "", "", |i| format!("r{i} if r{}\n", i + 1)),
        "chained functions" => |n| fill(n, "f0(x) := x\n", "", |i| format!("f{}(x) := f{i}(x)\n", i + 1)),
        "doubling functions" => |n| fill(n, "f0(x) := x\n", "p := f40(1)\n", |i| format!("f{}(x) := f{i}(x) + f{i}(x)\n", i + 1)),
        "doubling rules" => |n| fill(n, "r0 := [1]\n", "", |i| format!("r{} := [r{i}, r{i}]\n", i + 1)),
        "doubling rules in bodies" => |n| fill(n, "r0 := [1] if input\n", "", |i| format!("r{} := [x, x] if x := r{i}\n", i + 1)),
        "doubling types" => |n| fill(n, "p if {\nx0 := [input]\n", "}\n", |i| format!("x{} := [x{i}, x{i}]\n", i + 1)),
        "doubling constants" => |n| fill(n, "p if {\nx0 := [1]\n", "}\n", |i| format!("x{} := [x{i}, x{i}]\n", i + 1)),
        "doubling constants in the result" => |n| fill(n, "p := x40 if {\nx0 := [1]\n", "}\n", |i| format!("x{} := [x{i}, x{i}]\n", i + 1)),
        "widening constants" => |n| fill(n, "p := x40 if {\nx0 := [1]\nx1 := [x0, x0, x0, x0, x0, x0, x0]\nx2 := [x1, x1, x1, x1, x1, x1, x1]\n", "}\n", |i| format!("x{} := [x2, x2, x2, x2, x2]\n", i + 3)),
        "fields of a big constant" => |n| fill(n / 2, "m := {\"a\": {", "}}\n", |i| format!("\"{i}\":1,")) + &fill(n / 2, "", "", |i| format!("q{i} := m.a\n")).replace(HEAD, ""),
        "constants of a big constant" => |n| fill(n / 2, "m := {\"a\": {", "}}\n", |i| format!("\"{i}\":1,")) + &fill(n / 2, "p if {\n", "}\n", |i| format!("x{i} := m\n")).replace(HEAD, ""),
        "big constants returned" => |n| fill(n / 2, "f(x) := {\"a\": {", "}}\n", |i| format!("\"{i}\":1,")) + &fill(n / 2, "", "", |i| format!("q{i} := f({i})\n")).replace(HEAD, ""),
        "cycle" => |n| {
            let text = fill(n, "", "", |i| format!("r{i} if r{}\n", i + 1));
            let last = text.lines().count().saturating_sub(4);
            format!("{text}r{last} if r0\n")
        },
        "cycle of functions" => |n| {
            let text = fill(n, "", "", |i| format!("f{i}(x) if f{}(x)\n", i + 1));
            let last = text.lines().count().saturating_sub(4);
            format!("{text}f{last}(x) if f0(x)\n")
        },
    }
}
