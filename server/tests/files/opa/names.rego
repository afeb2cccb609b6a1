package names

owner := "alice"

all := {owner, "bob"}
