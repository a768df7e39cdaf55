//go:build !race

package celery

const raced = false
