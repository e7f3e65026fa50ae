#!/usr/bin/env bash
# The whole test suite of ms-mv on real filesystems: `make filesystems`.
#
# Makes each filesystem in a sparse image, mounts it, and runs the suite with its files on one of them and what its tests
# call another filesystem on the next, so that each is once the source and once the target. Needs root; everything is
# unmounted and removed at the end, however it ends. What the kernel lacks is run under another kernel (tests/guest.sh).
#
# Usage: tests/filesystems.sh [FILESYSTEM…]
# MV_TESTS: the compiled tests of ms-mv, where they are not to be compiled here; MV_WORDS: which of them to run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# What tests assume that FAT and exFAT do not have, where these are the source of what moves…
unfit_near=(
    # symbolic links, hard links, FIFOs
    nothing_leaves_a_sealed_volume_that_is_elsewhere while_a_plan_is_still_coming
    protect:: a_link_ links_to links_ _link_ a_fifo_ a_socket_ _symbolic_link hard_linked a_contradiction dot_dot_after
    a_destination_on_another_filesystem_is_never_replaced no_regular_file_does_not_count prune_does_not_follow
    without_noreplace_nothing_is_replaced the_duplicate_in_another_spelling
    # owners, permissions and attributes
    extended_attribute keeps_content_mode the_journal_is_private_text with_their_modes a_read_only_parent
    a_source_that_cannot_be_removed undo_of_a_move_across_filesystems_restores_everything
    a_journal_in_a_directory_that_is_not_writable
    # every byte in names, and times finer than a second
    hostile_names a_true_index what_was_touched_since a_source_with_a_new_mtime
    # a file that moves within its filesystem keeps its id
    a_dry_run_prints_what_the_run_then_prints
    # where each move is a copy, two runs may both make one
    of_two_overlapping_plans
    # time: by FUSE, each of many moves is a copy
    a_signal_in_a_long_plan an_interrupted_plan_run_again a_reader_that_goes_away_stops a_plan_killed_again a_killed_plan
    two_runs_of_one_plan
)
# …and where they are its target.
unfit_far=(
    a_destination_on_another_filesystem_is_never_replaced # symbolic links
    # owners, permissions, attributes and times
    extended_attribute a_copy_leaves_the_source_and_is_another_file_like_it keeps_content_mode a_source_that_cannot_be_removed
    a_read_only_file_with_a_time_before_1970 undo_of_a_move_across_filesystems_restores_everything
    # the number of calls that a copy takes
    a_source_that_cannot_be_unlinked a_move_cut_off_before_its_line
)

work=$(mktemp -d)
mounted=()
clean_up() {
    local i at
    for ((i = ${#mounted[@]} - 1; i >= 0; i--)); do
        at=${mounted[i]}
        umount "$at" 2>/dev/null || umount -l "$at" || true
    done
    rm -rf --one-file-system -- "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

skipped() {
    echo "SKIPPED: $1" >&2
}

# Absence of a program is a failure in CI, absence of a filesystem in the kernel is none.
needs() {
    command -v "$1" >/dev/null && return
    skipped "$1 is not installed"
    [[ ${CI-} != true ]] || exit 1
    return 1
}

# The program that has all tests of tests/NAME.
compiled() {
    local program
    program=$(cargo test --locked --test "$1" --no-run 2>&1 | sed -n 's/^ *Executable .*(\(.*\))$/\1/p')
    realpath "$program"
}

in_kernel() {
    grep -qw "$1" /proc/filesystems || { modprobe -q "$1" 2>/dev/null && grep -qw "$1" /proc/filesystems; }
}

mount_at() { # name, arguments of mount(8)…
    mkdir -p "$work/$1"
    mount "${@:2}" "$work/$1"
    mounted+=("$work/$1")
}

mount_image() { # name, options, mkfs…
    needs "$3" || return
    truncate -s 1G "$work/$1.image"
    "${@:3}" "$work/$1.image" >/dev/null
    mount_at "$1" -t "$1" -o "$2" "$work/$1.image"
}

mount_overlay() {
    mount_at layers -t tmpfs -o size=1g tmpfs
    mkdir "$work"/layers/{lower,upper,scratch}
    mount_at overlay -t overlay overlay \
        -o "lowerdir=$work/layers/lower,upperdir=$work/layers/upper,workdir=$work/layers/scratch"
}

mount_exfat_by_fuse() {
    needs mkfs.exfat && needs mount.exfat-fuse && needs losetup || return
    local device image=$work/exfat.image
    truncate -s 1G "$image"
    mkfs.exfat "$image" >/dev/null
    mkdir "$work/exfat"
    device=$(losetup --find --show "$image")
    mount.exfat-fuse "$device" "$work/exfat" >/dev/null && mounted+=("$work/exfat")
    losetup --detach "$device" # as soon as it is not in use any more
    mountpoint -q "$work/exfat"
}

# Mounts a filesystem at $work/NAME; fails where this kernel cannot.
make_filesystem() {
    case $1 in
        ext4) in_kernel ext4 && mount_image ext4 loop mkfs.ext4 -q ;;
        xfs) in_kernel xfs && mount_image xfs loop mkfs.xfs -q ;;
        btrfs) in_kernel btrfs && mount_image btrfs loop mkfs.btrfs -q ;;
        tmpfs) mount_at tmpfs -t tmpfs -o size=1g tmpfs ;;
        overlay) in_kernel overlay && mount_overlay ;;
        vfat) in_kernel vfat && mount_image vfat loop,utf8 mkfs.vfat -F 32 ;;
        exfat) if in_kernel exfat; then mount_image exfat loop mkfs.exfat; else in_kernel fuse && mount_exfat_by_fuse; fi ;;
        *) echo "${0##*/}: $1: no such filesystem is known here" >&2; exit 2 ;;
    esac
}

is_foreign() {
    [[ $1 == vfat || $1 == exfat ]]
}

run_suite() { # source, target
    local unfit=() word skips=()
    if is_foreign "$1"; then unfit+=("${unfit_near[@]}"); fi
    if is_foreign "$2"; then unfit+=("${unfit_far[@]}"); fi
    for word in "${unfit[@]}"; do skips+=(--skip "$word"); done
    echo "== from $1 to $2"
    ((${#unfit[@]} == 0)) || skipped "tests that need what these filesystems have not: ${unfit[*]}"
    SECONDS=0
    MEDIASTRUCT_TEST_DIR=$work/$1 MEDIASTRUCT_TEST_FAR=$work/$2 "$MV_TESTS" --quiet "${words[@]}" "${skips[@]}" 2>"$work/messages" ||
        { cat "$work/messages" >&2; return 1; }
    echo "== from $1 to $2: $SECONDS seconds"
}

if ((EUID != 0)); then
    skipped 'mounting filesystems needs root'
    [[ ${CI-} != true ]]
    exit
fi

# Images are in memory, where what is synced costs no time.
mount -t tmpfs -o size=8g tmpfs "$work"
mounted+=("$work")

[[ -n ${MV_TESTS-} ]] || MV_TESTS=$(compiled mv)
read -ra words <<<"${MV_WORDS-}"

wanted=("$@")
((${#wanted[@]} > 0)) || wanted=(ext4 xfs btrfs overlay tmpfs exfat)
made=()
for filesystem in "${wanted[@]}"; do
    if make_filesystem "$filesystem"; then
        made+=("$filesystem")
    else
        skipped "this kernel has no $filesystem"
    fi
done
for ((i = 0; i < ${#made[@]}; i++)); do
    run_suite "${made[i]}" "${made[(i + 1) % ${#made[@]}]}"
done

# Without arguments, also vfat, if need be under a kernel that has it. That one is slow, so there only a part.
if (($# == 0)); then
    if in_kernel vfat; then
        MV_TESTS=$MV_TESTS "${BASH_SOURCE[0]}" ext4 vfat
    elif needs linux.uml && needs insmod; then
        SECONDS=0
        echo '== under a kernel with vfat; SKIPPED, for want of time: all but the basics and undo'
        tests/guest.sh env MV_TESTS="$MV_TESTS" MV_WORDS='basics:: undo::' tests/filesystems.sh ext4 vfat
        tests/guest.sh "$(compiled filesystems)" --test-threads 2 vfat coarser unplug limit_of_its
        echo "== under a kernel with vfat: $SECONDS seconds"
    fi
fi
