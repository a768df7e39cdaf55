package supervise

import (
	"context"
	"time"
)

func dialAs(dir string) string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := dial(ctx, dir)
	if err != nil {
		return err.Error()
	}
	defer c.close()
	_, err = c.call(ctx, request{Op: opStop})
	if err != nil {
		return err.Error()
	}
	return "answered"
}
