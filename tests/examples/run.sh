#!/usr/bin/env bash
# Runs what lies in /examples, one directory each, in turn, as somebody who types it does: in the home directory, and
# with what those before have left. See world.sh.
#
#   before   what an example takes for granted
#   command  the example itself
#   after    what must hold then
#
# Each leaves what it said and its exit status beside it. An example that is a transcript has both outputs in one file.
set -uo pipefail

part() {
    local script=$1 errors=$1.stderr
    [[ -e $script ]] || return 0
    [[ $script == */command && -e ${script%command}transcript ]] && errors=$script.stdout
    : >"$script.stdout"
    cd ~ || exit
    # Both append: where they are one file, neither overwrites the other.
    timeout -k 5 90 bash -euo pipefail "$script" >>"$script.stdout" 2>>"$errors" </dev/null
    echo $? >"$script.status"
}

for example in /examples/*/; do
    for name in before command after; do
        part "$example$name"
    done
done
