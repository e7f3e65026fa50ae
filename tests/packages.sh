#!/usr/bin/env bash
# Installs the tools in every way there is, each into an empty root of its own, has them work there, removes them, and looks
# at what is left: `make packages`, which has made the package before. Then makes a part of it once more, elsewhere, with
# another clock and other permissions by default: the same inputs must give the same bytes.
#
# Works in a temporary directory that it removes at the end. $BUILD is how make builds, so that nothing is built twice here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=$(realpath "${CARGO_TARGET_DIR:-target}")
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml)
flags=$(sed -n "s/^RUSTFLAGS='\([^']*\)'.*/\1/p" <<<"$BUILD")
tools=$(basename -s .rs src/bin/ms-*.rs)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

fail() {
    printf 'packages: %s\n' "$*" >&2
    exit 1
}

say() { printf '\n# %s\n' "$*"; }

# All that is not a directory below a root, without the database of dpkg.
files() { (cd "$1" && find . -not -type d -not -path './var/lib/dpkg/*' -printf '%P\n' | sort); }

# With nothing but the tools of one directory and those of the system: every tool runs, and a collection is moved and comes back.
use() {
    local tool bin=$1 desk
    desk=$(mktemp -d -p "$work")
    for tool in $tools; do
        [[ $("$bin/$tool" --version) == "$tool (mediastruct) $version" ]] || fail "$bin/$tool does not run"
    done
    # shellcheck disable=SC2016 # it is expanded there
    env -i -C "$desk" PATH="$bin:/usr/bin:/bin" XDG_STATE_HOME="$desk/state" bash -euo pipefail -c '
        ms-gen --quiet --files 30 photos
        find photos -type f -exec sha256sum {} + | sort >before
        ms-crawl photos | ms-dupes | ms-mv >moved.tsv
        [[ -s moved.tsv ]]
        ms-verify moved.tsv >/dev/null
        ms-mv --undo >/dev/null
        find photos -type f -exec sha256sum {} + | sort | cmp before -
    ' || fail "the tools in $bin do not work"
}

# Each shell finds what completes each tool where it looks for such things: below $1, for zsh in $2.
# shellcheck disable=SC2016 # it is expanded by those shells
complete_in() {
    local tool data=$1/share
    for tool in $tools; do
        env XDG_DATA_DIRS="$data" bash -c '
            . /usr/share/bash-completion/bash_completion
            _completion_loader "$1" # which ends with 124 where it has found something
            complete -p "$1"
        ' - "$tool" | grep -q "^complete -F _${tool/-/_} $tool\$" || fail "bash does not find how to complete $tool"
        env XDG_DATA_DIRS="$data" HOME="$work" PATH="$1/bin:$PATH" fish -c 'complete -C "$argv --vers"' "$tool" |
            grep -q '^--version' || fail "fish does not find how to complete $tool"
        zsh -fc 'fpath=($1 $fpath); autoload -Uz compinit && compinit -D -u && [[ $_comps[$2] == _$2 ]]' - "$data/$2" "$tool" ||
            fail "zsh does not find how to complete $tool"
    done
}

# The same bytes as what make has built: all of a way to install is that it copies.
expect_same() { cmp "$1" "$2" || fail "$1 is not $2"; }

say 'The package'
deb=("$target/mediastruct_$version"-1_*.deb)
[[ -f ${deb[0]} && ${#deb[@]} == 1 ]] || fail "there is not one package in $target; make deb makes it"
root=$work/deb
mkdir -p "$root"/var/lib/dpkg/{info,updates}
touch "$root/var/lib/dpkg/status"
# The root holds no libc, which is why its absence is no obstacle.
dpkg=(dpkg --root="$root" --log=/dev/null --force-not-root --force-bad-path --force-depends)
PATH=$PATH:/usr/sbin:/sbin
"${dpkg[@]}" --install "${deb[0]}" 2>&1 | grep -v '^dpkg: mediastruct: dependency\|^ mediastruct depends\|^  Package libc6\|^  Package libgcc' || true
[[ $(dpkg-query --root="$root" -W -f '${db:Status-Status} ${Version}' mediastruct) == "installed $version-1" ]] ||
    fail 'it is not installed'
use "$root/usr/bin"
complete_in "$root/usr" zsh/vendor-completions
files "$root" >"$work/deb.files"
find "$root/usr" -type f -printf '%m %P\n' | awk '$1 != ($2 ~ /^bin\/|\/ms-nightly$/ ? 755 : 644) { print; bad = 1 } END { exit bad }' ||
    fail 'permissions are wrong'
for page in man/*.[1-9]; do
    gzip -dc "$root/usr/share/man/man${page##*.}/${page#man/}.gz" | cmp - "$page" || fail "$page is not what it was"
done
depends=$(dpkg-deb -f "${deb[0]}" Depends)
[[ $depends == *libc6* ]] || fail "it depends on \"$depends\", and not on libc6"
"${dpkg[@]}" --purge mediastruct
left=$(find "$root" -mindepth 1 -not -path "$root/var*")
[[ -z $left ]] || fail "its removal leaves $left"

say 'make install'
root=$work/make
make --no-print-directory -s install DESTDIR="$root" PREFIX=/usr
use "$root/usr/bin"
complete_in "$root/usr" zsh/site-functions
for tool in $tools; do
    expect_same "$root/usr/bin/$tool" "$target/release/$tool"
done
# What make installs is what the package holds, which has manuals compressed, another place for zsh, and the licence under
# the name that Debian gives it.
files "$root" | sed -e '\,/man/,s/$/.gz/' -e s,zsh/site-functions,zsh/vendor-completions, -e 's,/LICENSE$,/copyright,' |
    sort >"$work/make.files"
diff "$work/deb.files" "$work/make.files" || fail 'the package (<) and make install (>) differ'
for tool in $tools; do
    for file in share/bash-completion/completions/"$tool" share/fish/vendor_completions.d/"$tool.fish" \
        share/zsh/site-functions/"_$tool" "share/man/man1/$tool.1" "bin/$tool"; do
        [[ -s $root/usr/$file ]] || fail "$file is not installed"
    done
done
make --no-print-directory -s uninstall DESTDIR="$root" PREFIX=/usr
left=$(files "$root")
[[ -z $left ]] || fail "make uninstall leaves $left"

say 'cargo install'
root=$work/cargo
RUSTFLAGS=$flags cargo install --quiet --locked --path . --root "$root" --no-track
use "$root/bin"
[[ $(cd "$root/bin" && echo ms-*) == "${tools//$'\n'/ }" ]] || fail 'not every tool was installed'

say 'The same bytes elsewhere'
tree=$work/elsewhere/mediastruct built=$work/elsewhere/built
mkdir -p "$tree" "$built/release"
git ls-files -z | xargs -0 cp --parents -t "$tree"
elsewhere() { (umask 077 && cd "$tree" && env CARGO_TARGET_DIR="$built" TZ=Pacific/Kiritimati "$@"); }

# One tool, of crates that others have written, which are taken as they are, and of all of this one.
cp -a "$target"/release/{build,deps,.fingerprint} "$built/release"
find "$built" -name '*mediastruct*' -prune -exec rm -rf {} +
elsewhere RUSTFLAGS="$flags" cargo build --quiet --release --locked --bin ms-mv
expect_same "$built/release/ms-mv" "$target/release/ms-mv"

# The package, of the tools that are there, with files of other times and permissions.
for tool in $tools; do
    install -m 700 "$target/release/$tool" "$built/release"
done
cp -r "$target/release/completions" "$built/release"
find "$tree" "$built/release/completions" -type f -exec chmod 600 {} + -exec touch -d 2001-01-01 {} +
elsewhere SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}" \
    cargo deb --quiet --no-build --locked --output "$work/again.deb"
expect_same "$work/again.deb" "${deb[0]}"
for tool in $tools; do
    ! LC_ALL=C grep -qaF -e "$PWD" -e "$target" -e "${CARGO_HOME:-$HOME/.cargo}" "$target/release/$tool" ||
        fail "$tool holds the path of a directory of this machine"
done

say "All of it installs, works and goes again; $(basename "${deb[0]}") has the same bytes wherever it is made."
