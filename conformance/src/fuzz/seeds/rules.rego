package authz.app["x"]

import data.lib.util as u
import input.request

default allow := false

allow if {
	some role in input.roles
	role.name == "admin"; not u.blocked(role)
	every p in role.permissions { startswith(p, "read:") }
}

level(x) := 1 if x < 10 else := 2 if { x < 100 } else := 3

names contains upper(n) if some n in input.names
by[k].deep[v] := {"k": k, "v": [v, {1, 2}]} if some k, v in input.map
total := sum([x | x := input.xs[_]; x > 1.5e2]) with input.xs as [1, 2]
text := $"{total} of {count(names)}"
raw := `a\b` 
pair := [a, b] if [a, b] = input.pair
