package shop

default allow = false

allow {
	input.user == "root"
}

allow {
	role := input.roles[_]
	role == "clerk"
}
