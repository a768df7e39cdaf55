package lockmode

import "slices"

// places numbers distinct keys in the order in which they come. A few are compared one by one, as most statements have no
// more; many are hashed.
type places[K comparable] struct {
	keys []K
	at   map[K]int
}

const fewPlaces = 8

func (p *places[K]) find(key K) int {
	if p.at == nil {
		return slices.Index(p.keys, key)
	}
	if i, ok := p.at[key]; ok {
		return i
	}
	return -1
}

// empty is p without its keys.
func (p *places[K]) empty() places[K] { return places[K]{keys: p.keys[:0]} }

func (p *places[K]) has(key K) bool { return p.find(key) >= 0 }

// add returns the number of a key, and whether it had one already.
func (p *places[K]) add(key K) (i int, ok bool) {
	if i := p.find(key); i >= 0 {
		return i, true
	}
	i = len(p.keys)
	p.keys = append(p.keys, key)
	switch {
	case p.at != nil:
		p.at[key] = i
	case i >= fewPlaces:
		p.at = make(map[K]int, 2*fewPlaces)
		for i, key := range p.keys {
			p.at[key] = i
		}
	}
	return i, false
}
