#!/usr/bin/env bash
# Makes the whole table of REPORT.md in one run of some 15 minutes: Parley,
# ConfBridge, mod_conference and a bare reflector, in turn, in ROUNDS rounds; each
# is started anew for each round, and measured in all shapes.
#
#   bench/table.sh [ROUNDS]         # 3 by default; prints Markdown
#   OUT=folder bench/table.sh       # keeps the reports there
#   OUT=folder bench/table.sh 0     # only prints the table of those again
#   SYSTEMS="parley reflector" SHAPES=1x100 bench/table.sh 1
#
# Needs Docker with the images of `make integration`, jq, and bin/parley
# (`make build`). The machine should do nothing else meanwhile.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${OUT:-$(mktemp -d)}
rounds=${1:-3}
SETTLE=${SETTLE:-6}
mkdir -p "$out"
# shellcheck source=systems.sh
. "$here/systems.sh"

systems=${SYSTEMS:-parley confbridge mod_conference reflector}
shapes=${SHAPES:-1x100 1x10 1x50 1x200 10x10 50x4} # the first one's memory is that of a process just started

# measure SYSTEM SHAPE [flags…]; exit code 1 only says that the report names
# problems. A run that is impossible leaves no report.
measure() {
  local name=$1.$2 shape=${2%%-*}
  shift 2
  "$parley" bench "$at" --room "$room" --pid "$pid" --json --rooms "${shape%x*}" --callers "${shape#*x}" \
    --rate 100 --warmup 2s --duration 5s "$@" >"$out/$name.$round.json" 2>"$out/$name.$round.log" || true
  [ -s "$out/$name.$round.json" ] || rm -f "$out/$name.$round.json"
}

for round in $(seq "$rounds"); do
  echo "round $round of $rounds, $(date +%T)" >&2
  for system in $systems; do
    start "$system"
    for shape in $shapes; do
      case $system.$shape in
      reflector.1x10 | reflector.1x100 | reflector.1x200 | parley.* | confbridge.* | mod_conference.*) measure "$system" "$shape" ;;
      esac
    done
    if [ "$system" != reflector ]; then
      measure "$system" 1x10-bad --talkers 1 --loss 2 --jitter 20ms --duration 10s
      measure "$system" 1x8-loud --talkers 6 --level -6
      measure "$system" 1x50-opus --codec opus --room 4001
    fi
    if [ "$system" = parley ]; then measure parley 1x1000 --rate 200; fi
    stop
  done
done

jq -n -r --arg shapes "$shapes" '
  def median: sort | if length == 0 then null else .[(length - 1) / 2 | floor] end;
  def show: if . == null then "-" elif . >= 100 then round else . * 100 | round / 100 end;
  [inputs | {key: (input_filename | split("/")[-1] | sub("\\.[0-9]+\\.json$"; "")), value: .}] as $all |
  def values($system; $shape; f): [$all[] | select(.key == "\($system).\($shape)") | .value | f | select(. != null)];
  def cell($system; $shape; f): values($system; $shape; f) | if length == 0 then "-" else "\(median | show) (\(min | show)–\(max | show))" end;
  def ratio($system; $shape; f): (values("parley"; $shape; f) | median) as $ours | (values($system; $shape; f) | median) as $theirs |
    if $ours == null or $theirs == null or $theirs == 0 then "-" else $ours / $theirs | show end;
  def line($what; $shape; f; $target): "| \($what) | \(["parley", "confbridge", "mod_conference", "reflector"] | map(cell(.; $shape; f)) | join(" | ")) | " +
    "\(["confbridge", "mod_conference", "reflector"] | map(ratio(.; $shape; f)) | join(" / ")) | \($target) |";
  def heard: .delay_ms | select(. != null and .bursts > 0);
  def cpu: .server.cpu_ms_per_participant_second;
  "| measure | Parley | ConfBridge | mod_conference | reflector | Parley’s share of each | target |",
  "|---|---|---|---|---|---|---|",
  ({"1x10": "≤ 0.60 / 0.50 / 1.5", "1x50": "≤ 0.45", "1x100": "≤ 0.30 / 0.20 / 1.5", "1x200": "≤ 0.30 / 0.20 / 1.5", "10x10": "≤ 0.30 / 0.20", "50x4": "≤ 0.30 / 0.20"} as $t |
    $shapes | split(" ")[] | line("CPU-ms per participant-second, \(.)"; .; cpu; $t[.])),
  line("the same, 1x1000"; "1x1000"; cpu; "≤ 1.1 × 1x100"),
  line("the same, Opus, 1x50"; "1x50-opus"; cpu; "≤ 0.15 × mod_conference"),
  line("delay added, p50, ms"; "1x100"; heard.p50; "≤ 12"),
  line("delay added, p95, ms"; "1x100"; heard.p95; "≤ 25"),
  line("delay at 2 % loss, 20 ms jitter, p95, ms"; "1x10-bad"; heard.p95; "≤ 90"),
  line("glitches per lost packet, likewise"; "1x10-bad"; (.glitches | select(. != null) | .per_lost // 0); "≤ 0.5"),
  line("inter-arrival p99, ms, 1x200"; "1x200"; .packets.interarrival_ms.p99; "≤ 20.5"),
  line("inter-arrival max, ms, 1x200"; "1x200"; .packets.interarrival_ms.max; "≤ 23"),
  line("INVITE to 200, p99, ms, 1x200"; "1x200"; .calls.answer_ms.p99; "≤ 3"),
  line("RSS per leg, KiB, 1x100"; "1x100"; .server.rss_per_leg_kib; "≤ 48"),
  line("threads, 1x200"; "1x200"; .server.threads; "does not grow"),
  line("SINAD of six talkers at -6 dBFS, dB"; "1x8-loud"; .sinad_db; "≥ 20"),
  line("own voice, dB of what was sent"; "1x8-loud"; (.levels.own_dbfs - .levels.sent_dbfs); "≤ -50"),
  line("packets delivered, %, 1x200"; "1x200"; (.packets.delivery * 100); ""),
  line("generator late, p99, ms, 1x200"; "1x200"; .generator_late_ms.p99; "< 5, or the machine was busy")
' "$out"/*.json
echo "reports in $out" >&2
