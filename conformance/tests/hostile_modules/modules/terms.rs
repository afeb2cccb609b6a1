//! Shapes with one large term.

use super::{Shape, fill, listed};

pub(super) fn terms() -> Vec<Shape> {
    listed! {
        "array of numbers" => |n| fill(n, "p := [", "1]\n", |i| format!("{i},")),
        "set of numbers" => |n| fill(n, "p := {", "1}\n", |i| format!("{i},")),
        "set of strings" => |n| fill(n, "p := {", "1}\n", |i| format!("\"{i}\",")),
        "set of variables" => |n| fill(n, "p := {", "1}\n", |i| format!("x{i},")),
        "set of references" => |n| fill(n, "p := {", "1}\n", |i| format!("input.a{i},")),
        "array of references" => |n| fill(n, "p := [", "1]\n", |i| format!("input.a{i},")),
        "array of same references" => |n| fill(n, "p := [", "1]\n", |_| "input.a,".to_owned()),
        "array of mixed" => |n| fill(n, "p := [", "1]\n", |i| format!("{{\"a{i}\":[{i}]}},")),
        "set of objects" => |n| fill(n, "p := {", "1}\n", |i| format!("{{\"a{i}\":[{i}]}},")),
        "object with many keys" => |n| fill(n, "p := {", "}\n", |i| format!("{i}:1,")),
        "object with string keys" => |n| fill(n, "p := {", "}\n", |i| format!("\"{i}\":1,")),
        "object with variable keys" => |n| fill(n, "p := {", "}\n", |i| format!("x{i}:1,")),
        "object with reference values" => |n| fill(n, "p := {", "}\n", |i| format!("\"{i}\":input.a{i},")),
        "object with same keys" => |n| fill(n, "p := {", "}\n", |i| format!("\"a\":{i},")),
        "set of calls" => |n| fill(n, "p := {", "1}\n", |i| format!("abs({i}),")),
        "set of comprehensions" => |n| fill(n, "p := {", "1}\n", |i| format!("{{y|y={i}}},")),
        "call with comprehensions" => |n| fill(n, "p := array.concat([", "1], [])\n", |i| format!("{{y|y={i}}},")),
        "sets in a set" => |n| fill(n, "p := {", "1}\n", |i| format!("{{{i}}},")),
        "big member test" => |n| fill(n, "p if input.x in {", "1}\n", |i| format!("{i},")),
        "big object look-up" => |n| fill(n, "m := {", "}\np := m[input.x]\n", |i| format!("\"{i}\":{i},")),
        "key and member of big object" => |n| fill(n, "p if { m := {", "}; some k, v in m; v == input.x; k }\n", |i| format!("\"{i}\":{i},")),
        "enumerated constants" => |n| fill(n, "p contains x if { some x in [", "1] }\n", |i| format!("{i},")),
        "data by known values" => |n| fill(n, "p if { k = [", "1][_]; data.q[k] }\n", |i| format!("\"{i}\",")),
    }
}
