// A module of its own, so that those who import packages of the main one do not inherit what only this test needs.
module git.sr.ht/~sourcehut/ha-go/internal/report/sarifschema

go 1.25.0

require (
	github.com/owenrumney/go-sarif/v3 v3.2.3
	github.com/xeipuuv/gojsonschema v1.2.0
)

require (
	github.com/xeipuuv/gojsonpointer v0.0.0-20180127040702-4e3ac2762d5f // indirect
	github.com/xeipuuv/gojsonreference v0.0.0-20180127040603-bd5ef7bd5415 // indirect
)
