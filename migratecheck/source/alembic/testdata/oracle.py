# Runs alembic itself over directories of revisions, offline, and prints what it would send as JSON:
# {dir: {"upgrade": {"steps": [[revision, statement], …], "error": ""}, "downgrade": …}}.
# A step whose revision is empty is BEGIN or COMMIT. An argument "dir:per" sets transaction_per_migration.
import ast
import io
import json
import os
import re
import sys

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory


def target_metadata(directory):
    """What env.py has as target_metadata: its imports and assignments, without the calls that need a database."""
    path = os.path.join(directory, "env.py")
    if not os.path.exists(path):
        return None
    with open(path) as f:
        tree = ast.parse(f.read())
    tree.body = [n for n in tree.body if isinstance(n, (ast.Import, ast.ImportFrom, ast.Assign))]
    names = {}
    sys.path.insert(0, directory)
    try:
        exec(compile(tree, path, "exec"), names)
    finally:
        sys.path.remove(directory)
    return names.get("target_metadata")


def run(directory, way, per_migration):
    config = Config()
    config.set_main_option("script_location", directory)
    scripts = ScriptDirectory.from_config(config)
    heads = tuple(scripts.get_heads())
    up = way == "upgrade"

    def steps(revision, context):
        if up:
            return scripts._upgrade_revs("heads", None)
        return scripts._downgrade_revs("base", heads)

    metadata = target_metadata(directory)
    out = []
    current = [""]

    def record(text):
        text = text.strip()
        if text.startswith("-- Running "):
            current[0] = re.search(r"-> *([^,\s]+)" if up else r"downgrade ([^,\s]+)", text).group(1)
            return
        if text.endswith(";"):
            text = text[:-1]
        if text in ("BEGIN", "COMMIT"):
            out.append(["", text])
        elif not re.match(r"(CREATE TABLE|DROP TABLE|INSERT INTO|UPDATE|DELETE FROM) alembic_version\b", text):
            out.append([current[0], text])

    error = ""
    try:
        with EnvironmentContext(
            config, scripts, fn=steps, as_sql=True, starting_rev=None if up else heads, destination_rev="heads"
        ) as environment:
            environment.configure(
                dialect_name="postgresql",
                literal_binds=True,
                target_metadata=metadata,
                # An online connection doubles neither % nor \ in what reaches the server.
                dialect_opts={"paramstyle": "named"},
                transaction_per_migration=per_migration,
                output_buffer=io.StringIO(),
            )
            impl = environment.get_context().impl
            impl.dialect._backslash_escapes = False
            impl.static_output = record
            with environment.begin_transaction():
                environment.run_migrations()
    except Exception as e:
        error = "%s: %s" % (type(e).__name__, e)
    return {"steps": out, "error": error}


result = {}
for argument in sys.argv[1:]:
    directory, _, per = argument.partition(":")
    result[directory] = {way: run(directory, way, per == "per") for way in ("upgrade", "downgrade")}
json.dump(result, sys.stdout)
