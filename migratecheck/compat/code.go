package compat

import "context"

// ReadCode finds the queries of the code in a directory.
func ReadCode(ctx context.Context, dir string) (*Code, error) {
	return &Code{}, nil
}
