// Package fiber stands in for the web framework of that name.
package fiber

type Ctx struct{}
