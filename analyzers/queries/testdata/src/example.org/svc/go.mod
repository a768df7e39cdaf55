module example.org/svc

go 1.25
