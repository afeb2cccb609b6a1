//! Shapes that nest: brackets, comprehensions, calls, bodies in bodies.

use std::fmt::Write as _;

use super::{HEAD, Shape, fill, listed, nest, nest_to};

pub(super) fn nested() -> Vec<Shape> {
    listed! {
        "arrays in arrays" => |n| nest(n, "p := ", "[", "1", "]"),
        "open brackets" => |n| format!("{HEAD}p := {}", "[".repeat(n)),
        "open braces" => |n| format!("{HEAD}p if {}", "{".repeat(n)),
        "open parentheses" => |n| format!("{HEAD}p if {}", "(".repeat(n)),
        "open mixed" => |n| format!("{HEAD}p if {}", "[{(".repeat(n / 3)),
        "open calls" => |n| format!("{HEAD}p if {}", "f(".repeat(n / 2)),
        "closing brackets" => |n| format!("{HEAD}p := {}", "]".repeat(n)),
        "sets in sets" => |n| nest(n, "p := ", "{", "1", "}"),
        "objects in objects" => |n| nest(n, "p := ", "{\"a\":", "1", "}"),
        "objects as keys" => |n| nest(n, "p := ", "{", "1", ":1}"),
        "parentheses" => |n| nest(n, "p := ", "(", "1", ")"),
        "array comprehensions" => |n| nest(n, "p := ", "[1|", "true", "]"),
        "set comprehensions" => |n| nest(n, "p := ", "{1|", "true", "}"),
        "set comprehensions in limits" => |n| nest_to(n, 240, "p := ", "{1|x=", "1", "}"),
        "array comprehensions with a variable" => |n| nest_to(n, 240, "p := ", "[x|x=", "1", "]"),
        "comprehensions in heads" => |n| nest_to(n, 240, "p := ", "[", "1", "|true]"),
        "object comprehensions in limits" => |n| nest_to(n, 240, "p := ", "{x:1|x=", "1", "}"),
        "wide comprehensions" => |n| fill(n, "p := [", "1]", |i| format!("[x{i}|x{i}=input.a[_]],")),
        "comprehensions in one body" => |n| fill(n, "p if {\n", "}\n", |i| format!("y{i}=[x{i}|x{i}=y{}]\n", i + 1)),
        "comprehensions chained backwards" => |n| fill(n, "p if {\ny0=1\n", "}\n", |i| format!("y{}=[x|x=y{i}]\n", i + 1)),
        "nots" => |n| nest(n, "p if { ", "not ", "input.x", ""),
        "not bodies" => |n| format!("package h\nimport rego.v2\np if {{ {}true{} }}\n", "not { ".repeat((n / 9).min(200)), " }".repeat((n / 9).min(200))),
        "deep not bodies" => |n| format!("package h\nimport rego.v2\np if {{ {}true{} }}\n", "not { ".repeat(n / 9), " }".repeat(n / 9)),
        "every in every" => |n| nest_to(n, 240, "p if { ", "every x in [1] { ", "true", " }"),
        "deep every" => |n| nest(n, "p if { ", "every x in [1] { ", "true", " }"),
        "every over outer variables" => |n| {
            let depth = (n / 60).min(240);
            let mut text = format!("{HEAD}p if {{\n");
            for i in 0..depth { let _ = writeln!(text, "every x{i} in [[1]] {{"); }
            for i in 0..depth { let _ = writeln!(text, "x{i} == x{}", (i + 1) % depth); }
            text.push_str(&"}\n".repeat(depth + 1));
            text
        },
        "templates in templates" => |n| nest(n, "p := ", "$\"{", "1", "}\""),
        "brackets in brackets of references" => |n| nest(n, "p := ", "input[", "1", "]"),
        "calls in calls" => |n| nest(n, "p := ", "abs(", "1", ")"),
        "calls in calls in limits" => |n| nest_to(n, 480, "p := ", "abs(", "1", ")"),
        "minus minus" => |n| format!("{HEAD}p := {}1\n", "-".repeat(n)),
        "minus minus apart" => |n| format!("{HEAD}p := {}1\n", "- ".repeat(n / 2)),
    }
}
