package authz

default allow = -1

allow = 1 {
	input.operation == "files:list"
}
