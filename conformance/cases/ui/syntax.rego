package shop

allow if {
	input.user ==
}
