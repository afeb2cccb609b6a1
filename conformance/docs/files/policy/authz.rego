package authz

default allow = false

allow {
	input.principal.sub == data.names.owner
}
