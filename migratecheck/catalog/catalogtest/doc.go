// Package catalogtest proves package catalog against PostgreSQL: the same statements run on a real server and through
// [catalog.Catalog.Apply], and what the server's pg_catalog says afterwards is compared with the value, fact by fact.
//
// [Read] and [FromCatalog] both produce a [Snapshot]: the objects in the structs of package catalog, numbered as their
// side numbers them, printed by reflection with every number replaced by a name. No field is left out by forgetting it:
// a new field is compared as soon as it exists, and the few that are not compared are listed, with the reason, in
// facts.go.
//
// Expressions are compared in two steps. First the parse trees of the two texts, without what the server's deparser
// adds or replaces by a synonym (casts, pg_catalog, IN for = ANY, …; see expr.go). Where those differ, the server is
// asked: our text is put into a scratch object of the same kind in a subtransaction, read back and rolled back
// (deparse.go), and must then be the server's text to the letter.
package catalogtest
