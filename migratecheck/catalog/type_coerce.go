package catalog

// Which conversions PostgreSQL makes by itself: src/backend/parser/parse_coerce.c and the "Type Conversion" chapter of
// the manual.

// coercionContext is pg_cast.castcontext: where a conversion is wanted.
type coercionContext byte

const (
	implicitly   coercionContext = 'i'
	byAssignment coercionContext = 'a'
	explicitly   coercionContext = 'e'
)

// coercionMethod is how find_coercion_pathway would convert.
type coercionMethod byte

const (
	coercionNone    coercionMethod = 0
	coercionRelabel coercionMethod = 'b' // binary coercible: nothing happens to the value
	coercionFunc    coercionMethod = 'f'
	coercionArray   coercionMethod = 'a' // element by element
	coercionIO      coercionMethod = 'i' // through text
)

// baseType looks through domains.
func (c *Catalog) baseType(t TypeRef) TypeRef {
	for range 32 {
		ty := c.typeByOID(t.OID)
		if t.Array || ty == nil || ty.Kind != DomainType {
			return t
		}
		t = ty.Base
	}
	return t
}

// typeCategory is pg_type.typcategory and typispreferred.
func (c *Catalog) typeCategory(t TypeRef) (category byte, preferred bool) {
	if t.Array {
		return 'A', false
	}
	ty := c.typeByOID(t.OID)
	if ty == nil {
		return 'C', false // a row type
	}
	if ty.category != 0 {
		return ty.category, ty.preferred
	}
	switch ty.Kind {
	case EnumType:
		return 'E', false
	case CompositeType:
		return 'C', false
	case RangeType, MultirangeType:
		return 'R', false
	case DomainType:
		category, _ := c.typeCategory(ty.Base)
		return category, false
	}
	return 'U', false
}

func isPolymorphic(t TypeRef) bool {
	switch t.OID {
	case typeAnyelement, typeAnyarray, typeAnynonarray, typeAnyenum, typeAnyrange, typeAnymultirange, typeAnycompatible,
		typeAnycompatiblearray, typeAnycompatiblenonarray, typeAnycompatiblerange, typeAnycompatiblemultirange:
		return !t.Array
	}
	return false
}

// cast finds a row of pg_cast.
func (c *Catalog) cast(source, target TypeRef) *Cast {
	key := castKey{source.bare(), target.bare()}
	if cast := loadCasts()[key]; cast != nil {
		return cast
	}
	if source.OID < FirstUserOID && target.OID < FirstUserOID && !c.hasUserCasts() {
		return nil
	}
	var found *Cast
	c.names.beginning(nameKey(inOthers, 0, "cast\x00"), func(_ string, oid OID) bool {
		if o, ok := c.Get(oid).(*Other); ok && o.cast != nil && (castKey{o.cast.Source, o.cast.Target}) == key {
			found = o.cast
			return false
		}
		return true
	})
	return found
}

func (c *Catalog) hasUserCasts() bool {
	has := false
	c.names.beginning(nameKey(inOthers, 0, "cast\x00"), func(string, OID) bool {
		has = true
		return false
	})
	return has
}

// coercion is find_coercion_pathway: how source becomes target in the context, and the cast when there is one.
func (c *Catalog) coercion(source, target TypeRef, context coercionContext) (coercionMethod, *Cast) {
	source, target = c.baseType(source).bare(), c.baseType(target).bare()
	if source == target {
		return coercionRelabel, nil
	}
	if cast := c.cast(source, target); cast != nil {
		if context == explicitly || coercionContext(cast.Context) == implicitly || context == byAssignment && cast.Context == 'a' {
			switch cast.Method {
			case 'b':
				return coercionRelabel, cast
			case 'i':
				return coercionIO, cast
			}
			return coercionFunc, cast
		}
		return coercionNone, nil
	}
	source = vectorAsArray(source)
	// Array types convert as their elements do (the same context).
	if source.Array && target.Array {
		method, cast := c.coercion(source.element().bare(), target.element().bare(), context)
		switch method {
		case coercionNone:
			return coercionNone, nil
		case coercionIO:
			return coercionArray, cast
		}
		return coercionArray, cast
	}
	// Anything converts to and from the string types through its in and out functions: to them by assignment, from them
	// when asked.
	if context != implicitly {
		if category, _ := c.typeCategory(target); category == 'S' && context != implicitly {
			return coercionIO, nil
		}
		if category, _ := c.typeCategory(source); category == 'S' && context == explicitly {
			return coercionIO, nil
		}
	}
	return coercionNone, nil
}

// vectorAsArray takes int2vector and oidvector for the arrays that they are.
func vectorAsArray(t TypeRef) TypeRef {
	switch {
	case t.Array:
	case t.OID == 22:
		return arrayOf(scalar(typeInt2))
	case t.OID == 30:
		return arrayOf(scalar(typeOID))
	}
	return t
}

// BaseType looks through domains, as the server does when it describes a result.
func (c *Catalog) BaseType(t TypeRef) TypeRef { return c.baseType(t) }

// BinaryCoercible reports whether a value of the one type is a valid one of the other as it is stored
// (IsBinaryCoercible in src/backend/parser/parse_coerce.c). Domains count as their base types; their constraints are the
// caller's business. Modifiers are not looked at.
func (c *Catalog) BinaryCoercible(source, target TypeRef) bool {
	source, target = c.baseType(source).bare(), target.bare()
	if source == target || target.OID == typeAny && !target.Array || target.OID == typeAnyelement || target.OID == typeAnycompatible {
		return true
	}
	switch {
	case target.OID == typeAnyarray || target.OID == typeAnycompatiblearray:
		return source.Array
	case target.OID == typeAnynonarray || target.OID == typeAnycompatiblenonarray:
		return !source.Array
	case target.OID == typeAnyenum:
		return c.kindOf(source) == EnumType
	case target.OID == typeAnyrange || target.OID == typeAnycompatiblerange:
		return c.kindOf(source) == RangeType
	case target.OID == typeAnymultirange || target.OID == typeAnycompatiblemultirange:
		return c.kindOf(source) == MultirangeType
	case target.OID == typeRecord && !target.Array:
		return c.compositeOf(source) != nil
	}
	cast := c.cast(source, target)
	return cast != nil && cast.Method == 'b' && cast.Context == 'i'
}

// kindOf is pg_type.typtype; of an array BaseType.
func (c *Catalog) kindOf(t TypeRef) TypeKind {
	if t.Array {
		return BaseType
	}
	ty := c.typeByOID(t.OID)
	if ty == nil {
		return CompositeType
	}
	return ty.Kind
}

// Volatile conversions: the functions that a cast from source to target runs.
func (c *Catalog) coercionVolatility(source, target TypeRef, context coercionContext) Volatility {
	method, cast := c.coercion(source, target, context)
	switch method {
	case coercionFunc:
		if cast != nil {
			return cast.Volatility
		}
	case coercionArray:
		if cast != nil && cast.Method == 'f' {
			return cast.Volatility
		}
		return c.ioVolatility(source.element(), target.element())
	case coercionIO:
		return c.ioVolatility(source, target)
	}
	return Immutable
}

// ioVolatility is the volatility of source's out function and target's in function.
func (c *Catalog) ioVolatility(source, target TypeRef) Volatility {
	out, in := Stable, Stable
	if source = c.baseType(source); !source.Array {
		if ty := c.typeByOID(source.OID); ty != nil && ty.output != 0 {
			out = ty.output
		}
	}
	if !target.Array {
		if ty := c.typeByOID(target.OID); ty != nil && ty.input != 0 && ty.Kind == BaseType {
			in = ty.input
		}
	}
	return moreVolatile(out, in)
}

func moreVolatile(a, b Volatility) Volatility {
	rank := func(v Volatility) int {
		switch v {
		case Volatile:
			return 2
		case Stable:
			return 1
		}
		return 0
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}

// canCoerce is can_coerce_type for one argument. A type that is not known converts to everything.
func (c *Catalog) canCoerce(source, target TypeRef, context coercionContext) bool {
	if !source.known() || !target.known() {
		return true
	}
	source, target = source.bare(), target.bare()
	switch {
	case source == target, target.OID == typeAny && !target.Array:
		return true
	case source.OID == typeUnknown:
		return true
	case isPolymorphic(target): // consistency among arguments is polymorphism's business (bind_func.go)
		return c.acceptsPolymorphic(source, target)
	case target.OID == typeUnknown:
		return false
	}
	if method, _ := c.coercion(source, target, context); method != coercionNone {
		return true
	}
	if ty := c.typeByOID(target.OID); ty != nil && ty.Assumed || c.assumedType(source) {
		return true
	}
	// record to a row type and back, arrays of records, a child's row to its parent's
	if source.OID == typeRecord && !source.Array && c.compositeOf(target) != nil {
		return true
	}
	if target.OID == typeRecord && (c.compositeOf(source) != nil || source.Array && target.Array && c.kindOf(source.element()) == CompositeType) {
		return target.Array == source.Array
	}
	return !source.Array && !target.Array && c.rowInherits(source, target)
}

func (c *Catalog) assumedType(t TypeRef) bool {
	ty := c.typeByOID(t.OID)
	return ty != nil && ty.Assumed
}

// rowInherits reports whether source is the row type of a table that inherits from target's.
func (c *Catalog) rowInherits(source, target TypeRef) bool {
	from, to := c.compositeOf(source), c.compositeOf(target)
	if from == nil || to == nil {
		return false
	}
	if from.OfType != 0 && to.Kind == CompositeRel {
		if ty := c.typeByOID(from.OfType); ty != nil && ty.Relation == to.OID {
			return true
		}
	}
	for _, p := range from.Inherits {
		if p == to.OID || c.rowInherits(scalar(p), target) {
			return true
		}
	}
	return false
}

// acceptsPolymorphic reports whether a value of type source may be passed where the polymorphic target is declared.
func (c *Catalog) acceptsPolymorphic(source, target TypeRef) bool {
	base := c.baseType(source)
	switch target.OID {
	case typeAnyarray, typeAnycompatiblearray:
		return base.Array || base.OID == typeAnyarray || c.assumedType(base) ||
			base.OID == 22 || base.OID == 30 // int2vector, oidvector
	case typeAnynonarray, typeAnycompatiblenonarray:
		return !base.Array
	case typeAnyenum:
		return c.kindOf(base) == EnumType || c.assumedType(base)
	case typeAnyrange, typeAnycompatiblerange:
		return c.kindOf(base) == RangeType || c.assumedType(base)
	case typeAnymultirange, typeAnycompatiblemultirange:
		return c.kindOf(base) == MultirangeType || c.assumedType(base)
	}
	return true
}

// commonType is select_common_type (UNION, CASE, COALESCE, ARRAY[…]): the type that all of types convert to. ok is false
// when PostgreSQL finds none; an unknown literal alone becomes text.
func (c *Catalog) commonType(types []TypeRef) (common TypeRef, ok bool) {
	var pick TypeRef
	for _, t := range types {
		if !t.known() {
			return TypeRef{}, true
		}
	}
	same := true
	for i, t := range types {
		if i == 0 {
			pick = t
		} else if t.bare() != pick.bare() {
			same = false
		} else if t.Mod != pick.Mod {
			pick.Mod = -1
		}
	}
	if same && pick.OID != typeUnknown {
		return pick, true
	}
	pick = TypeRef{}
	var category byte
	var preferred bool
	for _, t := range types {
		if t.OID == typeUnknown {
			continue
		}
		t = c.baseType(t).bare()
		if !pick.known() {
			pick = t
			category, preferred = c.typeCategory(t)
			continue
		}
		if t == pick {
			continue
		}
		cat, pref := c.typeCategory(t)
		if cat != category {
			if c.assumedType(t) || c.assumedType(pick) {
				return TypeRef{}, true
			}
			return pick, false
		}
		if !preferred && c.canCoerce(pick, t, implicitly) && !c.canCoerce(t, pick, implicitly) {
			pick, preferred = t, pref
		}
	}
	if !pick.known() {
		return scalar(typeText), true
	}
	for _, t := range types {
		if !c.canCoerce(t, pick, implicitly) {
			return pick, false
		}
	}
	return pick, true
}
