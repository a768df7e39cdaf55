//go:build never

package tested

func init() { println(windows) }
