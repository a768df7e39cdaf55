package catalog

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// databaseName stands for the database, whose name is not known; current_database() answers the same.
const databaseName = "database"

type plTableRow = map[string]plValue

// tableRows lists the rows of a system catalog or information_schema view, with the columns that migrations ask for.
// complete is false when there may be more, in an open catalog; ok when the table is not one of those.
func (r *codeRunner) tableRows(rv *pgast.RangeVar) (rows []plTableRow, complete, ok bool) {
	t := tables{c: r.c}
	name := rv.Relname
	switch {
	case rv.Schemaname == "information_schema":
		ok = t.information(name)
	case rv.Schemaname == "" || rv.Schemaname == "pg_catalog":
		if rv.Schemaname == "" && r.c.findRelation(rv) != nil {
			return nil, false, false
		}
		ok = t.system(name) || t.systemView(name)
	}
	return t.rows, !r.c.Open, ok
}

// tables builds rows.
type tables struct {
	c    *Catalog
	rows []plTableRow
}

func (t *tables) add(row plTableRow) { t.rows = append(t.rows, row) }

func plChar(b byte) plValue {
	if b == 0 {
		return plText("")
	}
	return plText(string(rune(b)))
}

func (t *tables) schemaName(oid OID) plValue {
	if s, ok := t.c.Get(oid).(*Schema); ok {
		return plText(s.Name)
	}
	return plNull()
}

// system is the tables of pg_catalog.
func (t *tables) system(name string) bool {
	c := t.c
	switch name {
	case "pg_namespace", "pg_class", "pg_attribute", "pg_attrdef", "pg_type", "pg_enum", "pg_constraint", "pg_index", "pg_proc", "pg_trigger", "pg_extension", "pg_policy", "pg_inherits", "pg_sequence":
	default:
		return false
	}
	if name == "pg_type" {
		for _, ty := range loadTypes().byOID {
			t.typeRow(ty)
		}
	}
	for o := range c.All() {
		switch o := o.(type) {
		case *Schema:
			if name == "pg_namespace" {
				t.add(plTableRow{"oid": plOID(o.OID), "nspname": plText(o.Name)})
			}
		case *Relation:
			t.relationRows(name, o)
		case *Type:
			switch {
			case name == "pg_type":
				t.typeRow(o)
			case name == "pg_enum":
				for i, label := range o.Labels {
					t.add(plTableRow{"enumtypid": plOID(o.OID), "enumlabel": plText(label), "enumsortorder": plInt(int64(i + 1))})
				}
			}
		case *Constraint:
			if name == "pg_constraint" {
				of := o.Table
				keys := plValue{kind: plArray}
				for _, num := range o.Columns {
					keys.list = append(keys.list, plInt(int64(num)))
				}
				t.add(plTableRow{
					"oid": plOID(o.OID), "conname": plText(o.Name), "contype": plChar(byte(o.Kind)), "conrelid": plOID(of), "contypid": plOID(o.Domain),
					"confrelid": plOID(o.RefTable), "conindid": plOID(o.Index), "convalidated": plBool(o.Valid), "condeferrable": plBool(o.Deferrable),
					"condeferred": plBool(o.Deferred), "connamespace": plOID(o.schema), "conkey": keys, "confdeltype": plChar(o.OnDelete), "confupdtype": plChar(o.OnUpdate),
				})
			}
		case *Func:
			if name == "pg_proc" {
				t.add(plTableRow{
					"oid": plOID(o.OID), "proname": plText(o.Name), "pronamespace": plOID(o.Schema), "prokind": plChar(byte(o.Kind)),
					"pronargs": plInt(int64(len(o.inputs()))), "prorettype": plOID(o.Returns.OID), "prosrc": plText(o.Body), "provolatile": plChar(byte(o.Volatility)),
				})
			}
		case *Trigger:
			if name == "pg_trigger" {
				t.add(plTableRow{"oid": plOID(o.OID), "tgname": plText(o.Name), "tgrelid": plOID(o.Table), "tgisinternal": plBool(false), "tgenabled": plChar(o.Enabled), "tgfoid": plOID(o.Function)})
			}
		case *Extension:
			if name == "pg_extension" {
				t.add(plTableRow{"oid": plOID(o.OID), "extname": plText(o.Name), "extversion": plText(o.Version), "extnamespace": plOID(o.Schema)})
			}
		case *Policy:
			if name == "pg_policy" {
				t.add(plTableRow{"oid": plOID(o.OID), "polname": plText(o.Name), "polrelid": plOID(o.Table), "polpermissive": plBool(o.Permissive)})
			}
		}
	}
	if name == "pg_extension" {
		t.add(plTableRow{"oid": plInt(13000), "extname": plText("plpgsql"), "extversion": plText("1.0"), "extnamespace": plOID(pgCatalogOID)})
	}
	return true
}

func (t *tables) typeRow(ty *Type) {
	category, _ := t.c.typeCategory(scalar(ty.OID))
	t.add(plTableRow{
		"oid": plOID(ty.OID), "typname": plText(ty.Name), "typnamespace": plOID(ty.Schema), "typtype": plChar(byte(ty.Kind)),
		"typrelid": plOID(ty.Relation), "typcategory": plChar(category), "typnotnull": plBool(ty.NotNull), "typbasetype": plOID(ty.Base.OID),
	})
}

// relationRows is what a relation contributes to the tables about relations, columns, indexes and types.
func (t *tables) relationRows(name string, o *Relation) {
	switch name {
	case "pg_class":
		t.add(plTableRow{
			"oid": plOID(o.OID), "relname": plText(o.Name), "relnamespace": plOID(o.Schema), "relkind": plChar(byte(o.Kind)),
			"relpersistence": plChar(byte(o.Persistence)), "relispartition": plBool(o.PartitionOf != 0), "relrowsecurity": plBool(o.RowSecurity),
			"relforcerowsecurity": plBool(o.ForceRLS), "relreplident": plChar(o.ReplicaIdent), "relnatts": plInt(int64(len(o.Columns))),
		})
	case "pg_type":
		if hasRowType(o) && o.Kind != CompositeRel {
			t.add(plTableRow{
				"oid": plOID(o.OID), "typname": plText(o.Name), "typnamespace": plOID(o.Schema), "typtype": plText("c"),
				"typrelid": plOID(o.OID), "typcategory": plText("C"), "typnotnull": plBool(false), "typbasetype": plInt(0),
			})
		}
	case "pg_attribute":
		for _, col := range o.Columns {
			t.add(plTableRow{
				"attrelid": plOID(o.OID), "attname": plText(col.Name), "attnum": plInt(int64(col.Num)), "atttypid": t.typeOID(col.Type),
				"atttypmod": plInt(int64(col.Type.Mod)), "attnotnull": plBool(col.NotNull), "atthasdef": plBool(col.Default != nil),
				"attisdropped": plBool(col.Dropped), "attidentity": plChar(col.Identity), "attgenerated": plChar(col.Generated),
			})
		}
	case "pg_attrdef":
		for _, col := range o.Columns {
			if col.Default != nil {
				t.add(plTableRow{"adrelid": plOID(o.OID), "adnum": plInt(int64(col.Num))})
			}
		}
	case "pg_index":
		if o.Index != nil {
			t.add(plTableRow{
				"indexrelid": plOID(o.OID), "indrelid": plOID(o.Index.Table), "indisunique": plBool(o.Index.Unique),
				"indisprimary": plBool(o.Index.Primary), "indisvalid": plBool(o.Index.Valid), "indisexclusion": plBool(o.Index.Exclusion),
			})
		}
	case "pg_inherits":
		for i, p := range o.Inherits {
			t.add(plTableRow{"inhrelid": plOID(o.OID), "inhparent": plOID(p), "inhseqno": plInt(int64(i + 1))})
		}
	case "pg_sequence":
		if o.Seq != nil {
			t.add(plTableRow{"seqrelid": plOID(o.OID), "seqtypid": plOID(o.Seq.Type.OID), "seqincrement": plInt(o.Seq.Increment), "seqmax": plInt(o.Seq.Max)})
		}
	}
}

// typeOID is a type's number; that of an array type is not kept.
func (t *tables) typeOID(ref TypeRef) plValue {
	if !ref.Array {
		return plOID(ref.OID)
	}
	for array, elem := range loadTypes().byArray {
		if elem == ref.OID {
			return plOID(array)
		}
	}
	return plValue{}
}

// systemView is the views of pg_catalog about objects by name.
func (t *tables) systemView(name string) bool {
	kinds := map[string]string{"pg_tables": "rp", "pg_views": "v", "pg_matviews": "m", "pg_sequences": "S", "pg_indexes": "iI"}[name]
	switch name {
	case "pg_policies":
		for o := range t.c.All() {
			if p, ok := o.(*Policy); ok {
				table := t.c.relation(p.Table)
				t.add(plTableRow{"schemaname": t.schemaName(table.Schema), "tablename": plText(table.Name), "policyname": plText(p.Name), "cmd": plText(p.Command)})
			}
		}
		return true
	case "pg_rules":
		for o := range t.c.All() {
			if p, ok := o.(*Rule); ok {
				table := t.c.relation(p.Table)
				t.add(plTableRow{"schemaname": t.schemaName(table.Schema), "tablename": plText(table.Name), "rulename": plText(p.Name)})
			}
		}
		return true
	}
	if kinds == "" {
		return false
	}
	for o := range t.c.All() {
		r, ok := o.(*Relation)
		if !ok || strings.IndexByte(kinds, byte(r.Kind)) < 0 {
			continue
		}
		row := plTableRow{"schemaname": t.schemaName(r.Schema)}
		switch name {
		case "pg_tables":
			row["tablename"], row["rowsecurity"] = plText(r.Name), plBool(r.RowSecurity)
		case "pg_views":
			row["viewname"] = plText(r.Name)
		case "pg_matviews":
			row["matviewname"] = plText(r.Name)
		case "pg_sequences":
			row["sequencename"] = plText(r.Name)
		case "pg_indexes":
			row["indexname"] = plText(r.Name)
			if table := t.c.relation(r.Index.Table); table != nil {
				row["tablename"] = plText(table.Name)
			}
		}
		t.add(row)
	}
	return true
}

// information is the views of information_schema.
func (t *tables) information(name string) bool {
	switch name {
	case "schemata", "tables", "views", "columns", "sequences", "table_constraints", "key_column_usage", "constraint_column_usage",
		"referential_constraints", "check_constraints", "triggers", "routines", "domains", "constraint_table_usage":
	default:
		return false
	}
	for o := range t.c.All() {
		switch o := o.(type) {
		case *Schema:
			if name == "schemata" {
				t.add(plTableRow{"catalog_name": plText(databaseName), "schema_name": plText(o.Name)})
			}
		case *Relation:
			t.informationRelation(name, o)
		case *Constraint:
			t.informationConstraint(name, o)
		case *Trigger:
			if name == "triggers" {
				table := t.c.relation(o.Table)
				for event, on := range map[string]bool{"INSERT": o.Insert, "UPDATE": o.Update, "DELETE": o.Delete} {
					if on {
						t.add(plTableRow{
							"trigger_catalog": plText(databaseName), "trigger_schema": t.schemaName(table.Schema), "trigger_name": plText(o.Name), "event_manipulation": plText(event),
							"event_object_catalog": plText(databaseName), "event_object_schema": t.schemaName(table.Schema), "event_object_table": plText(table.Name),
						})
					}
				}
			}
		case *Func:
			if name == "routines" {
				kind := "FUNCTION"
				if o.Kind == Procedure {
					kind = "PROCEDURE"
				}
				t.add(plTableRow{
					"routine_catalog": plText(databaseName), "routine_schema": t.schemaName(o.Schema), "routine_name": plText(o.Name), "routine_type": plText(kind),
					"specific_schema": t.schemaName(o.Schema),
				})
			}
		case *Type:
			if name == "domains" && o.Kind == DomainType {
				t.add(plTableRow{"domain_catalog": plText(databaseName), "domain_schema": t.schemaName(o.Schema), "domain_name": plText(o.Name)})
			}
		}
	}
	return true
}

func (t *tables) informationRelation(name string, o *Relation) {
	row := plTableRow{"table_catalog": plText(databaseName), "table_schema": t.schemaName(o.Schema), "table_name": plText(o.Name)}
	isTable := o.Kind == Table || o.Kind == PartitionedTable || o.Kind == ForeignTable || o.Kind == View
	switch {
	case name == "tables" && isTable:
		kind := "BASE TABLE"
		switch {
		case o.Kind == View:
			kind = "VIEW"
		case o.Kind == ForeignTable:
			kind = "FOREIGN"
		case o.Persistence == Temporary:
			kind = "LOCAL TEMPORARY"
		}
		row["table_type"] = plText(kind)
		t.add(row)
	case name == "views" && o.Kind == View:
		t.add(row)
	case name == "sequences" && o.Kind == Sequence:
		t.add(plTableRow{"sequence_catalog": plText(databaseName), "sequence_schema": t.schemaName(o.Schema), "sequence_name": plText(o.Name)})
	case name == "columns" && isTable:
		for i := range o.Columns {
			if !o.Columns[i].Dropped {
				t.add(t.columnRow(o, &o.Columns[i]))
			}
		}
	}
}

func (t *tables) columnRow(o *Relation, col *Column) plTableRow {
	yes := func(b bool) plValue { return plText(map[bool]string{true: "YES", false: "NO"}[b]) }
	base := t.c.baseType(col.Type)
	dataType := t.c.typeText(base)
	switch {
	case base.Array:
		dataType = "ARRAY"
	case base.OID >= FirstUserOID:
		dataType = "USER-DEFINED"
	}
	row := plTableRow{
		"table_catalog": plText(databaseName), "table_schema": t.schemaName(o.Schema), "table_name": plText(o.Name), "column_name": plText(col.Name),
		"ordinal_position": plInt(int64(col.Num)), "is_nullable": yes(!col.NotNull), "data_type": plText(dataType), "is_identity": yes(col.Identity != 0),
		"is_generated": plText(map[bool]string{true: "ALWAYS", false: "NEVER"}[col.Generated != 0]), "column_default": plNull(), "character_maximum_length": plNull(),
	}
	if !col.Type.known() {
		row["data_type"] = plValue{}
	}
	if col.Default != nil && col.Generated == 0 {
		row["column_default"] = plText(col.Default.SQL)
	}
	if (base.OID == typeVarchar || base.OID == typeBpchar) && !base.Array && base.Mod > 4 {
		row["character_maximum_length"] = plInt(int64(base.Mod - 4))
	}
	if ty := t.c.typeByOID(base.OID); ty != nil {
		udt := ty.Name
		if base.Array {
			udt = "_" + udt
		}
		row["udt_name"] = plText(udt)
		row["udt_schema"] = t.schemaName(ty.Schema)
	}
	return row
}

func (t *tables) informationConstraint(name string, o *Constraint) {
	table := t.c.relation(o.Table)
	if table == nil {
		return
	}
	schema := t.schemaName(table.Schema)
	row := func() plTableRow {
		return plTableRow{
			"constraint_catalog": plText(databaseName), "constraint_schema": schema, "constraint_name": plText(o.Name),
			"table_catalog": plText(databaseName), "table_schema": schema, "table_name": plText(table.Name),
		}
	}
	switch name {
	case "table_constraints":
		kind := map[ConstraintKind]string{Check: "CHECK", ForeignKey: "FOREIGN KEY", PrimaryKey: "PRIMARY KEY", Unique: "UNIQUE"}[o.Kind]
		if kind != "" {
			r := row()
			r["constraint_type"] = plText(kind)
			t.add(r)
		}
	case "key_column_usage":
		if o.Kind == ForeignKey || o.Kind == PrimaryKey || o.Kind == Unique {
			for i, num := range o.Columns {
				if col := table.Att(num); col != nil {
					r := row()
					r["column_name"], r["ordinal_position"] = plText(col.Name), plInt(int64(i+1))
					t.add(r)
				}
			}
		}
	case "constraint_column_usage", "constraint_table_usage":
		of, cols := table, o.Columns
		if o.Kind == ForeignKey {
			of, cols = t.c.relation(o.RefTable), o.RefColumns
		}
		if of == nil {
			return
		}
		for _, num := range cols {
			if col := of.Att(num); col != nil {
				r := row()
				r["table_schema"], r["table_name"], r["column_name"] = t.schemaName(of.Schema), plText(of.Name), plText(col.Name)
				t.add(r)
				if name == "constraint_table_usage" {
					return
				}
			}
		}
	case "referential_constraints":
		if o.Kind == ForeignKey {
			t.add(row())
		}
	case "check_constraints":
		if o.Kind == Check {
			t.add(row())
		}
	}
}
