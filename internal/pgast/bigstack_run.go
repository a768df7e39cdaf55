package pgast

// #include <stdint.h>
import "C"

import "runtime/cgo"

// pgastRun is where the thread of onBigStack enters Go. A file with an exported function must not define C functions,
// so it is not in bigstack.go.
//
//export pgastRun
func pgastRun(handle C.uintptr_t) { cgo.Handle(handle).Value().(func())() }
