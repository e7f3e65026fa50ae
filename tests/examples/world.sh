#!/usr/bin/env bash
# A world of its own for the examples of the documents, with the directories that they name: it calls itself in
# namespaces of its own, builds a root for each host there, and runs what lies in DIR/examples in the first of them.
# Nothing of it is left when it ends: neither a process nor a mount nor a file outside DIR.
#
# usage: world.sh DIR HOST...
#
#   TREE        the tree of the project, seen at /mediastruct
#   TOOLS       the directory of the built tools, seen at /tools
#   SEEN        what else of this machine is seen besides its programs, at its own place; paths with spaces between
#   WORLD_PATH  a directory of programs that comes before those of the machine, or nothing
#
# It does so as root, and else as a user who is root in a user namespace. A host after the first is reached by ssh.
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin

dir=$1
shift

if [[ -z ${WORLD_ENTERED:-} ]]; then
    export WORLD_ENTERED=1
    namespaces=(--mount --net --pid --fork --kill-child)
    ((EUID == 0)) || namespaces+=(--map-root-user)
    exec unshare "${namespaces[@]}" "$0" "$dir" "$@"
fi

# Shows a part of this machine in a root, where nothing can be written to it.
show() {
    local from=$1 at=$2
    mkdir -p "$at"
    # Where a user namespace does not let what is mounted below be uncovered, that is shown, too.
    mount --bind "$from" "$at" 2>/dev/null || mount --rbind "$from" "$at"
    mount -o remount,bind,ro "$at"
}

# Devices: those that every program wants, and loops where images can be mounted.
devices() {
    local root=$1 name number
    mkdir -p "$root/dev/shm"
    for name in null zero full random urandom tty; do
        touch "$root/dev/$name"
        mount --bind "/dev/$name" "$root/dev/$name"
    done
    ln -s /proc/self/fd "$root/dev/fd"
    for name in stdin:0 stdout:1 stderr:2; do
        ln -s "/proc/self/fd/${name#*:}" "$root/dev/${name%:*}"
    done
    for number in {0..63}; do
        mknod "$root/dev/loop$number" b 7 "$number" 2>/dev/null || return 0
    done
    mknod "$root/dev/loop-control" c 10 237
}

# A root with the programs of this machine, empty directories for all that a person or a tool writes, and the tools.
root() {
    local root=$1 name path
    mkdir -p "$root"
    mount -t tmpfs -o mode=755,size=1g tmpfs "$root"
    for name in bin sbin lib lib32 lib64 libx32 usr opt; do
        if [[ -L /$name ]]; then
            ln -s "$(readlink "/$name")" "$root/$name"
        elif [[ -d /$name ]]; then
            show "/$name" "$root/$name"
        fi
    done
    # Units and the tables of cron are put there. What may not be read is not missed.
    cp -r /etc "$root/etc" 2>/dev/null || true
    mkdir -p "$root"/{dev,proc,sys,home/ada,media,mnt,srv,examples,run/{lock,sshd},var/{lib,log,cache,spool}}
    mkdir -p "$root$home"
    chmod 700 "$root$home"
    mkdir -m 1777 "$root/tmp" "$root/var/tmp"
    mount -t proc proc "$root/proc"
    mount -t sysfs -o ro sysfs "$root/sys"
    devices "$root"
    for path in $SEEN; do
        [[ -e $root$path ]] || show "$path" "$root$path"
    done
    show "$TOOLS" "$root/tools"
    show "$TREE" "$root/mediastruct"
    mount -t tmpfs -o mode=755 tmpfs "$root/usr/local"
    mkdir -p "$root"/usr/local/{bin,share}
    mount --bind "$dir/examples" "$root/examples"
}

# Where programs that do not ask for HOME look: the home of the user with number 0, which nobody else can enter.
home=$(getent passwd 0 | cut -d : -f 6)

PLACES=/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin

# What a shell that was logged in to has. The stand-ins come before what they stand for.
enter() {
    local root=$1
    shift
    chroot "$root" /usr/bin/env -i HOME=/home/ada USER=ada SHELL=/bin/bash LC_ALL=C.UTF-8 TZ=UTC \
        PATH="/mediastruct/tests/examples/stand-ins:/tools:${WORLD_PATH:+$WORLD_PATH:}$PLACES" \
        ${CI:+CI="$CI"} "$@"
}

# Lets the first host log in to another by its name. ssh looks for its files in the home of the user's number.
serve() {
    local here=$1 there=$2 name=$3
    mkdir -p "$here$home/.ssh" "$there$home/.ssh"
    ssh-keygen -q -t ed25519 -N '' -f "$there$home/host_key"
    [[ -e $here$home/.ssh/id_ed25519 ]] || ssh-keygen -q -t ed25519 -N '' -f "$here$home/.ssh/id_ed25519"
    cp "$here$home/.ssh/id_ed25519.pub" "$there$home/.ssh/authorized_keys"
    printf '%s %s\n' "$name" "$(cut -d ' ' -f 1,2 "$there$home/host_key.pub")" >>"$here$home/.ssh/known_hosts"
    printf 'Host %s\n    HostName 127.0.0.1\n    HostKeyAlias %s\n' "$name" "$name" >>"$here$home/.ssh/config"
    enter "$there" /usr/sbin/sshd -f /dev/null -h "$home/host_key" -o ListenAddress=127.0.0.1 -o UsePAM=no \
        -o PidFile=none -o SetEnv='PATH=/tools:/usr/bin:/bin LC_ALL=C.UTF-8 TZ=UTC HOME=/home/ada'
}

mount --make-rprivate /
for host in "$@"; do
    root "$dir/$host"
done
if (($# > 1)); then
    ip link set lo up
    for host in "${@:2}"; do
        serve "$dir/$1" "$dir/$host" "$host"
    done
fi
enter "$dir/$1" bash /mediastruct/tests/examples/run.sh
