# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the scripts that run guests on vmbusd's networks share: vmbusd itself, and commands in a guest through its console (see
# tests/guest/in-network). Sourced after tests/guest/lib.sh; expects `build` and `work`; the guests' consoles
# are in LAB_OUT.

start_vmbusd() {
    "$build/vmbusd" --config-dir "$work/etc" --run-dir "$work/run" --worker "$build/vmbusd-worker" 2>>"$work/vmbusd.log" &
    vmbusd=$!
}

ctl() { "$build/vmbusctl" --run-dir "$work/run" "$@"; }

# said GUEST KEY: the value, or fails.
said() {
    local value
    value=$(tr -d '\r' <"$LAB_OUT/$1.console" | sed -n "s/^GUEST $2 //p" | tail -n 1)
    [ -n "$value" ] && echo "$value"
}

# on GUEST COMMAND: in the guest, within 15 minutes; what it prints, and its status.
on() {
    local guest=$1 id=$BASHPID.$RANDOM console=$LAB_OUT/$1.console status
    [ -e "$work/$guest.tty" ] || ctl status "$guest" --json | jq -r .console >"$work/$guest.tty"
    printf '%s %s\n' "$id" "$2" >"$(cat "$work/$guest.tty")"
    wait_for "$console" "^END $id " 900 $$ || return 1
    tr -d '\r' <"$console" | sed -n "s/^OUT $id //p"
    status=$(tr -d '\r' <"$console" | sed -n "s/^END $id //p")
    return "$status"
}

# plugged NETWORK NUMBER: that many guests' adapters are on the switch.
plugged() {
    [ "$(ctl switch ports "$1" --json | jq '[.[] | select(.kind == "guest")] | length')" = "$2" ]
}

# whole_ping COMMAND...: a ping of iputils that lost nothing and got nothing twice.
whole_ping() {
    local out
    out=$("$@" 2>&1 | tail -n 4)
    echo "$out"
    grep -q ' 0% packet loss' <<<"$out" && ! grep -q -e duplicates -e errors -e corrupted <<<"$out"
}

# whole_stream COMMAND...: an iperf3 over UDP with --json that lost nothing and kept the order.
whole_stream() {
    local out
    out=$("$@" 2>&1)
    jq -c '.error // (.end | {sum, order: .streams[0].udp.out_of_order})' <<<"$out" || echo "$out" | tail -n 5
    jq -e '.end.sum.packets > 0 and .end.sum.lost_packets == 0 and .end.streams[0].udp.out_of_order == 0' <<<"$out" >/dev/null
}

# some_stream COMMAND...: an iperf3 over TCP with --json that moved something; says how fast.
some_stream() {
    local out
    out=$("$@" 2>&1)
    jq -c '.error // (.end | {mbits: (.sum_received.bits_per_second / 1e6 | floor), retransmits: .sum_sent.retransmits})' <<<"$out" ||
        echo "$out" | tail -n 5
    jq -e '.end.sum_received.bytes > 0' <<<"$out" >/dev/null
}

# make_network_image KERNEL NAME [FILE:DEST...]: network/NAME.img in the cache, with tests/guest/in-network, its tools and its
# modules. Not in the lab.
make_network_image() {
    local kernel=$1 name=$2 tools modules file extra=()
    shift 2
    . "$top/tests/lab/lib.sh"
    "$top/tests/lab/fetch" nettools "$kernel"
    mkdir -p "$cache/network"
    tools=$cache/nettools/$(lab_kernel_arch "$kernel")
    modules=$(mktemp -d /tmp/network.XXXXXX)
    lab_copy_modules "$cache/kernels/$kernel" "$modules" 8021q pktgen
    for file in "$modules"/*; do
        extra+=("$file:/lab/modules/${file##*/}")
    done
    while read -r file; do
        extra+=("$tools/$file:/$file")
    done < <(cd "$tools" && find . \( -type f -o -type l \) -printf '%P\n')
    "$top/tests/lab/guest-initramfs" "$kernel" "$cache/network/$name.img" "$top/tests/guest/in-network:/lab/test" "${extra[@]}" "$@"
    rm -r "$modules"
}
