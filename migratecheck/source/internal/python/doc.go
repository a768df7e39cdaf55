// Package python reads Python source without running it. Files are parsed with tree-sitter ([ParseAll]); an [Interp]
// then interprets the tree as Python would, over a small set of values: strings that remember where they were written
// ([Text]), numbers, lists, dicts, functions and classes of the files, and SQLAlchemy's schema objects, types and
// expressions as far as their SQL is known. A value that cannot be known carries its reason with it ([Unknown]).
//
// What lies outside of the files is the affair of a [Host]: package alembic's collects the statements that a migration
// sends, package sqlalchemy's the classes that are mapped to tables. The rules by which SQLAlchemy's objects become SQL
// are those of sqlalchemy/sql/compiler.py and sqlalchemy/dialects/postgresql/base.py; both packages' tests run
// SQLAlchemy over the same files and compare.
package python
