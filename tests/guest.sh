#!/usr/bin/env bash
# Runs a program under another kernel, as root: tests/guest.sh PROGRAM [ARGUMENT…]
#
# That kernel is Debian's Linux in user mode (package user-mode-linux), which has what the kernel of a virtual machine often
# lacks, such as vfat. It sees the files of this machine, has no network, and keeps temporary files in a memory of its own.
# The exit status is the program's, or 125 if that kernel did not get so far.
set -euo pipefail

work=$(mktemp -d)
chmod 755 "$work" # some tests become nobody
kernel=
# shellcheck disable=SC2317 # called by the traps
clean_up() {
    [[ -z $kernel ]] || kill -KILL -- "-$kernel" 2>/dev/null || true # with all its processes
    rm -rf -- "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

modules=(nls_cp437 nls_iso8859-1 nls_utf8 fat vfat loop overlay fuse)
printf '%q ' "$@" >"$work/command"
mkdir "$work/tmp"
cat >"$work/init" <<INIT
#!/bin/bash
export PATH=$PATH:/usr/sbin:/sbin HOME=/ CI=${CI-} RUST_BACKTRACE=${RUST_BACKTRACE-} LC_ALL=C.UTF-8
exec </dev/null
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mkdir -p /dev/shm
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs -o size=600m tmpfs $work/tmp
export TMPDIR=$work/tmp
for module in ${modules[*]}; do
    find /usr/lib/uml/modules/\$(uname -r)/kernel -name "\$module.ko" -exec insmod {} \;
done
cd $(printf %q "$PWD")
. $work/command >$work/out 2>&1
echo \$? >$work/status
echo o >/proc/sysrq-trigger
sleep 60
INIT
chmod +x "$work/init"

# Its memory is a file: not in /dev/shm, which is small in containers.
TMPDIR=$work setsid timeout --foreground 600 linux.uml mem=1G uml_dir="$work/" umid=guest \
    rootfstype=hostfs rootflags=/ rw init="$work/init" con=null con0=null,fd:1 >"$work/console" 2>&1 &
kernel=$!
wait "$kernel" || true
cat "$work/out" 2>/dev/null || tail -20 "$work/console" >&2
exit "$(cat "$work/status" 2>/dev/null || echo 125)"
