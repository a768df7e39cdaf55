package catalog

// indexOpClass is the operator class of an index key as it is stored: "" when it is the default for the type.
func (c *Catalog) indexOpClass(t TypeRef, method string, given []string) (string, error) {
	if len(given) == 0 {
		return "", nil
	}
	return given[len(given)-1], nil
}
