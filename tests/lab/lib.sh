# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the lab's scripts share: messages, the cache, building a cache entry
# atomically, and which kernel is which.  Sourced, never run.  POSIX sh.
#
# The cache lies outside the tree, because kernels and disks are large and
# survive a fresh clone:
#   apt/SUITE-ARCH/             private apt state
#   busybox/ARCH/busybox        static, amd64 and i386
#   kernels/NAME/vmlinuz        a Debian kernel, with release, modules -> lib/modules/RELEASE
#   l1/{vmlinux,initrd}         the outer machine
#   initramfs/                  guest initramfs images, by content
#   debian/, debian-k510-686/{disk.raw,vmlinuz,initrd}   into disks/, by content

# shellcheck disable=SC2034 # for who sources this
LAB_KERNELS='k510 k510-686 k61 k612'

lab_say()
{
    printf '%s: %s\n' "${0##*/}" "$*" >&2
}

lab_die()
{
    lab_say "$*"
    exit 1
}

# Prints the opening comment of the script that calls it, as its --help.
lab_usage()
{
    sed -n '4,/^[^#]/s/^# \{0,1\}//p' "$0"
}

if [ -n "${VMBUSD_CACHE:-}" ]; then
    LAB_CACHE=$VMBUSD_CACHE
elif [ "$(id -u)" = 0 ]; then
    LAB_CACHE=/var/cache/vmbusd
else
    LAB_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/vmbusd
fi
mkdir -p "$LAB_CACHE" || lab_die "cannot make the cache folder $LAB_CACHE: set VMBUSD_CACHE"
LAB_CACHE=$(cd "$LAB_CACHE" && pwd -P)

# lab_need PROGRAM PACKAGE: stops with the package to install if PROGRAM is missing.
lab_need()
{
    command -v "$1" >/dev/null 2>&1 || lab_die "$1 is missing: install the package $2"
}

# lab_build ENTRY COMMAND ARGS...: makes $LAB_CACHE/ENTRY unless it is there.
# COMMAND gets ARGS and then the path to make (a file or a folder that does not
# exist yet); the result takes its place only when COMMAND succeeded.  Two
# builders of one entry wait for each other.
# Callers run under set -e and call it plainly: behind || or if, the shell would
# also ignore the failures inside COMMAND.
lab_build()
(
    set -e
    entry=$LAB_CACHE/$1
    shift
    [ ! -e "$entry" ] || exit 0
    mkdir -p "${entry%/*}"
    exec 9>"$entry.lock"
    flock 9
    [ ! -e "$entry" ] || exit 0
    rm -rf "$entry.tmp"
    trap 'rm -rf "$entry.tmp"' EXIT
    "$@" "$entry.tmp"
    mv -T "$entry.tmp" "$entry"
)

# lab_prune FOLDER PATTERN KEEP: removes the entries there that match and are not KEEP
# nor of the last hour, in which somebody may be using them: entries named by content
# would pile up otherwise.
lab_prune()
{
    find "$1" -mindepth 1 -maxdepth 1 -name "$2" ! -name "$3" ! -name "$3.*" -mmin +60 \
        -exec rm -rf {} +
}

# Debian's name for what a kernel NAME stands for.
lab_kernel_suite()
{
    case $1 in
    k510 | k510-686) echo bullseye ;;
    k61) echo bookworm ;;
    k612) echo trixie ;;
    *) return 1 ;;
    esac
}

lab_kernel_arch()
{
    case $1 in
    *-686) echo i386 ;;
    *) echo amd64 ;;
    esac
}

# lab_module_files KERNEL_DIR MODULE...: prints the files of the modules and of
# all they depend on, in the order in which insmod must see them.  Modules built
# in or unknown to this kernel (their names differ between versions) are left out.
lab_module_files()
{
    lab_kdir=$1
    shift
    printf '%s\n' "$@" | awk -v dep="$lab_kdir/modules/modules.dep" '
        function name(path) {
            sub(/.*\//, "", path)
            sub(/\.ko.*/, "", path)
            gsub(/-/, "_", path)
            return path
        }
        # modules.dep lists each module with its whole closure, nearest first.
        BEGIN {
            while ((getline line < dep) > 0) {
                split(line, half, ":")
                file[name(half[1])] = half[1]
                needs[name(half[1])] = half[2]
            }
        }
        {
            m = name($0)
            if (!(m in file))
                next
            n = split(needs[m], d, " ")
            for (i = n; i >= 1; i--)
                if (!seen[d[i]]++)
                    print d[i]
            if (!seen[file[m]]++)
                print file[m]
        }'
}

# lab_copy_modules KERNEL_DIR DEST MODULE...: copies those files, uncompressed,
# into DEST/ and writes DEST/order: file and module name of each, in insmod order.
lab_copy_modules()
{
    lab_from=$1/modules
    lab_dest=$2
    lab_files=$(shift 2; lab_module_files "${lab_from%/modules}" "$@")
    mkdir -p "$lab_dest"
    for lab_file in $lab_files; do
        lab_ko=${lab_file##*/}
        case $lab_ko in
        *.xz)
            lab_ko=${lab_ko%.xz}
            xz -dc "$lab_from/$lab_file" >"$lab_dest/$lab_ko"
            ;;
        *) cp "$lab_from/$lab_file" "$lab_dest/$lab_ko" ;;
        esac || return 1
        echo "$lab_ko $(echo "${lab_ko%.ko}" | tr - _)"
    done >"$lab_dest/order"
}

# lab_cpio DIR OUTPUT: packs DIR as an initramfs, all files owned by root.
lab_cpio()
{
    (
        cd "$1"
        find . | LC_ALL=C sort |
            "$LAB_CACHE/busybox/amd64/busybox" cpio -o -H newc -R 0:0 2>/dev/null
    ) >"$2"
}
