#!/usr/bin/env bash
# Puts the tools to more than anybody has, and to less than they need, and checks what comes of it: `make soak`.
#
#   SOAK_DIR    where trees and streams go, and are removed again (default: a temporary directory)
#   SOAK_SCALE  percent of the full numbers (default 100, which takes up to 8 GB of disk at a time and an hour)
#   SOAK_CASES  which cases (default all: crawl crowd plan stream deep long descriptors memory)
#
# One line for each thing that was checked: what was done and, of a run, the seconds it took, the most memory that was
# its own (not mapped from a file), and the most that it may take by its manual. A line that begins with MISS fails the
# whole. Trees and streams are made by python3, seeded, and not by the tools that are put to the test.
set -euo pipefail

scale=${SOAK_SCALE:-100}
cases=${SOAK_CASES:-crawl crowd plan stream deep long descriptors memory}

for needed in python3 ms-crawl ms-dupes ms-mv ms-verify; do
    command -v "$needed" >/dev/null || { echo "soak: $needed is not installed" >&2; exit 2; }
done

if [[ -n ${SOAK_DIR:-} ]]; then mkdir -p "$SOAK_DIR"; fi
dir=$(mktemp -d ${SOAK_DIR:+--tmpdir="$SOAK_DIR"})
trap 'rm -rf -- "$dir"' EXIT
cd "$dir"
# The full numbers take more room than some file systems for temporary files have.
export XDG_STATE_HOME=$dir/state TMPDIR=$dir LC_ALL=C
misses=0

# scaled NUMBER: so much of it as SOAK_SCALE asks for, at least 4.
scaled() {
    local number=$(($1 * scale / 100))
    echo $((number < 4 ? 4 : number))
}

# check WHAT COMMAND...: says whether it succeeds.
check() {
    local what=$1
    shift
    if "$@"; then echo "  ok    $what"; else echo "  MISS  $what"; misses=$((misses + 1)); fi
}

lines_are() { [[ $(wc -l <"$1") == "$2" ]]; }
# grouped NUMBER: with a comma between thousands, as people are told it.
grouped() { sed ':again; s/\([0-9]\)\([0-9]\{3\}\)\($\|,\)/\1,\2\3/; t again' <<<"$1"; }
says() { grep -q -- "$1" err; }
files_are() { [[ $(find "$1" -type f 2>/dev/null | wc -l) == "$2" ]]; }
# Neither a panic, nor an abort, nor a signal is a clear message.
is_clear() { says "$1" && ! grep -q -e 'panicked' -e 'backtrace' err; }

# run WHAT STATUS MOST COMMAND...: runs it with its output in `out` and `err`, and checks its exit status and that its own
# memory stayed below MOST megabytes.
run() {
    local what=$1 status=$2 most=$3 seconds own ended
    shift 3
    read -r ended seconds own < <(measure "$@")
    local line
    line=$(printf '%-44s %8.1f s %6d MB of %d' "$what" "$seconds" "$own" "$most")
    if ((ended == status && own <= most)); then
        echo "  ok    $line"
    else
        echo "  MISS  $line, exit status $ended and not $status"
        head -n 3 err
        misses=$((misses + 1))
    fi
}

measure() {
    python3 - "$@" <<'PYTHON'
import subprocess, sys, time
begin, own = time.monotonic(), 0
with open("out", "wb") as out, open("err", "wb") as err:
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=out, stderr=err)
    while child.poll() is None:
        try:
            status = dict(line.split(":", 1) for line in open(f"/proc/{child.pid}/status"))
            own = max(own, int(status.get("RssAnon", "0 kB").split()[0]))
        except (FileNotFoundError, ProcessLookupError):
            pass
        time.sleep(0.005)
status = child.returncode if child.returncode >= 0 else 128 - child.returncode
print(status, time.monotonic() - begin, (own + 999) // 1000)
PYTHON
}

# make_files DIR NUMBER PER_DIRECTORY: small files, a fifth of which repeat another; tells how many do.
make_files() {
    python3 - "$@" <<'PYTHON'
import os, random, sys
top, number, share = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
chance, distinct = random.Random(1), 0
for at in range(number):
    if at % share == 0:
        where = f"{top}/{at // share:04}"
        os.makedirs(where)
    if distinct and chance.random() < 0.2:
        content = chance.randrange(distinct)
    else:
        content, distinct = distinct, distinct + 1
    handle = os.open(f"{where}/{at:07}.txt", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    os.write(handle, b"photo %d\n" % content * (1 + content % 9))
    os.close(handle)
print(number - distinct)
PYTHON
}

# Megabytes that are a tool's own before its first record: code's data, buffers and stacks of a few threads.
base=32

crawl() {
    local number duplicates
    number=$(scaled 1000000)
    echo "crawl: $number files in directories of 1000"
    duplicates=$(make_files tree "$number" 1000)
    run 'ms-crawl' 0 $base ms-crawl tree
    check "a record for each of $number files" lines_are out "$number"
    # 8 bytes for each new record, and 32 for a moment.
    run 'ms-crawl --index, new' 0 $((base + number * 40 / 1000000)) ms-crawl --index index.tsv tree
    check 'the index holds them all' lines_are index.tsv "$number"
    run 'ms-crawl --index, nothing has changed' 0 $((base + number * 22 / 1000000)) ms-crawl --index index.tsv tree
    check 'and all of them again' lines_are out "$number"
    # 56 bytes and the name, which takes 21 and what the allocator adds.
    run 'ms-crawl --hash dups' 0 $((base + number * 104 / 1000000)) ms-crawl --hash dups tree
    mv out dups.tsv
    run 'ms-dupes' 0 $((base + number * 40 / 1000000)) ms-dupes dups.tsv
    check "$duplicates duplicates" lines_are out "$duplicates"
    run 'ms-verify' 0 $((base + 32)) ms-verify index.tsv
    check 'all of them hold' lines_are out "$number"
    rm -rf tree index.tsv* dups.tsv
}

crowd() {
    local number
    number=$(scaled 500000)
    echo "crowd: $number files in one directory"
    make_files tree "$number" "$number" >/dev/null
    run 'ms-crawl' 0 $base ms-crawl tree
    check "a record for each of $number files" lines_are out "$number"
    awk -F '\t' -v OFS='\t' '{ to = $1; sub("^tree/0000", "moved", to); print $0, to, "-", "-" }' out >plan.tsv
    run 'ms-mv, from one directory to another' 0 $((base + number * 64 / 1000000)) ms-mv plan.tsv
    check 'a record for each' lines_are out "$number"
    check 'all of them are there' files_are moved "$number"
    check 'none is where it was' files_are tree 0
    run 'ms-mv --undo' 0 $((base + number * 64 / 1000000)) ms-mv --undo
    check 'all of them are back' files_are tree "$number"
    check 'and none is left' test ! -e moved
    rm -rf tree moved plan.tsv state
}

# As many names as rows would be too many files for most disks, so that files have many names.
plan() {
    local number
    number=$(scaled 10000000)
    echo "plan: $number rows"
    python3 - "$number" >plan.tsv <<'PYTHON'
import os, sys
number = int(sys.argv[1])
os.mkdir("tree")
for at in range(number):
    if at % 1000 == 0:
        where = f"tree/{at // 1000:05}"
        os.mkdir(where)
        rows = []
    if at % 50000 == 0:
        first = f"tree/first{at}"
        with open(first, "x") as file:
            file.write(first)
        status = os.stat(first)
        nanoseconds = status.st_mtime_ns
        what = f"-\t{status.st_size}\t{nanoseconds // 10**9}.{nanoseconds % 10**9:09}\t{status.st_dev}:{status.st_ino}"
    path = f"{where}/{at % 1000:03}"
    os.link(first, path)
    rows.append(f"{path}\t{what}\tto/{path}\t-\t-\n")
    if at % 1000 == 999 or at == number - 1:
        sys.stdout.write("".join(rows))
PYTHON
    # 56 bytes for each row while it is checked.
    run 'ms-mv --dry-run' 0 $((base + number * 56 / 1000000 + 32)) ms-mv --dry-run plan.tsv
    check 'a record for each row' lines_are out "$number"
    check 'which would move' says "would move $(grouped "$number") file"
    check 'nothing was touched' test ! -e to -a ! -e state
    # The last row wants the place of the first.
    paste <(tail -n 1 plan.tsv | sed 's/\t/x\t/' | cut -f 1-5) <(head -n 1 plan.tsv | cut -f 6-8) >last.tsv
    cat last.tsv >>plan.tsv
    run 'ms-mv, with a contradiction in the last row' 2 $((base + number * 56 / 1000000 + 32)) ms-mv plan.tsv
    check 'it names both rows' says "plan.tsv:$((number + 1)): .*its destination is also that of plan.tsv:1: "
    check 'nothing was touched' test ! -e to -a ! -e state
    rm -rf tree plan.tsv last.tsv
}

# make_stream NUMBER: an index, a quarter of its records duplicates, in no order of hash; tells how many are.
make_stream() {
    python3 - "$1" stream.tsv <<'PYTHON'
import random, sys
number, distinct, chance = int(sys.argv[1]), 0, random.Random(6)
with open(sys.argv[2], "w") as out:
    rows = []
    for at in range(number):
        if distinct and chance.random() < 0.25:
            content = int(chance.random() * distinct)
        else:
            content, distinct = distinct, distinct + 1
        # Odd, so that no two contents get the same; and none is all zeros.
        content += 1
        part = content * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
        rows.append(f"p/{at % 360}/{at}\t{part:016x}{part ^ content:016x}{part:016x}{content:016x}"
                    f"\t{1000 + part % 9999999}\t{800000000 + at}.500000000\t1:{at + 2}\n")
        if at % 20000 == 19999:
            out.write("".join(rows))
            rows.clear()
    out.write("".join(rows))
print(number - distinct)
PYTHON
}

stream() {
    local number duplicates turn
    number=$(($(scaled 50000004) / 9))
    duplicates=$((9 * $(make_stream "$number")))
    # Eight times more with other paths, hashes and ids: digits and letters take each other's places, which is faster than
    # to make them.
    mv stream.tsv last.tsv
    cp last.tsv stream.tsv
    for turn in pq qr rs st tu uv vw wx; do
        tr "${turn:0:1}1-9a-f" "${turn:1:1}2-91b-fa" <last.tsv >next.tsv
        mv next.tsv last.tsv
        cat last.tsv >>stream.tsv
    done
    rm last.tsv
    number=$((9 * number))
    echo "stream: $number records, $(($(stat -c %s stream.tsv) / 1000000)) MB"
    # By its manual, 38 bytes for each record.
    run 'ms-dupes' 0 $((base + number * 38 / 1000000)) ms-dupes stream.tsv
    check "$duplicates duplicates" lines_are out "$duplicates"
    check 'in the order of their paths' sort -c out
    rm -f out
    run 'ms-dupes --unique' 0 $((base + number * 38 / 1000000)) ms-dupes --unique stream.tsv
    check 'one record for each content' lines_are out $((number - duplicates))
    rm -f stream.tsv out
}

# make_chain DIR LEVELS NAME: directories in each other, each with one file; by steps, since the path may be too long.
make_chain() {
    python3 - "$@" <<'PYTHON'
import os, sys
top, levels, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
os.mkdir(top)
os.chdir(top)
for level in range(levels):
    os.mkdir(name)
    os.chdir(name)
    with open("f", "x") as file:
        file.write(f"{level}\n")
PYTHON
}

# What ms-mv does for each directory above a file makes this case grow with the cube of the levels.
deep() {
    local levels=1000
    if ((scale < 100)); then levels=200; fi
    echo "deep: $levels levels"
    make_chain tree $levels d
    run 'ms-crawl' 0 $base ms-crawl tree
    check 'a file on each level' lines_are out $levels
    run 'ms-crawl, 64 descriptors, 8 threads' 0 $base bash -c 'ulimit -n 64; exec ms-crawl -j 8 tree'
    check 'a file on each level' lines_are out $levels
    mv out index.tsv
    run 'ms-mv --to --prune, 64 descriptors' 0 $((base + 32)) bash -c 'ulimit -n 64; exec ms-mv --to q --prune=. index.tsv'
    check 'all were moved' files_are q/tree $levels
    check 'and their directories removed' test ! -e tree
    run 'ms-mv --undo' 0 $((base + 32)) ms-mv --undo
    check 'all are back' files_are tree $levels
    rm -rf tree q state index.tsv
}

long() {
    echo 'long: 300 levels, paths of more than 4096 bytes'
    mkdir top
    make_chain top/tree 300 "$(printf 'n%.0s' {1..40})"
    make_files top/other 100 100 >/dev/null
    # PATH_MAX counts the NUL at the end: 4095 bytes, less top/tree and the file, in steps of 41.
    local reached=$(((4095 - 8 - 2) / 41))
    run 'ms-crawl' 1 $base ms-crawl top
    check "all that a path can reach: $((100 + reached)) files" lines_are out $((100 + reached))
    check 'and a message about the rest' is_clear 'File name too long'
    rm -rf top
}

descriptors() {
    echo 'descriptors: 64'
    make_files tree 4000 20 >/dev/null
    run 'ms-crawl, 64 threads' 0 $((base + 64)) bash -c 'ulimit -n 64; exec ms-crawl -j 64 tree'
    check 'a record for each' lines_are out 4000
    mv out index.tsv
    run 'ms-mv --to, into 200 directories' 0 $base bash -c 'ulimit -n 64; exec ms-mv --to q index.tsv'
    check 'all were moved' files_are q/tree 4000
    local copies=()
    for at in {1..100}; do cp index.tsv "index$at.tsv" && copies+=("index$at.tsv"); done
    # shellcheck disable=SC2016 # for the inner shell
    run 'ms-dupes of 100 indexes' 2 $base bash -c 'ulimit -n 64; exec ms-dupes "$@"' - "${copies[@]}"
    check 'says what there is too little of' is_clear 'Too many open files'
    check 'and plans nothing' lines_are out 0
    rm -rf tree q state index*
}

memory() {
    local number
    number=1000000
    echo "memory: $number records in too little of it"
    make_stream "$number" >/dev/null
    # The stream is mapped, which counts; half of what its records need is left.
    local kilobytes=$(($(stat -c %s stream.tsv) / 1000 + number * 12 / 1000 + 10000))
    run "ms-dupes, ulimit -v $kilobytes" 2 $kilobytes bash -c "ulimit -v $kilobytes; exec ms-dupes stream.tsv"
    check 'says what there is too little of' is_clear 'ms-dupes: .*out of memory'
    check 'and plans nothing' lines_are out 0
    run "ms-mv --to, ulimit -v $kilobytes" 2 $kilobytes bash -c "ulimit -v $kilobytes; exec ms-mv --to q stream.tsv"
    check 'says what there is too little of' is_clear 'ms-mv: .*out of memory'
    check 'and has touched nothing' test ! -e q -a ! -e state
    # Not even the stream fits.
    run 'ms-dupes, ulimit -v 20000' 2 20 bash -c 'ulimit -v 20000; exec ms-dupes stream.tsv'
    check 'says what there is too little of' is_clear 'ms-dupes: .*out of memory'
    rm -f stream.tsv
}

echo "$(nproc) processors, $(awk '/^MemTotal/ { print int($2 / 1000000) }' /proc/meminfo) GB of memory, $(uname -sr), scale $scale %"
for case in $cases; do
    case $case in
        crawl | crowd | plan | stream | deep | long | descriptors | memory) "$case" ;;
        *) echo "soak: $case: there is no such case" >&2; exit 2 ;;
    esac
done
if ((misses > 0)); then
    echo "soak: $misses misses" >&2
    exit 1
fi
