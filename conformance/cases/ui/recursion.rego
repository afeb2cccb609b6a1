package shop

a if b

b if not a
