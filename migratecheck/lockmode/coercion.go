package lockmode

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// Numbers of pg_type.dat.
const (
	oidText        catalog.OID = 25
	oidOID         catalog.OID = 26
	oidXML         catalog.OID = 142
	oidCIDR        catalog.OID = 650
	oidInet        catalog.OID = 869
	oidInt4        catalog.OID = 23
	oidBpchar      catalog.OID = 1042
	oidVarchar     catalog.OID = 1043
	oidTime        catalog.OID = 1083
	oidTimestamp   catalog.OID = 1114
	oidTimestamptz catalog.OID = 1184
	oidInterval    catalog.OID = 1186
	oidTimetz      catalog.OID = 1266
	oidBit         catalog.OID = 1560
	oidVarbit      catalog.OID = 1562
	oidNumeric     catalog.OID = 1700
)

// coercion answers whether values of one type are stored as values of another would be.
type coercion struct{ *analyzer }

// keeps tells whether the stored rows serve the new type as they are.
func (c coercion) keeps(from, to catalog.TypeRef) bool {
	if from == to {
		return true
	}
	if from.Array || to.Array {
		// ArrayCoerceExpr is not looked through: any change of the element type or of its modifier counts.
		return from.Array == to.Array && from.OID == to.OID && to.Mod == -1
	}
	if c.constrainedDomain(to) && from.OID != to.OID {
		return false
	}
	from, to = c.base(from), c.base(to)
	switch {
	case from.OID == to.OID:
	case from.OID == oidTimestamp && to.OID == oidTimestamptz, from.OID == oidTimestamptz && to.OID == oidTimestamp:
		// TimestampTimestampTzRequiresRewrite: equal only while every local time is the same UTC time.
		if !c.utc() {
			return false
		}
	case !c.binary(from.OID, to.OID):
		return false
	}
	return keepsModifier(from, to)
}

// base replaces a domain by what it is based on, as getBaseTypeAndTypmod does.
func (c coercion) base(t catalog.TypeRef) catalog.TypeRef {
	for !t.Array {
		d, ok := c.afterOrBefore(t.OID).(*catalog.Type)
		if !ok || d.Kind != catalog.DomainType {
			return t
		}
		t = d.Base
	}
	return t
}

// binary tells whether pg_cast has the cast as "without function" (src/include/catalog/pg_cast.dat, castmethod b).
func (c coercion) binary(from, to catalog.OID) bool {
	switch from {
	case oidText:
		return to == oidVarchar || to == oidBpchar || c.isCitext(to)
	case oidVarchar:
		return to == oidText || to == oidBpchar || c.isCitext(to)
	case oidXML:
		return to == oidText || to == oidVarchar || to == oidBpchar
	case oidCIDR:
		return to == oidInet
	case oidBit:
		return to == oidVarbit
	case oidVarbit:
		return to == oidBit
	case oidInt4:
		return to == oidOID || isReg(to)
	case oidOID:
		return to == oidInt4 || isReg(to)
	}
	if isReg(from) {
		return to == oidOID || to == oidInt4
	}
	return c.isCitext(from) && (to == oidText || to == oidVarchar)
}

// isReg tells whether a type is one of the names for an OID: regclass, regproc, regtype, ….
func isReg(oid catalog.OID) bool {
	switch oid {
	case 24, 2202, 2203, 2204, 2205, 2206, 3734, 3769, 4089, 4096, 4191:
		return true
	}
	return false
}

// isCitext tells whether a type is the citext extension's, whose casts to and from text are without function.
func (c coercion) isCitext(oid catalog.OID) bool {
	t, ok := c.afterOrBefore(oid).(*catalog.Type)
	return ok && t.Name == "citext"
}

// keepsModifier tells whether the length coercion to the new modifier does nothing, as the planner finds out by the
// support functions varchar_support, varbit_support, numeric_support, timestamp_support, interval_support, ….
func keepsModifier(from, to catalog.TypeRef) bool {
	if to.Mod < 0 {
		return true
	}
	if from.OID == to.OID && from.Mod == to.Mod {
		return true
	}
	old := from.Mod
	switch to.OID {
	case oidVarchar:
		// Only varchar has a support function; a bpchar, whatever its length, is padded or cut.
		return old >= 0 && from.OID == oidVarchar && to.Mod >= old
	case oidVarbit:
		return old >= 0 && (from.OID == oidVarbit || from.OID == oidBit) && to.Mod >= old
	case oidNumeric:
		if old < 4 {
			return false
		}
		oldPrecision, oldScale := (old-4)>>16&0xffff, (old-4)&0x7ff
		newPrecision, newScale := (to.Mod-4)>>16&0xffff, (to.Mod-4)&0x7ff
		return newScale == oldScale && newPrecision >= oldPrecision
	case oidTime, oidTimetz, oidTimestamp, oidTimestamptz:
		const maxPrecision = 6
		return to.Mod >= maxPrecision || old >= 0 && to.Mod >= old
	case oidInterval:
		return keepsInterval(old, to.Mod)
	}
	return false
}

// keepsInterval is interval_support (src/backend/utils/adt/timestamp.c): the new fields reach down as far as the old, and
// seconds keep their precision.
func keepsInterval(old, new int32) bool {
	const fullPrecision, maxPrecision = 0xffff, 6
	oldLeast, oldPrecision := intervalLeastField(old), old&0xffff
	newLeast, newPrecision := intervalLeastField(new), new&0xffff
	if old < 0 {
		oldPrecision = fullPrecision
	}
	return newLeast <= oldLeast && (oldLeast > 0 || newPrecision >= maxPrecision || newPrecision >= oldPrecision)
}

// intervalLeastField is intervaltypmodleastfield: 0 for seconds up to 5 for years.
func intervalLeastField(mod int32) int {
	if mod < 0 {
		return 0
	}
	const year, month, day, hour, minute, second = 1 << 2, 1 << 1, 1 << 3, 1 << 10, 1 << 11, 1 << 12
	fields := mod >> 16 & 0x7fff
	switch {
	case fields&second != 0:
		return 0
	case fields&minute != 0:
		return 1
	case fields&hour != 0:
		return 2
	case fields&day != 0:
		return 3
	case fields&month != 0:
		return 4
	case fields&year != 0:
		return 5
	}
	return 0
}

// operatorClass names the default operator class of a type, for types whose indexes are alike.
func (c coercion) operatorClass(t catalog.TypeRef) catalog.OID {
	t = c.base(t)
	if t.Array {
		return 0xffffffff // array_ops serves every array, whatever its elements; but then the elements' types differ
	}
	switch t.OID {
	case oidVarchar:
		return oidText
	case oidCIDR:
		return oidInet
	}
	return t.OID
}

// utc tells whether the session's TimeZone is UTC: only when the migration set it. The server's own setting is not known.
func (c coercion) utc() bool {
	switch strings.ToLower(c.before.Setting("timezone")) {
	case "utc", "etc/utc", "gmt", "etc/gmt", "uct", "etc/uct", "zulu", "etc/zulu", "universal", "etc/universal", "greenwich", "z", "0":
		return true
	}
	return false
}
