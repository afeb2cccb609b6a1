module smuggle

go 1.21
