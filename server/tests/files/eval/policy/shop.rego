package shop

default allow = false

allow {
	input.user == data.a.b.owner
}

allow {
	role := input.roles[_]
	role == "clerk"
	not closed(input.hour)
}

closed(hour) {
	hour > 18
}

big[x] {
	x := data.a.sizes[_]
	x > 2
}

number := to_number(input.user)

conflict = 1 {
	input.user
}

conflict = 2 {
	input.user
}
