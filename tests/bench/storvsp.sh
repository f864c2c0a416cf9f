#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Usage: storvsp.sh [PAIRS [SECONDS [FILE]]]
#
# 4 KiB random reads: bench-storvsp (guest and host on one thread) against fio's io_uring on the same file (made if none is named),
# one thread each, the same depth, interleaved. At depth 32 there is a second peer, fio told to submit and reap in batches as we do,
# without a bar: plain fio spends a system call on each read. Then the null backend, whose bar is a plain number: 1.5 million a
# second. Prints records for bench.json.

set -eu -o pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${VMBUSD_BUILD:-$top}
bench=${BENCH_STORVSP:-$build/tests/bench/bench-storvsp}
record=$top/tests/bench/record
pairs=${1:-7} seconds=${2:-3} file=${3:-}
command -v fio >/dev/null || { echo "storvsp.sh: fio is not installed" >&2; exit 1; }

work=$(mktemp -d "${TMPDIR:-/var/tmp}/bench-storvsp.XXXXXX")
trap 'rm -rf "$work"' EXIT
if [ -z "$file" ]; then
    file=$work/disk.img # written, so that no read finds a hole
    dd if=/dev/urandom of="$file" bs=1M count=512 oflag=direct status=none
fi

# All print "IOPS CPU_US_PER_IO" for DEPTH.
ours() { "$bench" --file "$file" --depth "$1" --seconds "$seconds" | cut -d' ' -f2-; }
theirs() { # DEPTH [OPTION...]
    fio --name=randread --filename="$file" --readonly --ioengine=io_uring --rw=randread --bs=4k --direct=1 --registerfiles \
        --iodepth="$1" --numjobs=1 --thread --time_based --runtime="$seconds" "${@:2}" --output-format=terse --terse-version=3 |
        awk -F';' '{ printf "%.0f %.3f\n", $8, ($88 + $89) * 10000 / $8 }'
}

# compare NAME PEER IOPS_BAR CPU_BAR DEPTH [FIO_OPTION...]
compare() {
    local name=$1 peer=$2 iops_bar=$3 cpu_bar=$4 o t i
    shift 4
    ours "$1" >/dev/null # warm
    for ((i = 0; i < pairs; i++)); do
        if ((i % 2)); then
            t=$(theirs "$@") o=$(ours "$1")
        else
            o=$(ours "$1") t=$(theirs "$@")
        fi
        echo "${o% *} ${t% *}" >>"$work/iops.$name"
        echo "${o#* } ${t#* }" >>"$work/cpu.$name"
    done
    "$record" "storvsp-randread-iops-$name" IOPS "$peer" "$iops_bar" higher <"$work/iops.$name"
    "$record" "storvsp-randread-cpu-$name" us/IO "$peer" "$cpu_bar" lower <"$work/cpu.$name"
}

# The bar on IOPS is at depth 32, that on CPU time everywhere; a bar of 0 is for the record.
compare 1 fio 0 0.667 1
compare 8 fio 0 0.667 8
compare 32 fio 0.95 0.667 32
compare 32-batched "fio, batched" 0 0 32 --fixedbufs --gtod_reduce=1 --iodepth_batch_submit=8 --iodepth_batch_complete_min=1 \
    --iodepth_batch_complete_max=32
for ((i = 0; i < pairs; i++)); do
    echo "$("$bench" --null --depth 32 --seconds 1 | cut -d' ' -f2) 1500000"
done | "$record" storvsp-null-iops-32 IOPS "1.5 M/s" 1 higher
