package catalog

import (
	"strings"
)

// OIDs of the schemas that every database has (pg_namespace.dat; public and information_schema are made by initdb and
// have no fixed number).
const (
	pgCatalogOID         OID = 11
	pgToastOID           OID = 99
	publicOID            OID = 2200
	informationSchemaOID OID = 13000
)

func (c *Catalog) addBuiltinSchemas() {
	c.put(&Schema{OID: pgCatalogOID, Name: "pg_catalog"})
	c.put(&Schema{OID: pgToastOID, Name: "pg_toast"})
	c.put(&Schema{OID: publicOID, Name: "public"})
	c.put(&Schema{OID: informationSchemaOID, Name: "information_schema"})
}

// SearchPath lists the schemas in which unqualified names are looked up, the temporary one and pg_catalog first unless
// named elsewhere. Do not change the list.
func (c *Catalog) SearchPath() []OID {
	if c.searchPath == nil {
		c.searchPath = c.computeSearchPath()
	}
	return c.searchPath
}

func (c *Catalog) computeSearchPath() []OID {
	var path []OID
	hasTemp, hasCatalog := false, false
	for _, name := range c.pathNames() {
		if s := c.SchemaNamed(name); s != nil {
			path = append(path, s.OID)
			hasCatalog = hasCatalog || s.OID == pgCatalogOID
			hasTemp = hasTemp || name == tempSchema
		}
	}
	if !hasCatalog {
		path = append([]OID{pgCatalogOID}, path...)
	}
	if s := c.SchemaNamed(tempSchema); s != nil && !hasTemp {
		path = append([]OID{s.OID}, path...)
	}
	return path
}

// pathNames is the setting as a list.
func (c *Catalog) pathNames() []string {
	value, ok := c.settings.Get("search_path")
	if !ok {
		return []string{"public"}
	}
	return splitNames(value)
}

// currentSchema is where unqualified names are created, 0 when the search path has no schema.
func (c *Catalog) currentSchema() OID {
	for _, name := range c.pathNames() {
		if s := c.SchemaNamed(name); s != nil {
			return s.OID
		}
	}
	return 0
}

// splitNames reads a list of identifiers as a setting holds it (SplitIdentifierString).
func splitNames(value string) []string {
	var names []string
	for rest := value; ; {
		rest = strings.TrimLeft(rest, " \t\n")
		if rest == "" {
			return names
		}
		var name string
		if rest[0] == '"' {
			var b strings.Builder
			i := 1
			for ; i < len(rest); i++ {
				if rest[i] == '"' {
					if i+1 >= len(rest) || rest[i+1] != '"' {
						break
					}
					i++
				}
				b.WriteByte(rest[i])
			}
			name, rest = b.String(), rest[min(i+1, len(rest)):]
		} else {
			i := strings.IndexAny(rest, ", \t\n")
			if i < 0 {
				i = len(rest)
			}
			name, rest = strings.ToLower(rest[:i]), rest[i:]
		}
		names = append(names, name)
		_, after, more := strings.Cut(rest, ",")
		if !more {
			return names
		}
		rest = after
	}
}
