package names

owner = "ann"
