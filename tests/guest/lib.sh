# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the scripts that run guests inside the lab share. Sourced; expects `build` (where vmbusctl and vmbusd-worker are) and
# `work` (a folder for what a run leaves).

cache=${VMBUSD_CACHE:-/var/cache/vmbusd}

# wait_for FILE PATTERN SECONDS PID: until a line matches, the time is up or the process has ended.
wait_for() {
    local end=$((SECONDS + $3))
    until grep -a -q -E "$2" "$1" 2>/dev/null; do
        kill -0 "$4" 2>/dev/null || return 1
        [ $SECONDS -lt $end ] || return 1
        sleep 0.3
    done
}

# wait_until SECONDS PID COMMAND...: until the command succeeds, the time is up or the process has ended.
wait_until() {
    local end=$((SECONDS + $1)) pid=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        kill -0 "$pid" 2>/dev/null || return 1
        [ $SECONDS -lt $end ] || return 1
        sleep 0.5
    done
}

# point DESCRIPTION COMMAND...: a TAP point that is good if the command succeeds; uses `number` and `failed`.
point() {
    local what=$1
    shift
    number=$((number + 1))
    if "$@" >"$work/point" 2>&1; then
        echo "ok $number - $what"
    else
        echo "not ok $number - $what"
        sed 's/^/# /' "$work/point" | tail -n 5
        failed=1
    fi
}

# is WHAT EXPECTED: for a point's output.
is() {
    echo "it is $1, not $2"
    [ "$1" = "$2" ]
}

# describe_debian NAME DISK: prints the description of a Debian guest with its root on the first SCSI disk.
describe_debian() {
    cat <<JSON
{ "machine": "vmbusd-0.1", "name": "$1", "uuid": "c2e6a6f2-4a5b-4a05-9d5c-5d2f6b1c0e11",
  "memory": { "mib": 640 }, "vcpus": { "count": 1 },
  "boot": { "kernel": "$cache/debian/vmlinuz", "initrd": "$cache/debian/initrd",
            "cmdline": "root=/dev/sda rw console=ttyS0 mitigations=off quiet" },
  "console": { "type": "none", "log": "$work/$1.console" },
  "scsi": [ { "luns": [ { "lun": 0, "path": "$2" } ] } ],
  "integration": { "kvp_pool": { "HostName": "$(uname -n)" } } }
JSON
}

# kvp_value NAME KEY: what the guest says of itself.
kvp_value() {
    "$build/vmbusctl" integration "$1" --json | jq -e -r --arg key "$2" '.services.kvp.guest[$key] // empty | select(. != "")'
}
