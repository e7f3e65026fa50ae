"""Runs a file of share/sql with DuckDB in this process, once for each set of settings.

usage: duck.py SPEC

SPEC is a JSON file: a list of objects with "sql", "index", "plan", "quarantine" and "protect".
"""

import json
import sys
from pathlib import Path

import duckdb


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def main(spec):
    for run in json.loads(Path(spec).read_text()):
        connection = duckdb.connect()
        for name in ["index", "plan", "quarantine"]:
            value = run[name] + ".tsv" if name == "plan" else run[name]
            connection.execute(f"SET VARIABLE {name} = {quoted(value)}")
        protect = ", ".join(quoted(dir) for dir in run["protect"])
        connection.execute(f"SET VARIABLE protect = [{protect}]::VARCHAR[]")
        connection.execute(Path(run["sql"]).read_text())


if __name__ == "__main__":
    main(sys.argv[1])
