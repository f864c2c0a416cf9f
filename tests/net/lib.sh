# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the tests on real interfaces share: a host and the network beyond it, each a network namespace, with vmbusd in the first.
# Sourced after tests/guest/lib.sh; expects `build` and `work`.

MAC_ADAPTER=02:00:00:00:02:01 MAC_BEYOND=02:00:00:00:02:64 MAC_GUEST=52:54:00:02:00:32
HOST4=192.0.2.1 HOST6=fd00:2::1 BEYOND4=192.0.2.100 BEYOND6=fd00:2::64 GUEST4=192.0.2.50 GUEST6=fd00:2::32

net_possible() {
    [ "$(id -u)" = 0 ] && [ -e /dev/net/tun ] && command -v nft >/dev/null && unshare -n true 2>/dev/null
}

# new_namespace VARIABLE: its process, which holds it, into the variable.
new_namespace() {
    unshare -n sleep 3600 >/dev/null 2>&1 </dev/null &
    local holder=$!
    until [ "$(readlink /proc/$holder/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
    nsenter -t $holder -n sh -c 'ip link set lo up; echo 0 >/proc/sys/net/ipv6/conf/default/router_solicitations'
    printf -v "$1" %s $holder
}

host() { nsenter -t "$host" -n "$@"; }
beyond() { nsenter -t "$beyond" -n "$@"; }

# make_host: both namespaces; nothing in them yet.
make_host() {
    new_namespace host
    new_namespace beyond
    beyond sh -c 'cd /proc/sys/net/ipv6/conf/default && echo 0 >accept_dad && echo 1 >keep_addr_on_down'
    mkdir -p "$work/etc/networks" "$work/etc/machines" "$work/run"
    # The guest's NIC is tests/net/guest.c, which is not started by vmbusd.
    echo "{\"name\":\"g\",\"nics\":[{\"network\":\"lan\",\"mac\":\"$MAC_GUEST\"}]}" >"$work/etc/machines/g.json"
}

# make_adapter NAME [MAC]: a veth in the host, down, with its far end "wire-NAME" beyond, down.
make_adapter() {
    host ip link add "$1" address "${2:-$MAC_ADAPTER}" type veth peer name "wire-$1" netns "$beyond"
    beyond sh -c "ip link set wire-$1 address $MAC_BEYOND
        ip addr add $BEYOND4/24 dev wire-$1 && ip addr add $BEYOND6/64 dev wire-$1"
}

cable() { beyond ip link set "wire-$1" "$2"; } # ADAPTER up|down

# What ifup would do: set it up, with addresses and a default route, which ifupdown adds as "onlink" so that it needs no other.
set_address() { # INTERFACE
    host ip -batch - <<BATCH
link set $1 up
addr add $HOST4/24 brd + dev $1
addr add $HOST6/64 dev $1
neigh add 192.0.2.77 lladdr 02:00:00:00:00:77 dev $1 nud permanent
route add 198.51.100.0/24 via 192.0.2.253 dev $1 onlink metric 50 mtu 1400
route add default via 192.0.2.254 dev $1 onlink
BATCH
}

external_xml() { # [ADAPTER]
    echo "<network><name>lan</name><forward mode='bridge'>${1:+<interface dev='$1'/>}</forward></network>"
}

start_vmbusd() {
    # No function of ours: its process is to be vmbusd's.
    nsenter -t "$host" -n "$build/vmbusd" --config-dir "$work/etc" --run-dir "$work/run" --worker false \
        >>"$work/vmbusd.log" 2>&1 </dev/null &
    vmbusd=$!
    wait_until 10 $vmbusd test -S "$work/run/vmbusd.sock"
}

end_vmbusd() { # [SIGNAL]: its status
    [ -n "${vmbusd:-}" ] || return 0
    local pid=$vmbusd
    vmbusd=
    kill "-${1:-TERM}" "$pid"
    wait "$pid" 2>/dev/null
}

vmbusctl() { "$build/vmbusctl" --run-dir "$work/run" "$@"; }

start_guest() {
    "$build/tests/net/net-guest" "$work/run/g.sock" g $MAC_GUEST $GUEST4 $GUEST6 \
        >>"$work/guest.log" 2>&1 </dev/null &
    guest=$!
}

end_host() {
    end_vmbusd TERM
    local pid
    for pid in ${guest:-} $host $beyond; do
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    guest=
}

# The host's network in a canonical form: interfaces, addresses, routes, rules, neighbours, settings, packet filter; without
# numbers of interfaces and what passes by itself. A TAP that another process has opened again says "UP" where it said "UNKNOWN".
host_state() {
    host sh -c '
        ip -d -o link | sed "s/^[0-9]*: //;s/@[^:]*:/:/;s/ link-netnsid [0-9]*//;s/ link-netns [^ ]*//;s/ gso_.*//;s/ gro_.*//;s/ state UNKNOWN / state UP /" | sort
        ip -o addr | sed "s/^[0-9]*: //" | sort
        for family in -4 -6; do
            ip $family route show table all | sort
            ip $family rule
            ip $family neigh show nud permanent | sort
            ip $family neigh show proxy | sort
        done
        grep -s . /proc/sys/net/ipv[46]/conf/*/* | sort
        nft list ruleset' | sed 's/vmbusd_[0-9]*/vmbusd_N/; s/nhid [0-9]*//'
}
