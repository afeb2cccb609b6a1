package shop

allow if nope(input.user)

price := count(1, 2)

mood if 1 == "one"
