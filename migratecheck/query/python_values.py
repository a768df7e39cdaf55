# Asks SQLAlchemy, through psycopg2 and a real server, what becomes of values where a column's type in the class is not the one it
# has in the database. For each of the types below and each of the server's: of the server's own values, what loading one gives;
# of the class's own values, what storing one gives. Prints rows of "SQLAlchemy type, PostgreSQL type, read, write", of which
#
#   ok      every value is loaded as one of the class's own Python type, or is stored
#   other   every value is loaded, as one of another Python type that does not equal it
#   may     some values are refused, or loaded as another type
#   fails   every value is refused
import datetime
import decimal
import json
import sys
import uuid

import psycopg2
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects import postgresql as pg

UTC = datetime.timezone.utc
NOW = datetime.datetime(2020, 1, 2, 3, 4, 5)
ID = uuid.UUID("0f8fad5b-d9cb-469f-a165-70867728950e")
NUMBER = (int, float, decimal.Decimal, bool)  # values of these that are equal are equal to Python

# The values are those that a type of the class takes, of which some would be taken by another type too.
OURS = {
    "Integer": (sa.Integer, NUMBER, [0, 1, 20200102]),
    "Numeric": (sa.Numeric, NUMBER, [decimal.Decimal("0"), decimal.Decimal("1"), decimal.Decimal("1.5")]),
    "Float": (sa.Float, NUMBER, [0.0, 1.0, 1.5]),
    "Boolean": (sa.Boolean, NUMBER, [True, False]),
    "String": (sa.String, (str,), ["x", "", "1", "1.5", "true", "a", "2020-01-02", "03:04", "1 day", str(ID), "{}", "[]", "null", "1.2.3.4"]),
    "LargeBinary": (sa.LargeBinary, (bytes,), [b"x", b"", b"1"]),
    "DateTime": (sa.DateTime, (datetime.datetime,), [NOW, NOW.replace(tzinfo=UTC)]),
    "Date": (sa.Date, (datetime.date,), [NOW.date()]),
    "Time": (sa.Time, (datetime.time,), [NOW.time()]),
    "Interval": (sa.Interval, (datetime.timedelta,), [datetime.timedelta(days=1), datetime.timedelta(0)]),
    "UUID": (pg.UUID(as_uuid=True), (uuid.UUID,), [ID]),
    "ARRAY": (pg.ARRAY(sa.String), (list,), [[], ["x"], ["1", "2"]]),
    "JSON": (sa.JSON, (), [{}, [], {"a": 1}, "x", 1, 20200102, True, "1.2.3.4"]),
    "Enum": (sa.Enum("a", "b", name="letter"), (str,), ["a", "b"]),
}

THEIRS = {
    "smallint": ["0", "1", "-5"], "integer": ["0", "1", "-5"], "bigint": ["0", "1", "-5"], "numeric": ["0", "1.5"], "real": ["1.5", "0"],
    "double precision": ["0", "1.5"], "boolean": ["true", "false"], "text": ["x", "", "1", "a", str(ID), "2020-01-02", "{}"],
    "varchar": ["x", "", "1", "a", str(ID), "2020-01-02", "{}"], "bytea": ["x", "", "1"], "timestamp": ["2020-01-02 03:04:05"],
    "timestamptz": ["2020-01-02 03:04:05"], "date": ["2020-01-02"], "time": ["03:04:05"], "interval": ["1 day", "0"], "uuid": [str(ID)],
    "json": ["{}", "[]", '{"a": 1}', '"x"', "1"], "jsonb": ["{}", "[]", '{"a": 1}', '"x"', "1"], "inet": ["1.2.3.4"],
    "enum": ["a", "b"], "integer[]": ["{}", "{1,2}"], "text[]": ["{}", "{x}", "{1,2}"],
}


def verdict(list):
    """One word for the outcomes of all values."""
    return list[0] if len(set(list)) == 1 else "may"


# What bytes() and list() make of values of other types is not what those were.
HOLDING = {"LargeBinary": ("bytea",), "ARRAY": ("integer[]", "text[]")}


def is_own(value, own, text):
    if not own:  # a document is what its text says
        try:
            return value == json.loads(text)
        except ValueError:
            return False
    # a datetime is a date to Python, and is no day to code that compares it with one
    return isinstance(value, own) and not (own == (datetime.date,) and isinstance(value, datetime.datetime))


def measure(conn, name, theirs):
    kind, own, values = OURS[name]
    table = sa.Table("t", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("v", kind))

    class T:
        pass

    mapper = orm.registry()
    mapper.map_imperatively(T, table)
    read, write = [], []
    for text in THEIRS[theirs]:
        with conn.begin_nested() as point:
            conn.exec_driver_sql("INSERT INTO t (v) VALUES (%s)", (text,))
            try:
                got = orm.Session(bind=conn).query(T).one().v
                read.append("ok" if is_own(got, own, text) and theirs in HOLDING.get(name, (theirs,)) else "other")
            except Exception:
                read.append("fails")
            point.rollback()
    for value in values:
        with conn.begin_nested() as point:
            try:
                session = orm.Session(bind=conn)
                o = T()
                o.v = value
                session.add(o)
                session.flush()
                write.append("ok")
            except sa.exc.DBAPIError:
                write.append("fails")
            point.rollback()
    mapper.dispose()
    return verdict(read), verdict(write)


engine = sa.create_engine("postgresql+psycopg2://", creator=lambda: psycopg2.connect(sys.argv[1]))
with engine.connect() as conn:
    begun = conn.begin()
    conn.exec_driver_sql("CREATE TYPE letter AS ENUM ('a', 'b')")
    for theirs in THEIRS:
        conn.exec_driver_sql("CREATE TABLE t (id serial PRIMARY KEY, v %s)" % theirs.replace("enum", "letter"))
        for ours in OURS:
            print(ours, theirs, *measure(conn, ours, theirs), sep="\t")
        conn.exec_driver_sql("DROP TABLE t")
    begun.rollback()
