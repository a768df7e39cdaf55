package catalog

import (
	"cmp"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// applyObject runs the statements about everything but tables: views, functions, types, triggers, rules, policies,
// extensions, privileges, and code that runs DDL. It reports whether the statement was one of them.
func (c *Catalog) applyObject(stmt pgast.Stmt, eff *Effects) (handled bool, err error) {
	switch n := stmt.Node.GetNode().(type) {
	case *pgast.Node_ViewStmt:
		return true, c.applyView(n.ViewStmt, eff)
	case *pgast.Node_CreateTableAsStmt:
		return true, c.applyMatView(n.CreateTableAsStmt, eff)
	case *pgast.Node_CreateFunctionStmt:
		return true, c.applyCreateFunction(n.CreateFunctionStmt, eff)
	case *pgast.Node_AlterFunctionStmt:
		return true, c.applyAlterFunction(n.AlterFunctionStmt)
	case *pgast.Node_CreateTrigStmt:
		return true, c.applyCreateTrigger(n.CreateTrigStmt, eff)
	case *pgast.Node_RuleStmt:
		return true, c.applyCreateRule(n.RuleStmt)
	case *pgast.Node_CreatePolicyStmt:
		return true, c.applyCreatePolicy(n.CreatePolicyStmt)
	case *pgast.Node_AlterPolicyStmt:
		return true, c.applyAlterPolicy(n.AlterPolicyStmt)
	case *pgast.Node_CreateEnumStmt:
		return true, c.applyCreateEnum(n.CreateEnumStmt)
	case *pgast.Node_AlterEnumStmt:
		return true, c.applyAlterEnum(n.AlterEnumStmt, eff)
	case *pgast.Node_CompositeTypeStmt:
		return true, c.applyCreateComposite(n.CompositeTypeStmt)
	case *pgast.Node_CreateRangeStmt:
		return true, c.applyCreateRange(n.CreateRangeStmt)
	case *pgast.Node_CreateDomainStmt:
		return true, c.applyCreateDomain(n.CreateDomainStmt)
	case *pgast.Node_AlterDomainStmt:
		return true, c.applyAlterDomain(n.AlterDomainStmt, eff)
	case *pgast.Node_AlterTypeStmt:
		_, err := c.typeNamedIn(n.AlterTypeStmt.TypeName)
		return true, err // storage and support functions
	case *pgast.Node_AlterTableStmt:
		if n.AlterTableStmt.Objtype == pgast.ObjectType_OBJECT_TYPE {
			return true, c.applyAlterComposite(n.AlterTableStmt, eff)
		}
	case *pgast.Node_CreateExtensionStmt:
		return true, c.applyCreateExtension(n.CreateExtensionStmt, eff)
	case *pgast.Node_AlterExtensionStmt:
		return true, c.applyAlterExtension(n.AlterExtensionStmt)
	case *pgast.Node_AlterExtensionContentsStmt:
		return true, c.applyAlterExtensionContents(n.AlterExtensionContentsStmt)
	case *pgast.Node_GrantStmt:
		return true, c.applyGrant(n.GrantStmt)
	case *pgast.Node_AlterDefaultPrivilegesStmt:
		return true, c.applyDefaultPrivileges(n.AlterDefaultPrivilegesStmt)
	case *pgast.Node_DropStmt:
		return true, c.applyDropObject(n.DropStmt, eff)
	case *pgast.Node_DoStmt:
		return true, c.applyDo(n.DoStmt, eff)
	case *pgast.Node_CallStmt:
		return true, c.applyCall(n.CallStmt, eff)
	case *pgast.Node_SelectStmt:
		return true, c.applyQuery(stmt.Node, eff)
	case *pgast.Node_InsertStmt, *pgast.Node_UpdateStmt, *pgast.Node_DeleteStmt, *pgast.Node_MergeStmt:
		c.applyRows(stmt.Node)
		if err := c.noteSystemTable(stmt.Node, eff); err != nil {
			return true, err
		}
		return true, c.applyQuery(stmt.Node, eff)
	}
	return c.applyOther(stmt.Node, eff)
}

// noteSystemTable notes a change of the rows of the server's own tables, by which a superuser can make of the schema what no
// statement would.
func (c *Catalog) noteSystemTable(n *pgast.Node, eff *Effects) error {
	rv := cmp.Or(n.GetInsertStmt().GetRelation(), n.GetUpdateStmt().GetRelation(), n.GetDeleteStmt().GetRelation(), n.GetMergeStmt().GetRelation())
	if rv.Schemaname != "" && rv.Schemaname != "pg_catalog" || c.findRelation(rv) != nil {
		return nil
	}
	if r := c.builtinRelation(rv.Schemaname, rv.Relname); r != nil && r.Kind == Table {
		eff.Gaps = append(eff.Gaps, "what a change of rows of "+r.Name+" makes of the schema")
	}
	return nil
}

// applyOther runs statements about objects of which little more than the name is kept, and those that change nothing
// that a catalog holds.
func (c *Catalog) applyOther(node *pgast.Node, eff *Effects) (bool, error) {
	switch n := node.GetNode().(type) {
	case *pgast.Node_DefineStmt:
		return true, c.applyDefine(n.DefineStmt, eff)
	case *pgast.Node_CreateCastStmt:
		return true, c.applyCreateCast(n.CreateCastStmt)
	case *pgast.Node_CreateStatsStmt:
		return true, c.applyCreateStatistics(n.CreateStatsStmt, eff)
	case *pgast.Node_AlterStatsStmt:
		return true, nil
	case *pgast.Node_CreatePublicationStmt:
		return true, c.createOther("publication", 0, n.CreatePublicationStmt.Pubname, false, eff)
	case *pgast.Node_AlterPublicationStmt:
		return true, c.needOther("publication", n.AlterPublicationStmt.Pubname)
	case *pgast.Node_CreateSubscriptionStmt:
		return true, c.createOther("subscription", 0, n.CreateSubscriptionStmt.Subname, false, eff)
	case *pgast.Node_AlterSubscriptionStmt:
		return true, c.needOther("subscription", n.AlterSubscriptionStmt.Subname)
	case *pgast.Node_DropSubscriptionStmt:
		return true, c.dropOther("subscription", n.DropSubscriptionStmt.Subname, n.DropSubscriptionStmt.MissingOk, eff)
	case *pgast.Node_CreateEventTrigStmt:
		return true, c.applyCreateEventTrigger(n.CreateEventTrigStmt)
	case *pgast.Node_AlterEventTrigStmt:
		return true, c.applyAlterEventTrigger(n.AlterEventTrigStmt)
	case *pgast.Node_CreateFdwStmt:
		return true, c.createOther("foreign-data wrapper", 0, n.CreateFdwStmt.Fdwname, false, eff)
	case *pgast.Node_AlterFdwStmt:
		return true, c.needOther("foreign-data wrapper", n.AlterFdwStmt.Fdwname)
	case *pgast.Node_CreateForeignServerStmt:
		return true, c.applyCreateServer(n.CreateForeignServerStmt, eff)
	case *pgast.Node_AlterForeignServerStmt:
		return true, c.needOther("server", n.AlterForeignServerStmt.Servername)
	case *pgast.Node_CreateUserMappingStmt:
		return true, c.needOther("server", n.CreateUserMappingStmt.Servername)
	case *pgast.Node_AlterUserMappingStmt:
		return true, c.needOther("server", n.AlterUserMappingStmt.Servername)
	case *pgast.Node_DropUserMappingStmt:
		return true, nil
	case *pgast.Node_CreatePlangStmt:
		return true, c.applyCreateLanguage(n.CreatePlangStmt, eff)
	case *pgast.Node_CreateAmStmt:
		return true, c.createOther("access method", 0, n.CreateAmStmt.Amname, false, eff)
	case *pgast.Node_CreateConversionStmt:
		return true, c.createNamed("conversion", n.CreateConversionStmt.ConversionName, eff)
	case *pgast.Node_CreateOpFamilyStmt:
		return true, c.applyCreateOpFamily(n.CreateOpFamilyStmt)
	case *pgast.Node_CreateOpClassStmt:
		return true, c.applyCreateOpClass(n.CreateOpClassStmt, eff)
	case *pgast.Node_CreateTransformStmt:
		return true, nil
	case *pgast.Node_AlterOpFamilyStmt, *pgast.Node_AlterOperatorStmt, *pgast.Node_AlterCollationStmt,
		*pgast.Node_AlterTsdictionaryStmt, *pgast.Node_AlterTsconfigurationStmt, *pgast.Node_AlterObjectDependsStmt:
		return true, nil
	case *pgast.Node_AlterOwnerStmt:
		return true, c.applyOwner(n.AlterOwnerStmt)
	case *pgast.Node_AlterRoleSetStmt:
		c.applyInitial(n.AlterRoleSetStmt.Setstmt)
		return true, nil
	case *pgast.Node_AlterDatabaseSetStmt:
		c.applyInitial(n.AlterDatabaseSetStmt.Setstmt)
		return true, nil
	case *pgast.Node_SecLabelStmt, *pgast.Node_CreateRoleStmt, *pgast.Node_AlterRoleStmt,
		*pgast.Node_DropRoleStmt, *pgast.Node_GrantRoleStmt, *pgast.Node_ReassignOwnedStmt, *pgast.Node_CreatedbStmt,
		*pgast.Node_AlterDatabaseStmt, *pgast.Node_AlterDatabaseRefreshCollStmt, *pgast.Node_AlterSystemStmt,
		*pgast.Node_CreateTableSpaceStmt, *pgast.Node_DropTableSpaceStmt, *pgast.Node_AlterTableSpaceOptionsStmt:
		return true, nil // of the whole cluster, or of nothing that is kept
	}
	return false, nil
}

// applyOwner: who owns an object is not kept, but it must exist.
func (c *Catalog) applyOwner(n *pgast.AlterOwnerStmt) error {
	switch n.ObjectType {
	case pgast.ObjectType_OBJECT_DATABASE, pgast.ObjectType_OBJECT_TABLESPACE, pgast.ObjectType_OBJECT_LARGEOBJECT:
		return nil
	}
	_, err := c.objectAddress(n.ObjectType, n.Object, false)
	return err
}

// applyDropObject is DROP of everything but relations and schemas (RemoveObjects).
func (c *Catalog) applyDropObject(n *pgast.DropStmt, eff *Effects) error {
	var targets []dropTarget
	for _, object := range n.Objects {
		a, err := c.objectAddress(n.RemoveType, object, true)
		if err != nil {
			e, ok := err.(*Error)
			if n.MissingOk && ok && missing(e.Code) {
				message := e.Message
				if n.RemoveType == pgast.ObjectType_OBJECT_TRIGGER || n.RemoveType == pgast.ObjectType_OBJECT_POLICY {
					message = strings.Replace(message, "\" for table \"", "\" for relation \"", 1) // does_not_exist_skipping says it so
				}
				eff.note("%s, skipping", message)
				continue
			}
			return err
		}
		if f, ok := c.Get(a.OID).(*Func); ok && f.Kind == Aggregate && n.RemoveType == pgast.ObjectType_OBJECT_FUNCTION {
			return &Error{Code: "42809", Message: quoteMessage(f.Name) + " is an aggregate function", Hint: "Use DROP AGGREGATE to drop aggregate functions."}
		}
		if a.OID == 0 {
			a = c.assumeObject(n.RemoveType, object)
		}
		if a.OID == 0 {
			continue // not kept, or gone
		}
		if a.OID < FirstUserOID {
			return errorf("2BP01", "cannot drop %s because it is required by the database system", c.describe(a, false))
		}
		targets = append(targets, dropTarget{Address: a})
	}
	return c.dropObjects(targets, n.Behavior == pgast.DropBehavior_DROP_CASCADE, eff)
}

// missing reports whether an SQLSTATE says that an object does not exist.
func missing(code string) bool {
	switch code {
	case "42P01", "42704", "42883", "3F000", "42703":
		return true
	}
	return false
}
