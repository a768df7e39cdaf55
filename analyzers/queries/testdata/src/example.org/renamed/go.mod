module example.org/renamed

go 1.25
