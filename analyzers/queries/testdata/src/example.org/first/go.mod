module example.org/first

go 1.25
