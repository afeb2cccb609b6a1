package old

import data.x.y

p[x] { x := y[_]; x != null }
q[k] = v { v := input[k] }
r = 1 { true } else = 2 { false } { input.a } 
s { t[_].u["v w"] == -1 }
t = {"a": {x | x = 1}, "b": [1, "\u00e9\n"], "c": {}} 
