package query

import (
	"strconv"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// What drivers make of values. A fit is what both lib/pq 1.10.9 (through database/sql) and pgx 5 do with every value of a
// type: the tables were measured with both against PostgreSQL 15, value by value; TestDrivers repeats it with pgx.
type fit int

const (
	fits    fit = iota // or nothing is known
	may                // some values are refused, or one of the two drivers refuses them
	refuses            // both drivers, or the server behind them, refuse every value
)

// class sorts the types of PostgreSQL by what drivers do with them.
type class int

const (
	otherClass class = iota // nothing is known of it
	intClass
	numericClass
	floatClass
	boolClass
	textClass
	byteaClass
	timestampClass
	timeClass
	intervalClass
	uuidClass
	jsonClass
	inetClass
	enumClass
	arrayClass
	compositeClass
	rangeClass
)

var classes = map[catalog.OID]class{
	20: intClass, 21: intClass, 23: intClass, 1700: numericClass, 700: floatClass, 701: floatClass, 16: boolClass,
	25: textClass, 1042: textClass, 1043: textClass, 19: textClass, 17: byteaClass,
	1114: timestampClass, 1184: timestampClass, 1082: timestampClass, 1083: timeClass, 1266: timeClass, 1186: intervalClass,
	2950: uuidClass, 114: jsonClass, 3802: jsonClass, 869: inetClass, 650: inetClass,
}

// classOf looks through domains. An enum with a label that is a number or a truth value is like text.
func classOf(cat *catalog.Catalog, t catalog.TypeRef) class {
	t = cat.BaseType(t)
	if t.Array {
		return arrayClass
	}
	if c, ok := classes[t.OID]; ok {
		return c
	}
	switch o := cat.Get(t.OID).(type) {
	case *catalog.Relation:
		return compositeClass
	case *catalog.Type:
		switch o.Kind {
		case catalog.EnumType:
			for _, label := range o.Labels {
				if _, err := strconv.ParseFloat(label, 64); err == nil {
					return textClass
				}
				if _, err := strconv.ParseBool(label); err == nil {
					return textClass
				}
			}
			return enumClass
		case catalog.CompositeType:
			return compositeClass
		case catalog.RangeType, catalog.MultirangeType:
			return rangeClass
		}
	}
	return otherClass
}

type set map[GoKind]bool

func kinds(list ...GoKind) set {
	s := set{}
	for _, k := range list {
		s[k] = true
	}
	return s
}

// scanRefused and scanMay tell where a column of a class cannot be scanned, and where not all values can, or not by both.
var (
	scanRefused = map[class]set{
		intClass: kinds(Time, UUID, List), numericClass: kinds(Time, UUID, List), floatClass: kinds(Bool, Time, UUID, List),
		boolClass: kinds(Int, Float, Time, UUID, List), textClass: kinds(Time), byteaClass: kinds(Time),
		timestampClass: kinds(Bool, Int, Float, UUID, List), timeClass: kinds(Bool, Int, Float, UUID, List),
		intervalClass: kinds(Bool, Int, Float, Time, UUID, List), uuidClass: kinds(Bool, Int, Float, Time, List), jsonClass: kinds(Time),
		inetClass: kinds(Bool, Int, Float, Time, UUID, List), enumClass: kinds(Bool, Int, Float, Time, UUID, List),
		arrayClass: kinds(Bool, Int, Float, Time, UUID), compositeClass: kinds(Bool, Int, Float, Time, UUID, List),
		rangeClass: kinds(Bool, Int, Float, Time, UUID, List),
	}
	scanMay = map[class]set{
		intClass: kinds(Bool), numericClass: kinds(Bool, Int), floatClass: kinds(Int), boolClass: kinds(String, Bytes),
		textClass: kinds(Bool, Int, Float, UUID, List), byteaClass: kinds(Bool, Int, Float, String, UUID, List), timestampClass: kinds(String, Bytes),
		intervalClass: kinds(String, Bytes), jsonClass: kinds(Bool, Int, Float, UUID, List), inetClass: kinds(String, Bytes),
		arrayClass: kinds(String, Bytes), rangeClass: kinds(String, Bytes),
	}
	// bindRefused tells which values no parameter of a class takes.
	bindRefused = map[class]set{
		intClass: kinds(Bool, Time, UUID, List), numericClass: kinds(Bool, Time, UUID, List), floatClass: kinds(Bool, Time, UUID, List),
		boolClass: kinds(Time, UUID, List), timestampClass: kinds(Bool, Float, UUID, List), timeClass: kinds(Bool, Int, Float, UUID, List),
		intervalClass: kinds(Bool, Time, UUID), uuidClass: kinds(Bool, Int, Float, Time, List), inetClass: kinds(Bool, Int, Float, Time, UUID, List),
		enumClass: kinds(Bool, Int, Float, Time, UUID, List), arrayClass: kinds(Bool, Int, Float, Time),
		compositeClass: kinds(Bool, Int, Float, Time, UUID, List), rangeClass: kinds(Bool, Int, Float, Time, UUID, List),
	}
)

// scanFit tells what becomes of a column of type t in a destination.
func scanFit(cat *catalog.Catalog, t catalog.TypeRef, g GoType) fit {
	c := classOf(cat, t)
	switch {
	case scanRefused[c][g.Kind]:
		return refuses
	case scanMay[c][g.Kind]:
		return may
	case c == intClass && g.Kind == Int && g.Bits > 0 && g.Bits < intBits[cat.BaseType(t).OID]:
		return may
	}
	return fits
}

var intBits = map[catalog.OID]int{20: 64, 23: 32, 21: 16}

// bindFit tells what becomes of a value bound to a parameter of type t.
func bindFit(cat *catalog.Catalog, t catalog.TypeRef, g GoType) fit {
	if g.Name == "[]interface{}" || g.Name == "[]any" {
		return fits // arguments that are passed on as a slice: how many, and of what types, is not known
	}
	if !g.Null && bindRefused[classOf(cat, t)][g.Kind] {
		return refuses
	}
	return fits
}
