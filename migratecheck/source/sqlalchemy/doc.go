// Package sqlalchemy reads what the Python half of a service asks of its database, without running it: the classes and
// tables that SQLAlchemy maps, the queries made of them, and SQL that is sent as text. [Read] gives each as a query.Site.
//
// # What counts as a site
//
//   - A mapped class, or a Table that no class is mapped to (query.Model): once for each. Loading an entity selects every
//     mapped column, so these are what breaks when a column goes. Its SQL is the SELECT that loads it, the INSERT of a
//     flush with every column that may be in it (all but those that the server fills in and no code of the repository
//     sets), and one UPDATE of every column that some code sets.
//   - A call that makes an object of such a class, in the code that goes to store it (query.Model): the INSERT of its flush.
//   - A query built by calls, where it begins (query.Builder): X.query, session.query(X), select(X), update(X), and so
//     on. It stands for the columns that it names itself, wherever its chain of calls goes on; the columns of the entities
//     that it loads are the affair of their classes.
//     Constants that columns are compared with stand in the SELECT, those that they are set to in the INSERT or UPDATE.
//   - A statement as text (query.Statement): where execute() and its like are called, or where text() holds a whole
//     statement whose execution is not seen. Placeholders (:name, %s, %(name)s) become $1, $2, …
//     psycopg2's copy_from() and copy_to() are query.Copy.
//
// What a site sends that is not known makes it query.Partial or query.Dynamic, with a reason: a mixin from outside of the
// repository, a table's name that is computed, SQL from a parameter. A site whose SQL is in part known counts as a
// site like any other; whether it is checked is for the judge to say. A [Gap] is code that no site stands for: a file
// that does not compile, a class under a condition that is not followed, an attribute that no class maps.
//
// # What is read
//
// Files named *.py, and those without such an ending whose #! line names Python. Not read are alembic's revisions and its
// env.py (package alembic does), tests (test directories, test_*.py, *_test.py, tests.py, conftest.py: they are not deployed), hidden
// directories, virtual environments and node_modules.
//
// # What is taken for granted
//
// An object that is made is stored. A base class called Base or Model that comes from outside of the repository maps no columns of its own. A call of
// execute() is SQL when its text begins with a statement's first word, or when it is called on what is named like a
// connection. Not seen are MetaData(schema=…), naming by events, and with_polymorphic. The rules are those of SQLAlchemy
// (sqlalchemy/orm/decl_base.py, sqlalchemy/orm/persistence.py); the tests run it over the same files, on a real server.
package sqlalchemy
