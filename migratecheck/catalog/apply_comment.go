package catalog

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// Comment returns the comment on an object or column, "" when there is none.
func (c *Catalog) Comment(a Address) string {
	text, _ := c.comments.Get(a.key())
	return text
}

// setComment stores a comment; "" takes it away.
func (c *Catalog) setComment(a Address, text string) {
	c.ownRecords()
	if text == "" {
		c.comments.Delete(a.key())
	} else {
		c.comments.Set(a.key(), text)
	}
	c.touch(a.OID, nil)
}

func (c *Catalog) applyComment(s *pgast.CommentStmt, eff *Effects) error {
	a, err := c.commentTarget(s)
	if err != nil || a.OID == 0 {
		return err
	}
	c.setComment(a, s.Comment)
	return nil
}

func (c *Catalog) commentTarget(s *pgast.CommentStmt) (Address, error) {
	items := s.Object.GetList().GetItems()
	if s.Objtype == pgast.ObjectType_OBJECT_COLUMN {
		r, err := c.lookupRelation(rangeVarOf(items[:len(items)-1]))
		if err != nil {
			return Address{}, err
		}
		switch r.Kind {
		case Index, PartitionedIndex, Sequence:
			e := errorf("42809", "cannot set comment on relation \"%s\"", r.Name)
			e.Detail = "This operation is not supported for " + r.pluralKind() + "."
			return Address{}, e
		}
		col, err := c.lookupColumn(r.OID, items[len(items)-1].GetString_().GetSval())
		if err != nil {
			return Address{}, err
		}
		return Address{r.OID, col.Num}, nil
	}
	if kind, ok := dropKindOf(s.Objtype); ok {
		r, err := c.lookupKind(rangeVarOf(items), kind.kinds[0])
		if err != nil {
			return Address{}, err
		}
		if !r.Assumed && !slices.Contains(kind.kinds, r.Kind) {
			return Address{}, notA(r, kind.word)
		}
		return Address{OID: r.OID}, nil
	}
	return c.objectAddress(s.Objtype, s.Object, false)
}
