//go:build !linux

package sdnotify

import "errors"

func monotonic() (int64, error) { return 0, errors.ErrUnsupported }
