package source

import "git.sr.ht/~sourcehut/ha-go/migratecheck/source/internal/python"

// PythonDifference is the offset in b at which two versions of a Python file begin to do different things; same says that
// they do not, known that both could be read.
func PythonDifference(a, b string) (at int, same, known bool) { return python.Difference(a, b) }
