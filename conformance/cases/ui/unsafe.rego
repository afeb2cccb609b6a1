package shop

allow if {
	input.user != ""
	not revoked[role]
}

revoked := {"clerk"}
