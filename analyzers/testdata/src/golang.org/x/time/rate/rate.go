// Package rate stands in for the limiter of that name.
package rate

type Limiter struct{ tokens float64 }

func NewLimiter(r float64, b int) *Limiter { return &Limiter{r * float64(b)} }

func (l *Limiter) Allow() bool { return l.tokens > 0 }
