#!/usr/bin/env bash
# Measures the ways to a plan for very many rows, beside each other: ms-dupes, ms-dupes --sorted, ms-dupes --shard, DuckDB and
# Spark: `make scale`. The table goes to standard output, for the figures of mediastruct(7).
#
#   SCALE_ROWS   how many rows (default 10000000, which takes about 10 GB of disk)
#   SCALE_HOSTS  of how many hosts, each with an index of its own (default 8)
#   SCALE_DIR    where everything goes, and is removed again (default: a temporary directory)
#   SCALE_WAYS   which ways (default all: memory sort sorted shard duckdb spark)
#
# A quarter of the rows repeats the content of another one, on any host. Each way makes the same plan, which is checked.
# Memory is what was a process's own at its peak, not mapped from a file; for Spark, that of the Java machine.
set -euo pipefail

rows=${SCALE_ROWS:-10000000}
hosts=${SCALE_HOSTS:-8}
ways=${SCALE_WAYS:-memory sort sorted shard duckdb spark}
sql=$(cd "$(dirname "${BASH_SOURCE[0]}")/../share/sql" && pwd)
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")/../tests/sql" && pwd)

for needed in python3 ms-dupes sort; do
    command -v "$needed" >/dev/null || { echo "scale: $needed is not installed" >&2; exit 2; }
done

if [[ -n ${SCALE_DIR:-} ]]; then mkdir -p "$SCALE_DIR"; fi
dir=$(mktemp -d ${SCALE_DIR:+--tmpdir="$SCALE_DIR"})
trap 'rm -rf -- "$dir"' EXIT
cd "$dir"
export TMPDIR=$dir LC_ALL=C
tab=$'\t'

# make_rows ROWS HOSTS: an index for each host, sorted by path as a kept one is.
make_rows() {
    python3 - "$@" <<'PYTHON'
import hashlib, random, sys
rows, hosts = int(sys.argv[1]), int(sys.argv[2])
chance = random.Random(1)
for host in range(hosts):
    name = f"host{host}"
    with open(f"{name}.tsv", "w") as out:
        for at in range(host, rows, hosts):
            content = chance.randrange(rows) if chance.random() < 0.25 else at
            digest = hashlib.blake2b(b"%d" % content, digest_size=32).hexdigest()
            path = f"{name}:/data/photos/{at // 100000:04}/{at // 500 % 200:03}/IMG_{at:010}.jpg"
            print(path, digest, 2_000_000 + content % 999_983, f"{1_000_000_000 + at}.000000000", f"{name}/2049:{at}",
                  sep="\t", file=out)
PYTHON
}

# measure WHAT COMMAND...: prints a line of the table; the command's processes are watched together.
measure() {
    python3 - "$rows" "$@" <<'PYTHON'
import os, subprocess, sys, time
rows, what, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]

def own(pid):
    """Of a process and those that it started, in kilobytes."""
    try:
        status = dict(line.split(":", 1) for line in open(f"/proc/{pid}/status"))
        children = open(f"/proc/{pid}/task/{pid}/children").read().split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(status.get("RssAnon", "0 kB").split()[0]) + sum(own(child) for child in children)

begin, peak = time.monotonic(), 0
child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
while child.poll() is None:
    peak = max(peak, own(child.pid))
    time.sleep(0.02)
seconds = time.monotonic() - begin
if child.returncode:
    sys.exit(f"scale: {what}: exit status {child.returncode}")
print(f"{what:<24} {seconds:9.1f} s {rows / seconds:14,.0f} rows/s {peak / 1024:9,.0f} MB {peak * 1024 / rows:8.1f} bytes/row")
PYTHON
}

# same PLAN: whether it is the plan that the first way has made.
same() {
    sort "$1" >"$1.by-path"
    if [[ ! -e expected ]]; then mv "$1.by-path" expected; else cmp "$1.by-path" expected; fi
    rm -f "$1" "$1.by-path"
}

# settings ENGINE: what the scripts of tests/sql read.
settings() {
    printf '[{"sql": "%s/dupes.%s.sql", "index": "%s/host*.tsv", "plan": "%s/made", "quarantine": "/q", "protect": []}]\n' \
        "$sql" "$1" "$dir" "$dir"
}

echo "$rows rows of $hosts hosts, $(nproc) processors"
make_rows "$rows" "$hosts"
for way in $ways; do
    case $way in
    memory)
        measure 'ms-dupes' bash -c 'ms-dupes -q --to /q host*.tsv > plan'
        same plan
        ;;
    sort)
        measure 'sort, each host' bash -c "for index in host*.tsv; do sort -t '$tab' -k 2,2 \$index > \${index%.tsv}.sorted; done"
        ;;
    sorted)
        [[ -e host0.sorted ]] || for index in host*.tsv; do sort -t "$tab" -k 2,2 "$index" >"${index%.tsv}.sorted"; done
        measure 'sort -m | ms-dupes --sorted' \
            bash -c "sort -m -t '$tab' -k 2,2 host*.sorted | ms-dupes -q --sorted --to /q > plan"
        same plan
        ;;
    shard)
        measure 'ms-dupes --shard 1/8' bash -c 'ms-dupes -q --to /q --shard 1/8 host*.tsv > plan'
        for shard in 2 3 4 5 6 7 8; do ms-dupes -q --to /q --shard $shard/8 host*.tsv >>plan; done
        same plan
        ;;
    duckdb | spark)
        settings "$way" >spec.json
        measure "$way" python3 "$scripts/$([[ $way == spark ]] && echo spark.py || echo duck.py)" spec.json
        same made.tsv
        ;;
    *)
        echo "scale: no way is called $way" >&2
        exit 2
        ;;
    esac
done
