#!/usr/bin/env bash
# The main pipeline on a made-up collection, step by step, and then undone: `make demo`.
#
# Works in a temporary directory that it removes at the end, journal included; takes the tools from PATH.
# Exits with 0 only if the collection ends byte for byte as it began.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
export XDG_STATE_HOME=$work/state
cd "$work"

if [[ -t 1 ]]; then bold=$'\e[1m' plain=$'\e[0m'; else bold='' plain=''; fi

say() { printf '\n# %s\n' "$*"; }

# Shows a command as one would type it, then runs it.
run() {
    printf '%s$ %s%s\n' "$bold" "$1" "$plain"
    eval "$1" 2>&1 # messages stand where they belong in the transcript, also when it is piped
}

# Everything that must come back: name, kind, mode, time of last change and content of every file.
snapshot() {
    find photos -printf '%y %m %p\n' | sort
    find photos -type f -printf '%T@ %p\n' | sort
    find photos -type f -exec sha256sum {} + | sort
}

say 'A collection to try things on: real JPEG, PNG, MP4, MOV and text files, a quarter of them duplicates.'
run 'ms-gen --seed 7 --files 200 --total 20M --dup-share 25 photos'
snapshot >before

say 'The index: a line for each file. Its columns are path, hash, size, mtime and id.'
run 'ms-crawl --sort photos > index.tsv'
run 'head -3 index.tsv'

say 'The plan: a line for each copy that may go. Here: the file, and the copy that stays. Nothing has moved yet.'
run 'ms-dupes index.tsv > plan.tsv'
run 'head -3 plan.tsv | cut -f 1,7'

say 'The move, as one pipeline. The copies go to a quarantine that keeps their paths; nothing is deleted.'
run 'ms-crawl photos | ms-dupes | ms-mv > moved.tsv'
run 'head -3 moved.tsv | cut -f 1'

say 'Are any duplicates left?'
run 'ms-crawl --quiet photos | ms-dupes --quiet | wc -l'

say 'Second thoughts? Every run has a journal and can be undone.'
run 'ms-mv --undo > undone.tsv'
snapshot >after
[[ ! -s plan.tsv ]] && { echo 'demo: the plan was empty, so nothing was shown' >&2; exit 1; }
diff before after || { echo 'demo: the collection is not as it was' >&2; exit 1; }
[[ ! -e duplicates ]] || { echo 'demo: the quarantine is still there' >&2; exit 1; }

say 'The whole collection as a drop: every file to the time when it was taken, as a plan that says where the time is from.'
run 'ms-ingest --to library photos > ingest.tsv'
run 'head -3 ingest.tsv | cut -f 1,6,8'

say 'Moved, with the emptied directories removed; and back again.'
run 'ms-mv --prune ingest.tsv > moved.tsv'
run 'find library -type f | sort | sed -n 1,3p'
run 'ms-mv --undo > undone.tsv'
snapshot >after
[[ -s ingest.tsv ]] || { echo 'demo: the plan for the drop was empty, so nothing was shown' >&2; exit 1; }
diff before after || { echo 'demo: the collection is not as it was after ingest' >&2; exit 1; }
[[ ! -e library ]] || { echo 'demo: the library is still there' >&2; exit 1; }

say 'An archive: what fills a disc (a very small one here) goes to a volume, and is sealed. The photos are copied this time.'
run 'ms-pack --to archive --capacity 6M index.tsv > pack.tsv'
run 'ms-mv --copy pack.tsv | ms-seal archive'
run 'ms-seal --list archive'

say 'Is every byte in the first volume still good? From the list that will be on the disc, too:'
run 'ms-verify archive/0001/index.json | wc -l'
snapshot >after
diff before after || { echo 'demo: the collection is not as it was after packing' >&2; exit 1; }

say "All $(wc -l <plan.tsv) files are back; names, modes, times and SHA-256 of all $(wc -l <index.tsv) files are as before."
