#!/usr/bin/env bash
# Times the tools beside their peers on generated trees and prints the ratios: `make bench`.
#
#   BENCH_DIR    where trees, streams and results go; kept and used again (default: a temporary directory, removed)
#   BENCH_SCALE  percent of the full size of each tree and stream (default 100, which takes about 12 GB)
#   BENCH_TREES  which trees, S for the stream, P for packing (default "A B C S P"; D and E are there too, see options_of)
#   BENCH_RUNS   least number of timed runs of each command (default 5), after one that warms the page cache
#
# Every number is the minimum over the runs, in seconds, with a warm cache; all output goes to /dev/null. Peers run with
# their caches off and with the smallest size of file set so low that they look at the same files. Needs hyperfine and
# python3; peers (b3sum, fclones, czkawka_cli, jdupes, rmlint, rdfind, fpart, the Python package duckdb) are used where
# they are installed. Each result is kept as hyperfine's JSON in BENCH_DIR/results.
set -euo pipefail

scale=${BENCH_SCALE:-100}
trees=${BENCH_TREES:-A B C S P}
runs=${BENCH_RUNS:-5}

for needed in hyperfine python3 ms-gen ms-crawl ms-dupes ms-pack; do
    command -v "$needed" >/dev/null || { echo "bench: $needed is not installed" >&2; exit 2; }
done

if [[ -n ${BENCH_DIR:-} ]]; then
    dir=$BENCH_DIR
    mkdir -p "$dir"
else
    dir=$(mktemp -d)
    trap 'rm -rf -- "$dir"' EXIT
fi
results=$dir/results
mkdir -p "$results"
cd "$dir"

# scaled NUMBER: so much of it as BENCH_SCALE asks for, at least 4.
scaled() {
    local number=$(($1 * scale / 100))
    echo $((number < 4 ? 4 : number))
}

# options_of TREE: what ms-gen is to make.
options_of() {
    case $1 in
        # 9,000 photos, 5.6 GB, a quarter of them duplicates
        A) echo "--seed 1 --files $(scaled 9000) --total $(scaled 5600)M --dup-share 25 --kinds jpg" ;;
        # 150,000 small files, a fifth of them duplicates
        B) echo "--seed 2 --files $(scaled 150000) --min-size 1K --max-size 12K --dup-share 20 --kinds jpg,txt" ;;
        # 4 videos of 768 MB, two of them equal
        C) echo "--seed 3 --files 4 --min-size $(scaled 768)M --max-size $(scaled 768)M --dup-share 25 --kinds mp4" ;;
        # 20,000 raw photos of one camera: five sizes, and differences only in the middle or near the end
        D) echo "--seed 4 --files $(scaled 20000) --min-size 140K --max-size 160K --dup-share 5 --alike 5 --kinds jpg" ;;
        # 1,000,000 tiny files
        E) echo "--seed 5 --files $(scaled 1000000) --min-size 1 --max-size 100 --dup-share 20 --kinds txt" ;;
        *) echo "bench: $1: there is no such tree" >&2; return 2 ;;
    esac
}

# make_tree NAME: unless it is there already, made with the same options.
make_tree() {
    local options
    options=$(options_of "$1")
    if [[ -d $1 && $options == "$(cat "$1.options" 2>/dev/null)" ]]; then return; fi
    rm -rf -- "./$1" "./$1.options"
    echo "making tree $1: ms-gen $options" >&2
    # shellcheck disable=SC2086 # options are words
    ms-gen --quiet $options "$1"
    echo "$options" >"$1.options"
}

# A contest: pairs of name and command, ours first; `against` leaves out what is not installed and says so.
names=()
commands=()
absent=()
ours() { names=("$1") commands=("$2") absent=(); }
beside() { names+=("$1") commands+=("$2"); }
against() { # PROGRAM NAME COMMAND
    if command -v "$1" >/dev/null; then beside "$2" "$3"; else absent+=("$2"); fi
}

# race TITLE FILE: times the contest and prints its table. A command that fails ends the whole bench.
race() {
    local arguments=() at
    for at in "${!names[@]}"; do arguments+=(--command-name "${names[at]}" "${commands[at]}"); done
    hyperfine --shell 'bash -o pipefail' --style none --warmup 1 --min-runs "$runs" --export-json "$results/$2.json" \
        "${arguments[@]}" >/dev/null 2>"$results/$2.log" || { cat "$results/$2.log" >&2; exit 1; }
    print_table "$1" "$results/$2.json" "${absent[@]}"
}

print_table() {
    python3 - "$@" <<'PYTHON'
import json, sys
title, file, *absent = sys.argv[1:]
ours, *peers = json.load(open(file))["results"]
print(f"\n{title}\n  {'':38} {'seconds':>8} {'ours/its':>9}")
print(f"  {ours['command']:38} {ours['min']:8.3f}")
for peer in sorted(peers, key=lambda peer: peer["min"]):
    print(f"  {peer['command']:38} {peer['min']:8.3f} {ours['min'] / peer['min']:9.2f}")
for name in absent:
    print(f"  {name:38}   absent")
PYTHON
}

hash_everything() {
    ours 'ms-crawl' "ms-crawl $1"
    against b3sum 'b3sum, all at once' "find $1 -type f -print0 | xargs -0 b3sum"
    against b3sum 'b3sum, a thread for each 500 files' \
        "find $1 -type f -print0 | xargs -0 -P$(nproc) -n500 b3sum --num-threads 1"
    race "Tree $1, hash everything" "hash-$1"
}

find_duplicates() {
    ours 'ms-crawl --hash dups | ms-dupes' "ms-crawl --hash dups $1 | ms-dupes"
    against czkawka_cli czkawka_cli "czkawka_cli dup --disable-cache --minimal-file-size 1 -W -d $PWD/$1"
    against fclones fclones "fclones group --hidden --no-ignore $1"
    against jdupes jdupes "jdupes -r -q $1"
    against rmlint rmlint "rmlint --types df --hidden --output fdupes:stdout $1"
    against rdfind rdfind "rdfind -outputname /dev/null $1"
    race "Tree $1, find duplicates" "dupes-$1"
}

# make_stream FILE RECORDS: an index as of a tree of photos, a quarter of its records duplicates, in no order of hash.
make_stream() {
    if [[ -f $1 && $(wc -l <"$1") == "$2" ]]; then return; fi
    echo "making a stream of $2 records" >&2
    python3 - "$2" >"$1" <<'PYTHON'
import hashlib, random, sys
chance, distinct, out = random.Random(6), 0, sys.stdout
for number in range(int(sys.argv[1])):
    if distinct and chance.random() < 0.25:
        content = chance.randrange(distinct)
    else:
        content, distinct = distinct, distinct + 1
    digest = hashlib.blake2b(content.to_bytes(8, "little"), digest_size=32).hexdigest()
    path = f"photos/{1995 + number % 30}/{1 + number % 12:02}/IMG_{number:07}.jpg"
    size, mtime = 1000 + int(digest[:6], 16), 800_000_000 + number * 180
    out.write(f"{path}\t{digest}\t{size}\t{mtime}.{number:09}\t64769:{number}\n")
PYTHON
}

# The same question in SQL: the plan with all columns and in order, as ms-dupes prints it; the least that still says which
# files are meant; and less than that.
make_queries() {
    cat >in_sql.py <<'PYTHON'
import sys
import duckdb
stream, query = sys.argv[1:]
columns = {"path": "VARCHAR", "hash": "VARCHAR", "size": "UBIGINT", "mtime": "VARCHAR", "id": "VARCHAR"}
files = f"""read_csv('{stream}', delim = '\t', header = false, quote = '', escape = '', nullstr = '-',
    columns = {columns})"""
queries = {
    "plan": f"""SELECT path, hash, size, mtime, id, 'duplicates/' || path AS dest, keep.path AS keep,
            'keep mtime=' || keep.mtime || ' id=' || keep.id AS note
        FROM (SELECT *, min({{'path': path, 'mtime': mtime, 'id': id}}) OVER (PARTITION BY hash, size) AS keep FROM {files})
        WHERE path <> keep.path ORDER BY path""",
    "names": f"""SELECT path, min(path) OVER (PARTITION BY hash, size) AS keep FROM {files} QUALIFY path <> keep""",
    "hashes": f"""SELECT hash, count(*) AS names FROM {files} GROUP BY hash HAVING names > 1""",
}
duckdb.execute(f"COPY ({queries[query]}) TO '/dev/null' (FORMAT csv, DELIMITER '\t', HEADER false, QUOTE '', ESCAPE '')")
PYTHON
}

# peak NAME COMMAND...: the most memory that one process held, in MB, and of that what was not mapped from a file.
peak() {
    python3 - "$@" <<'PYTHON'
import resource, subprocess, sys, time
name, *command = sys.argv[1:]
child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
own = 0
while child.poll() is None:
    try:
        status = dict(line.split(":", 1) for line in open(f"/proc/{child.pid}/status"))
        own = max(own, int(status.get("RssAnon", "0 kB").split()[0]))
    except (FileNotFoundError, ProcessLookupError):
        pass
    time.sleep(0.002)
if child.returncode:
    sys.exit(f"bench: {name} failed")
whole = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(f"  {name:38} {whole / 1000:8.0f} {own / 1000:9.0f}")
PYTHON
}

stream() {
    local records file
    records=$(scaled 5000000)
    file=stream.tsv
    make_stream "$file" "$records"
    make_queries
    ours 'ms-dupes' "ms-dupes $file"
    beside 'ms-dupes, from a pipe' "cat $file | ms-dupes"
    local has_duckdb=true
    python3 -c 'import duckdb' 2>/dev/null || has_duckdb=false
    if $has_duckdb; then
        beside 'DuckDB, the same plan' "python3 in_sql.py $file plan"
        beside 'DuckDB, path and keep, any order' "python3 in_sql.py $file names"
        beside 'DuckDB, only hash and count' "python3 in_sql.py $file hashes"
    else
        absent+=('DuckDB for Python')
    fi
    race "Stream of $records records, $(($(stat -c %s "$file") / 1000000)) MB" stream
    printf '\n  %-38s %8s %9s\n' 'peak memory in MB' whole 'own pages'
    peak 'ms-dupes' ms-dupes "$file"
    if $has_duckdb; then
        peak 'DuckDB, the same plan' python3 in_sql.py "$file" plan
        peak 'DuckDB, path and keep, any order' python3 in_sql.py "$file" names
        peak 'DuckDB, only hash and count' python3 in_sql.py "$file" hashes
    fi
}

# fpart gets paths and sizes alone, and knows nothing of filesystems, days or order.
packing() {
    local records
    records=$(scaled 1000000)
    make_stream pack.tsv "$records"
    awk -F '\t' '{ print $3 " " $1 }' pack.tsv >pack.sizes
    ours 'ms-pack' 'ms-pack --quiet --to none pack.tsv'
    beside 'ms-pack, from a pipe' 'cat pack.tsv | ms-pack --quiet --to none'
    against fpart 'fpart' 'fpart -a -i pack.sizes -s 24220008448'
    race "Packing $records records into volumes of 25 GB" packing
    printf '\n  %-38s %8s %9s\n' 'peak memory in MB' whole 'own pages'
    peak 'ms-pack' ms-pack --quiet --to none pack.tsv
}

echo "$(nproc) processors, $(uname -sr), scale $scale %"
for tree in $trees; do
    if [[ $tree == S ]]; then
        stream
    elif [[ $tree == P ]]; then
        packing
    else
        make_tree "$tree"
        hash_everything "$tree"
        find_duplicates "$tree"
    fi
done
