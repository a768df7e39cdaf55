package callee

import "go/types"

// TakesContext reports whether the first parameter of a function is a context.
func TakesContext(sig *types.Signature) bool {
	return sig.Params().Len() > 0 && NameOf(sig.Params().At(0).Type()) == "context.Context"
}

// ReturnsError reports whether the last result of a function is an error.
func ReturnsError(sig *types.Signature) bool {
	n := sig.Results().Len()
	return n > 0 && NameOf(sig.Results().At(n-1).Type()) == "error"
}
