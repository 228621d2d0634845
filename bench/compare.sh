#!/usr/bin/env bash
# Compares Parley with ConfBridge, mod_conference and a bare reflector on this
# machine: each is started anew for each round, and the rounds take turns, so
# that what else the machine does meets all of them alike.
#
#   bench/compare.sh [ROUNDS] [flags of parley bench…]
#   bench/compare.sh 3
#   bench/compare.sh 3 --noise -50
#   SYSTEMS="parley reflector" bench/compare.sh 5 --rooms 10 --callers 10
#
# Needs Docker with the images of `make integration`, jq, and bin/parley
# (`make build`). Reports are kept in OUT, a new temporary folder by default.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${OUT:-$(mktemp -d)}
systems=${SYSTEMS:-parley reflector confbridge confbridge-drop mod_conference}
rounds=${1:-3}
shift || true

# shellcheck source=systems.sh
. "$here/systems.sh"

# Exit code 1 of a run only says that its report names problems.
for round in $(seq "$rounds"); do
  for system in $systems; do
    start "$system"
    "$parley" bench "$at" --room "$room" --pid "$pid" --json "$@" >"$out/$system.$round.json" 2>/dev/null || true
    stop
  done
done

# The median of each figure, and the least and the most of what matters.
echo "reports in $out"
for system in $systems; do
  jq -r -s --arg system "$system" '
    def median(f): map(f) | sort | .[(length - 1) / 2 | floor];
    def span(f): "\(map(f) | min)-\(map(f) | max)";
    def round3: . * 1000 | round / 1000;
    [ $system,
      "cpu \(median(.server.cpu_ms_per_participant_second) | round3) (\(span(.server.cpu_ms_per_participant_second | round3)))",
      "rss/leg \(median(.server.rss_per_leg_kib) | round) (\(span(.server.rss_per_leg_kib | round))) KiB",
      "threads \(median(.server.threads))",
      "delivery \(median(.packets.delivery) * 10000 | round / 100) % (\(span(.packets.delivery * 10000 | round / 100)))",
      "gap p50 \(median(.packets.interarrival_ms.p50) | round3), p99 \(median(.packets.interarrival_ms.p99) | round3), max \(median(.packets.interarrival_ms.max) | round3)",
      "levels \(median(.levels.worst_deviation_db) | round3) dB, own \(median(.levels.own_dbfs) | round)",
      "up \(median(.calls.up))",
      "generator \(median(.generator.cpu_ms_per_participant_second) | round3), late p99 \(median(.generator_late_ms.p99) | round3)"
    ] | join(" | ")' "$out/$system".*.json
done
