package authz

import data.names

default allow := false

allow if input.user == names.owner

level := 2 if input.role == "admin"

roles contains role if some role in input.roles

by_name[user.name] := user.age if some user in input.users

settings.limits.day := 10

settings.limits.night := 2 * input.factor

table := [{"a": 1}, {"b": [true, null, "<&>"]}]

odd["a b/c"] := "found"

echo := input

has_input if input

twice := input.first

twice := input.second

double(x) := x * 2

failing := 1 / input.by
