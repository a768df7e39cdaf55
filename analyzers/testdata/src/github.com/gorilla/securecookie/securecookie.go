// Package securecookie stands in for the library of that name.
package securecookie

func GenerateRandomKey(length int) []byte { return make([]byte, length) }
