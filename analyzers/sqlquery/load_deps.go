package sqlquery

// readDependencies reads the packages outside the user's modules that may send SQL: those that import, directly or through
// others, a package that talks to databases.
func (p *program) readDependencies() {
}
