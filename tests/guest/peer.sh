# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A QEMU that shows what a worker shows, with the same VGA BIOS, for suites that compare pictures. Sourced after lib.sh; expects
# `build` and `work`.

# start_peer OPTION...: its process in `peer`; its monitor is descriptor 7.
start_peer() {
    rm -f "$work/monitor"
    mkfifo "$work/monitor"
    qemu-system-x86_64 -accel kvm -accel tcg -M pc -m 64 -vga std -display none -serial none -monitor stdio \
        "$@" <"$work/monitor" >"$work/monitor.log" 2>&1 &
    peer=$!
    exec 7>"$work/monitor"
}

stop_peer() {
    exec 7>&-
    kill $peer 2>/dev/null || :
    wait $peer 2>/dev/null || :
}

# same_picture NAME: both show graphics, alike.
same_picture() {
    "$build/vmbusctl" screenshot "$1" "$work/$1.png" || return 1
    rm -f "$work/$1.ppm"
    echo "screendump $work/$1.ppm" >&7
    sleep 2
    # Text is what both showed before.
    ! "$build/vmbusctl" screenshot --text "$1" >/dev/null 2>&1 && "$build/tests/guest/same-picture" "$work/$1.png" "$work/$1.ppm"
}
