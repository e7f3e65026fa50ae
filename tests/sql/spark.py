"""Runs a file of share/sql with Spark in this process, as spark-sql does, once for each set of settings.

usage: spark.py SPEC

SPEC is a JSON file: a list of objects with "sql", "index", "plan", "quarantine" and "protect".
"""

import json
import re
import sys
import time
from pathlib import Path

from pyspark.sql import SparkSession


def statements(text):
    """As spark-sql finds them: comments begin with -- at the start of a line here, and a semicolon ends a line."""
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    return [statement for statement in re.split(r";\s*(?:\n|$)", "\n".join(lines)) if statement.strip()]


def main(spec):
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.ui.showConsoleProgress", "false")
    builder = builder.config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
    spark = builder.config("spark.sql.shuffle.partitions", "4").config("spark.driver.memory", "2g").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    for run in json.loads(Path(spec).read_text()):
        for name in ["index", "plan", "quarantine"]:
            spark.conf.set(f"spark.mediastruct.{name}", run[name])
        spark.conf.set("spark.mediastruct.protect", json.dumps(run["protect"]))
        for statement in statements(Path(run["sql"]).read_text()):
            begun = time.monotonic()
            spark.sql(statement).collect()
            if "--times" in sys.argv:
                print(f"{time.monotonic() - begun:.2f} {statement.split(' AS')[0][:80]!r}", file=sys.stderr)
        parts = sorted(Path(run["plan"]).glob("part-*"))
        Path(run["plan"] + ".tsv").write_bytes(b"".join(part.read_bytes() for part in parts))
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1])
