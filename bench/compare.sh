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
# Ports: SIP 25570, 25662, 25762, 5090; RTP 12000-59999, all on 127.0.0.1.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
parley=${PARLEY:-$here/../bin/parley}
out=${OUT:-$(mktemp -d)}
systems=${SYSTEMS:-parley reflector confbridge confbridge-drop mod_conference}
rounds=${1:-3}
shift || true

server="" container=""
stop() {
  if [ -n "$server" ]; then kill "$server" && wait "$server" || true; fi
  if [ -n "$container" ]; then docker rm -f "$container" >/dev/null; fi
  server="" container=""
}
trap stop EXIT

# measure NAME PID HOST:PORT [flags…]: one report; exit code 1 only says that
# the report names problems.
measure() {
  local name=$1 pid=$2 at=$3
  shift 3
  sleep "${SETTLE:-10}"
  "$parley" bench "$at" --pid "$pid" --json "$@" >"$out/$name.$round.json" || true
  stop
}

for round in $(seq "$rounds"); do
  for system in $systems; do
    case $system in
    parley)
      "$parley" --config "$here/baseline/parley.yaml" serve >"$out/parley.log" 2>&1 &
      server=$!
      measure "$system" "$server" 127.0.0.1:25570 "$@"
      ;;
    reflector)
      "$parley" bench reflect 127.0.0.1:5090 &
      server=$!
      measure "$system" "$server" 127.0.0.1:5090 "$@"
      ;;
    confbridge | confbridge-drop)
      container=$(docker run -d --network host -v "$here/baseline/asterisk:/etc/asterisk:ro" parley-test/asterisk:22)
      room=3001
      if [ "$system" = confbridge-drop ]; then room=4001; fi
      measure "$system" "$(docker inspect -f '{{.State.Pid}}' "$container")" 127.0.0.1:25662 --room "$room" "$@"
      ;;
    mod_conference)
      container=$(docker run -d --network host -v "$here/baseline/freeswitch.xml:/conf/freeswitch.xml:ro" parley-test/freeswitch:1.11.1)
      measure "$system" "$(docker inspect -f '{{.State.Pid}}' "$container")" 127.0.0.1:25762 "$@"
      ;;
    esac
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
