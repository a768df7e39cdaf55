package catalog

// polymorphismFits is check_generic_type_consistency, as far as a choice between functions needs it: the arguments of
// one family must agree on the element type, those of the anycompatible family have a common one.
func (c *Catalog) polymorphismFits(declared, actual []TypeRef) bool {
	var elem TypeRef
	var compatible []TypeRef
	for i, d := range declared {
		if i >= len(actual) {
			break
		}
		a := actual[i]
		if !a.known() || a.OID == typeUnknown || !isPolymorphic(d) {
			continue
		}
		e, ok := c.elementFor(d, a)
		switch {
		case !ok:
		case inCompatibleFamily(d):
			compatible = append(compatible, e)
		case elem.known() && elem != e:
			return false
		default:
			elem = e
		}
	}
	if len(compatible) > 1 {
		_, ok := c.commonType(compatible)
		return ok
	}
	return true
}

// elementFor is the element type that an argument of a polymorphic type stands for; ok is false when it decides nothing.
func (c *Catalog) elementFor(declared, actual TypeRef) (elem TypeRef, ok bool) {
	base := c.baseType(actual).bare()
	switch declared.OID {
	case typeAnyelement, typeAnynonarray, typeAnyenum, typeAnycompatible, typeAnycompatiblenonarray:
		return actual.bare(), true
	case typeAnyarray, typeAnycompatiblearray:
		return base.element().bare(), base.Array
	case typeAnyrange, typeAnycompatiblerange:
		if ty := c.typeByOID(base.OID); ty != nil && ty.Subtype.known() {
			return ty.Subtype.bare(), true
		}
	case typeAnymultirange, typeAnycompatiblemultirange:
		if ty := c.rangeOf(base.OID); ty != nil {
			return ty.Subtype.bare(), true
		}
	}
	return TypeRef{}, false
}

func inCompatibleFamily(t TypeRef) bool {
	switch t.OID {
	case typeAnycompatible, typeAnycompatiblearray, typeAnycompatiblenonarray, typeAnycompatiblerange, typeAnycompatiblemultirange:
		return true
	}
	return false
}

// undetermined reports whether nothing says what type the arguments of the anyelement family stand for, which is an error
// (enforce_generic_type_consistency); those of the anycompatible family are then text.
func undetermined(declared, actual []TypeRef) bool {
	some := false
	for i, d := range declared {
		if i >= len(actual) || !isPolymorphic(d) || inCompatibleFamily(d) {
			continue
		}
		if actual[i].OID != typeUnknown {
			return false
		}
		some = true
	}
	return some
}

// resultType is enforce_generic_type_consistency: the result of a function with polymorphic arguments.
func (c *Catalog) resultType(f *Func, declared, actual []TypeRef) TypeRef {
	return c.polymorphic(f.Returns, declared, actual)
}

func (c *Catalog) polymorphic(result TypeRef, declared, actual []TypeRef) TypeRef {
	if !isPolymorphic(result) {
		return result.bare()
	}
	compatible := inCompatibleFamily(result)
	var elem, rng, multi TypeRef
	var elems []TypeRef
	sure, unknowns := true, false
	for _, a := range actual {
		if isPolymorphic(a) {
			return result.bare() // inside a polymorphic function or aggregate
		}
	}
	for i, d := range declared {
		if i >= len(actual) || !isPolymorphic(d) || inCompatibleFamily(d) != compatible {
			continue
		}
		a := actual[i]
		if !a.known() {
			sure = false
			continue
		}
		if a.OID == typeUnknown {
			unknowns = true
			continue
		}
		base := c.baseType(a).bare()
		switch d.OID {
		case typeAnyelement, typeAnynonarray, typeAnyenum, typeAnycompatible, typeAnycompatiblenonarray:
			elems = append(elems, a.bare())
		case typeAnyarray, typeAnycompatiblearray:
			switch {
			case base.Array:
				elems = append(elems, base.element().bare())
			case base.OID == 22:
				elems = append(elems, scalar(typeInt2))
			case base.OID == 30:
				elems = append(elems, scalar(typeOID))
			default:
				sure = false // anyarray itself: pg_stats
			}
		case typeAnyrange, typeAnycompatiblerange:
			rng = base
			if ty := c.typeByOID(base.OID); ty != nil {
				elems = append(elems, ty.Subtype.bare())
				multi = scalar(ty.multirange)
			}
		case typeAnymultirange, typeAnycompatiblemultirange:
			multi = base
			if ty := c.rangeOf(base.OID); ty != nil {
				rng = scalar(ty.OID)
				elems = append(elems, ty.Subtype.bare())
			}
		}
	}
	switch {
	case len(elems) == 0 && unknowns:
		elem = scalar(typeText)
	case compatible:
		elem, _ = c.commonType(elems)
	case len(elems) > 0:
		elem = elems[0]
	}
	if !sure && !elem.known() {
		return TypeRef{}
	}
	switch result.OID {
	case typeAnyarray, typeAnycompatiblearray:
		return arrayOf(elem)
	case typeAnyrange, typeAnycompatiblerange:
		return rng
	case typeAnymultirange, typeAnycompatiblemultirange:
		return multi
	}
	return elem
}

// rangeOf finds the range type of a multirange type.
func (c *Catalog) rangeOf(multi OID) *Type {
	if ty := c.typeByOID(multi); ty != nil && ty.Range != 0 {
		return c.typeByOID(ty.Range)
	}
	for _, t := range loadTypes().byOID {
		if t.multirange == multi {
			return t
		}
	}
	return nil
}
