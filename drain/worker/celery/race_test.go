//go:build race

package celery

// raced tells that the race detector makes everything several times slower.
const raced = true
