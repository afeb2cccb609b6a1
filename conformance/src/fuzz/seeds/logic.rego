package p

import future.keywords.and
import future.keywords.not
import future.keywords.or

r if {
	not { input.a; input.b }
	(input.x == 1) or { some y in input.ys; y > 2 }
	{ input.z } and not input.w
	input.c | {1} == {1} with data.q as {"r": set()}
}

# METADATA
# title: t
# entrypoint: true
f({"a": [x, _]}, "k") = x { true }
