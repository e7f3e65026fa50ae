#!/usr/bin/env bash
# Times the tools beside their peers on generated trees, prints the ratios and writes them to a page: `make bench`.
#
#   BENCH_DIR      where trees, streams and results go; kept and used again (default: a temporary directory, removed)
#   BENCH_SCALE    percent of the full size of each tree and stream (default 100, which takes about 25 GB)
#   BENCH_JOBS     which jobs (default all: start hash dups cold index stream rename copy ingest pack memory curves)
#   BENCH_TREES    which trees (default A B C D E, see options_of)
#   BENCH_RUNS     least number of timed runs of each command (default 5), after one that warms the page cache
#   BENCH_SAMPLES  photos and videos to ingest (default: a generated tree)
#   BENCH_FAR      a directory on another filesystem (default: one below /dev/shm)
#   BENCH_PAGE     where the page and its plots go (default: BENCH_DIR)
#
# Caches are warm unless a job says otherwise; all output goes to /dev/null. Peers run with their caches off, in as many
# threads as they like, and with the smallest size of file set so low that they look at the same files. Needs hyperfine,
# python3 and rustc; peers (b3sum, fclones, czkawka_cli, jdupes, rmlint, rdfind, fpart, exiftool, the Python package
# duckdb) are used where they are installed, and named on the page where they are not. Each result is kept as hyperfine's
# JSON in BENCH_DIR/results; what was measured before stays on the page until it is measured anew.
set -euo pipefail

scale=${BENCH_SCALE:-100}
jobs=${BENCH_JOBS:-start hash dups cold index stream rename copy ingest pack memory curves}
trees=${BENCH_TREES:-A B C D E}
runs=${BENCH_RUNS:-5}
benches=$(dirname "$(realpath "${BASH_SOURCE[0]}")")

for needed in hyperfine python3 rustc ms-gen ms-crawl ms-dupes ms-ingest ms-mv ms-pack; do
    command -v "$needed" >/dev/null || { echo "bench: $needed is not installed" >&2; exit 2; }
done

if [[ -n ${BENCH_DIR:-} ]]; then
    dir=$(realpath -m "$BENCH_DIR")
    mkdir -p "$dir"
else
    dir=$(mktemp -d)
    trap 'rm -rf -- "$dir"' EXIT
fi
page=$(realpath -m "${BENCH_PAGE:-$dir}")
results=$dir/results
mkdir -p "$results"
cd "$dir"
# Journals and what czkawka keeps stay here as well.
export XDG_STATE_HOME=$dir/state XDG_CACHE_HOME=$dir/cache LC_ALL=C.UTF-8

[[ floor -nt $benches/floor.rs ]] || rustc --edition 2024 -C opt-level=3 -o floor "$benches/floor.rs"

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
        # less of the same, for the curves
        E10k) echo "--seed 5 --files $(scaled 10000) --min-size 1 --max-size 100 --dup-share 20 --kinds txt" ;;
        E100k) echo "--seed 5 --files $(scaled 100000) --min-size 1 --max-size 100 --dup-share 20 --kinds txt" ;;
        # a card of photos and videos
        I) echo "--seed 7 --files $(scaled 2000) --kinds jpg,png,mp4,mov" ;;
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
flags=()
piped=(--shell 'bash -o pipefail')
ours() { names=("$1") commands=("$2") absent=() flags=("${piped[@]}" --warmup 1 --min-runs "$runs"); }
beside() { names+=("$1") commands+=("$2"); }
against() { # PROGRAM NAME COMMAND
    if command -v "$1" >/dev/null; then beside "$2" "$3"; else absent+=("$2"); fi
}

# race TITLE FILE GOAL: times the contest and prints its table. GOAL is what ours may take of the fastest other, in
# percent. A command that fails ends the whole bench.
race() {
    local arguments=() at
    for at in "${!names[@]}"; do arguments+=(--command-name "${names[at]}" "${commands[at]}"); done
    hyperfine --style none "${flags[@]}" --export-json "$results/$2.json" "${arguments[@]}" \
        >/dev/null 2>"$results/$2.log" || { cat "$results/$2.log" >&2; exit 1; }
    python3 "$benches/page.py" note "$results/$2.json" "$1" "$3" "${absent[@]}"
}

# The ways of b3sum, and the least there is to do.
hash_everything() {
    make_tree "$1"
    ours 'ms-crawl' "ms-crawl $1"
    against b3sum 'b3sum, all at once' "find $1 -type f -print0 | xargs -0 b3sum"
    against b3sum 'b3sum, a thread for each 500 files' \
        "find $1 -type f -print0 | xargs -0 -P$(nproc) -n500 b3sum --num-threads 1"
    race "Tree $1, hash everything" "hash-$1" 70
    ours 'ms-crawl' "ms-crawl $1"
    beside 'reading alone, in as many threads' "./floor read $1 $(nproc)"
    race "Tree $1, hash everything, beside reading" "read-$1" 130
}

duplicates_by_all() {
    ours 'ms-crawl --hash dups | ms-dupes' "ms-crawl --hash dups $1 | ms-dupes"
    against czkawka_cli czkawka_cli "czkawka_cli dup --disable-cache --minimal-file-size 1 -W -d $PWD/$1"
    # With a million files these take minutes.
    if [[ $1 == E ]]; then return; fi
    against fclones fclones "fclones group --hidden --no-ignore $1"
    against jdupes jdupes "jdupes -r -q $1"
    against rmlint rmlint "rmlint --types df --hidden --output fdupes:stdout $1"
    against rdfind rdfind "rdfind -outputname /dev/null $1"
}

# find_duplicates TREE warm|cold
find_duplicates() {
    make_tree "$1"
    duplicates_by_all "$1"
    if [[ $2 == warm ]]; then
        if [[ $1 == E ]]; then flags=("${piped[@]}" --warmup 1 --runs 3); fi
        race "Tree $1, find duplicates" "dups-$1" 70
        return
    fi
    if ((EUID != 0)); then echo "bench: cold: only root can empty the page cache" >&2; return; fi
    flags=("${piped[@]}" --runs 3 --prepare 'sync; echo 3 >/proc/sys/vm/drop_caches')
    race "Tree $1, find duplicates, cold" "cold-$1" 90
}

unchanged() {
    make_tree E
    ms-crawl --quiet --index kept.tsv E >/dev/null
    ours 'ms-crawl --index, nothing has changed' 'ms-crawl --index kept.tsv E'
    beside 'find -printf' "find E -printf '%s %T@ %i\n'"
    race 'Tree E, look for changes' index-find 120
    duplicates_by_all E
    ours 'ms-crawl --index | ms-dupes, nothing has changed' 'ms-crawl --index kept.tsv E | ms-dupes'
    against czkawka_cli 'czkawka_cli with its cache' "czkawka_cli dup --minimal-file-size 1 -W -d $PWD/E"
    flags=("${piped[@]}" --warmup 1 --runs 3)
    race 'Tree E, find duplicates again' index-cached 50
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

# The same question in SQL: the plan with all columns and in order, as ms-dupes prints it; and the least that still says
# which files are meant.
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
}
duckdb.execute(f"COPY ({queries[query]}) TO '/dev/null' (FORMAT csv, DELIMITER '\t', HEADER false, QUOTE '', ESCAPE '')")
PYTHON
}

has_duckdb() { python3 -c 'import duckdb' 2>/dev/null; }

stream() {
    make_stream stream.tsv "$(scaled 5000000)"
    make_queries
    local way
    for way in 'ms-dupes:ms-dupes stream.tsv:file' 'ms-dupes, from a pipe:cat stream.tsv | ms-dupes:pipe'; do
        IFS=: read -r name command kind <<<"$way"
        ours "$name" "$command"
        if has_duckdb; then
            beside 'DuckDB, the same plan' 'python3 in_sql.py stream.tsv plan'
            beside 'DuckDB, path and keep, any order' 'python3 in_sql.py stream.tsv names'
        else
            absent+=('DuckDB for Python')
        fi
        race "$(scaled 5000000) records, find duplicates ($kind)" "stream-$kind" 40
    done
}

# The way there and back of each file of a tree, as a plan and as a list of names.
renaming() {
    local count
    count=$(scaled 100000)
    rm -rf here there state
    python3 - "$count" <<'PYTHON'
import os, sys
for number in range(int(sys.argv[1])):
    directory = f"2012/m{number // 500 % 12}/d{number // 500}"
    if number % 500 == 0:
        os.makedirs(f"here/{directory}")
        os.makedirs(f"there/{directory}")
    with open(f"here/{directory}/IMG_{number}.jpg", "w") as file:
        file.write(str(number))
PYTHON
    ms-crawl --quiet --sort here | awk -F '\t' -v OFS='\t' '{ to = $1; sub(/^here/, "there", to); print $0, to }' >there.plan
    awk -F '\t' -v OFS='\t' '{ print $1, $6 }' there.plan >there.list
    awk -F '\t' -v OFS='\t' '{ print $6, $1 }' there.plan >back.list
    cat >back.sh <<'SH'
if [ ! -e "$(head -n 1 there.list | cut -f 1)" ]; then ./floor rename back.list; fi
rm -rf state
SH
    ours 'ms-mv' 'ms-mv --quiet there.plan'
    beside 'renameat2 alone' './floor rename there.list'
    flags+=(--prepare 'sh back.sh')
    race "$count renames" rename 200
    rm -rf here there
}

copying() {
    make_tree A
    local far
    far=$(mktemp -d "${BENCH_FAR:-/dev/shm}/bench.XXXXXX")
    find A -type f | sort | sed -n "1,$(scaled 1600)p" >copied.list
    cat >fresh.sh <<SH
rm -rf moving '$far'/* state
mkdir moving
xargs -d '\n' cp --parents -t moving <copied.list
ms-crawl --quiet moving >moving.tsv
SH
    ours 'ms-mv --to, another filesystem' "ms-mv --quiet --to $far moving.tsv"
    against b3sum 'cp -a, and b3sum of the copy' "cp -a moving $far && find $far -type f -print0 | xargs -0 b3sum"
    flags+=(--prepare 'sh fresh.sh')
    race 'A gigabyte to another filesystem, verified' copy 120
    rm -rf moving "$far"
}

ingest() {
    local samples=${BENCH_SAMPLES:-I}
    if [[ $samples == I ]]; then make_tree I; fi
    ours 'ms-ingest' "ms-ingest --to photos $samples"
    local tags='-DateTimeOriginal -CreateDate -OffsetTimeOriginal -SubSecTimeOriginal -Make -Model'
    against exiftool 'exiftool' "exiftool -q -q -m -r -csv $tags $samples || true"
    race 'Ingest' ingest 5
}

# fpart gets paths and sizes alone, and knows nothing of filesystems, days or order.
packing() {
    make_stream pack.tsv "$(scaled 1000000)"
    awk -F '\t' '{ print $3 " " $1 }' pack.tsv >pack.sizes
    ours 'ms-pack' 'ms-pack --quiet --to none pack.tsv'
    against fpart 'fpart' 'fpart -a -i pack.sizes -s 24220008448'
    race "Packing $(scaled 1000000) records into volumes of 25 GB" pack 50
}

# A start of a shell costs more than that of a tool.
starting() {
    local tool
    names=() commands=() absent=()
    for tool in ms-crawl ms-dupes ms-gen ms-ingest ms-mv ms-pack ms-seal ms-verify; do
        beside "$tool --version" "$(command -v "$tool") --version"
    done
    flags=(-N --warmup 20 --runs 200)
    race 'Starting' start ''
}

# peak FILE NAME LIMIT WHAT COMMAND...: the most memory that one process held, whole and without what was mapped from
# files, beside a LIMIT in bytes for each WHAT.
peak() { python3 "$benches/page.py" peak "$results" "$@"; }

memory() {
    make_tree E
    make_stream stream.tsv "$(scaled 5000000)"
    make_queries
    echo "Most memory"
    peak memory-crawl 'ms-crawl, tree E' 64Mi 1 ms-crawl E
    peak memory-dups 'ms-crawl --hash dups, tree E' 120 "$(scaled 1000000)" ms-crawl --hash dups E
    peak memory-stream 'ms-dupes' 40 "$(scaled 5000000)" ms-dupes stream.tsv
    if has_duckdb; then peak memory-duckdb 'DuckDB, the same plan' '' 1 python3 in_sql.py stream.tsv plan; fi
}

# curve FILE SIZE COMMAND: one point of a curve.
curve() {
    ours "$2" "$3"
    flags=("${piped[@]}" --warmup 1 --runs 3)
    race "$1: $2" "curve-$1-$2" ''
}

curves() {
    local tree records
    for tree in E10k:10000 E100k:100000 E:1000000; do
        make_tree "${tree%:*}"
        ms-crawl --quiet --index "${tree%:*}.tsv" "${tree%:*}" >/dev/null
        curve crawl "$(scaled "${tree#*:}")" "ms-crawl ${tree%:*}"
        curve dups "$(scaled "${tree#*:}")" "ms-crawl --hash dups ${tree%:*} | ms-dupes"
        curve index "$(scaled "${tree#*:}")" "ms-crawl --index ${tree%:*}.tsv ${tree%:*}"
    done
    make_stream rows.tsv "$(scaled 50000000)"
    for records in 1000000 5000000 10000000 20000000; do
        head -n "$(scaled $records)" rows.tsv >some.tsv
        curve rows "$(scaled $records)" 'ms-dupes some.tsv'
    done
    curve rows "$(scaled 50000000)" 'ms-dupes rows.tsv'
    rm some.tsv rows.tsv
}

echo "$(nproc) processors, $(uname -sr), scale $scale %"
for job in $jobs; do
    case $job in
        hash) for tree in $trees; do [[ $tree != [ABC] ]] || hash_everything "$tree"; done ;;
        dups) for tree in $trees; do find_duplicates "$tree" warm; done ;;
        # With a million files, and nothing in memory, most peers take many minutes.
        cold) for tree in $trees; do [[ $tree == E ]] || find_duplicates "$tree" cold; done ;;
        index) unchanged ;;
        stream) stream ;;
        rename) renaming ;;
        copy) copying ;;
        ingest) ingest ;;
        pack) packing ;;
        start) starting ;;
        memory) memory ;;
        curves) curves ;;
        *) echo "bench: $job: there is no such job" >&2; exit 2 ;;
    esac
done
python3 "$benches/page.py" write "$results" "$page" "$scale"
