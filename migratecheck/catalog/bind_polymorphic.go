package catalog

// polymorphismFits is check_generic_type_consistency, as far as a choice between functions needs it: the arguments of
// one family must agree on the element type.
func (c *Catalog) polymorphismFits(declared, actual []TypeRef) bool {
	var elem TypeRef
	for i, d := range declared {
		if i >= len(actual) {
			break
		}
		a := actual[i]
		if !a.known() || a.OID == typeUnknown {
			continue
		}
		base := c.baseType(a).bare()
		var e TypeRef
		switch d.OID {
		case typeAnyelement, typeAnynonarray, typeAnyenum:
			e = a.bare()
		case typeAnyarray:
			if !base.Array {
				continue
			}
			e = base.element().bare()
		case typeAnyrange, typeAnymultirange:
			if ty := c.typeByOID(base.OID); ty != nil && ty.Subtype.known() {
				e = ty.Subtype.bare()
			} else {
				continue
			}
		default:
			continue
		}
		if elem.known() && elem != e {
			return false
		}
		elem = e
	}
	return true
}

// resultType is enforce_generic_type_consistency: the result of a function with polymorphic arguments.
func (c *Catalog) resultType(f *Func, declared, actual []TypeRef) TypeRef {
	return c.polymorphic(f.Returns, declared, actual)
}

func (c *Catalog) polymorphic(result TypeRef, declared, actual []TypeRef) TypeRef {
	if !isPolymorphic(result) {
		return result.bare()
	}
	compatible := false
	switch result.OID {
	case typeAnycompatible, typeAnycompatiblearray, typeAnycompatiblenonarray, typeAnycompatiblerange, typeAnycompatiblemultirange:
		compatible = true
	}
	var elem, rng, multi TypeRef
	var elems []TypeRef
	sure, unknowns := true, false
	for _, a := range actual {
		if isPolymorphic(a) {
			return result.bare() // inside a polymorphic function or aggregate
		}
	}
	for i, d := range declared {
		if i >= len(actual) || !isPolymorphic(d) {
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
