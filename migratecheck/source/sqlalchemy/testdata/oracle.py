# Asks SQLAlchemy itself: imports every file of each directory, creates the tables on a real server, stores an object of
# every mapped class and runs the functions store(session) of the files. Prints as JSON, for each directory,
# {"version", "selects": {class: SQL}, "tables": {class: table}, "statements": [SQL], "error"}.
import datetime
import decimal
import importlib
import importlib.machinery
import json
import os
import sys
import traceback
import types
import uuid

import psycopg2
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects import postgresql

OUTSIDE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "outside")


def value(column):
    kind = type(column.type).__name__
    if getattr(column.type, "enums", None):
        first = column.type.enums[0]
        return column.type.enum_class[first] if getattr(column.type, "enum_class", None) else first
    if kind == "ChoiceType":
        return list(column.type.choices)[0]
    if kind == "ARRAY":
        return []
    if kind in ("JSON", "JSONB", "JSONType"):
        return {}
    if kind in ("UUID", "UUIDType"):
        made = uuid.uuid4()
        return made if kind == "UUIDType" or getattr(column.type, "as_uuid", True) else str(made)
    try:
        wanted = column.type.python_type
    except NotImplementedError:
        return "x"
    return {
        int: 1, str: "x", bool: True, bytes: b"x", float: 1.0, decimal.Decimal: decimal.Decimal(1),
        datetime.datetime: datetime.datetime(2020, 1, 1), datetime.date: datetime.date(2020, 1, 1),
    }.get(wanted, "x")


def ask(directory, dsn):
    sys.path[:0] = [directory, OUTSIDE]
    modules = []
    for where, dirs, files in sorted(os.walk(directory)):
        dirs.sort()
        for name in sorted(files):
            rel = os.path.relpath(os.path.join(where, name), directory)
            if name.endswith(".py"):
                dotted = rel[:-3].replace(os.sep, ".")
                modules.append(importlib.import_module(dotted[: -len(".__init__")] if dotted.endswith(".__init__") else dotted))
            elif "." not in name:
                loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), os.path.join(where, name))
                module = types.ModuleType(loader.name)
                module.__file__ = os.path.join(where, name)
                sys.modules[loader.name] = module
                loader.exec_module(module)
                modules.append(module)

    classes = []
    for registry in orm.mapperlib._all_registries():
        registry.configure()
        classes += [m.class_ for m in registry.mappers]
    classes = sorted((c for c in set(classes) if (getattr(sys.modules.get(c.__module__), "__file__", "") or "").startswith(directory)),
                     key=lambda c: c.__name__)
    selects, tables = {}, {}
    for c in classes:
        selects[c.__name__] = str(sa.select(c).compile(dialect=postgresql.dialect()))
        tables[c.__name__] = sa.inspect(c).local_table.fullname

    sent = []
    engine = sa.create_engine("postgresql+psycopg2://", creator=lambda: psycopg2.connect(dsn))
    metadatas = {sa.inspect(c).local_table.metadata for c in classes}
    with engine.connect() as conn:
        begun = conn.begin()
        conn.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for md in metadatas:
            for t in md.tables.values():
                if t.schema:
                    conn.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS " + t.schema)
        for md in metadatas:
            md.create_all(conn)

        @sa.event.listens_for(conn, "before_cursor_execute")
        def record(conn, cursor, statement, parameters, context, executemany):
            sent.append(statement)

        session = orm.Session(bind=conn)
        for c in classes:
            mapper = sa.inspect(c)
            o = c()
            for table in mapper.tables:
                for column in table.columns:
                    if mapper.columns.contains_column(column) is False or column.nullable or column.default is not None or column.server_default is not None:
                        continue
                    if column is table._autoincrement_column or column.computed is not None:
                        continue
                    if any(key.column.table in mapper.tables and key.column.table is not table for key in column.foreign_keys):
                        continue
                    key = mapper.get_property_by_column(column).key
                    if getattr(o, key, None) is None:
                        setattr(o, key, value(column))
            session.add(o)
            session.flush()
            session.expunge_all()
        for module in modules:
            if hasattr(module, "store"):
                module.store(session)
                session.flush()
        session.close()
        begun.rollback()
    return {"version": sa.__version__, "selects": selects, "tables": tables, "statements": sent}


def forked(directory, dsn):
    """ask in a process of its own, because the fixtures' modules have the same names."""
    ours, theirs = os.pipe()
    if os.fork() == 0:
        os.close(ours)
        try:
            result = ask(directory, dsn)
        except BaseException:
            result = {"error": traceback.format_exc()}
        with os.fdopen(theirs, "w") as out:
            json.dump(result, out)
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours) as answer:
        result = json.load(answer)
    os.wait()
    return result


json.dump({directory: forked(directory, sys.argv[1]) for directory in sys.argv[2:]}, sys.stdout)
