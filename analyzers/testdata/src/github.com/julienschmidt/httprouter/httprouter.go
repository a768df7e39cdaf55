// Package httprouter stands in for the router of that name.
package httprouter

type Params []struct{ Key, Value string }
