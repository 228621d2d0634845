# shellcheck shell=bash
# What compare.sh and table.sh have in common: systems that are started and
# stopped. Set before: here, the folder bench; out, where reports go.
# Ports: SIP 25570, 25662, 25762, 5090; RTP 12000-59999, all on 127.0.0.1.
parley=${PARLEY:-$here/../bin/parley}

server="" container="" pid="" at="" room=3001
stop() {
  if [ -n "$server" ]; then kill "$server" && wait "$server" || true; fi
  if [ -n "$container" ]; then docker rm -f "$container" >/dev/null; fi
  server="" container=""
}
trap stop EXIT

# start NAME: sets pid, at and room.
start() {
  room=3001
  case $1 in
  parley)
    "$parley" --config "$here/baseline/parley.yaml" serve >"$out/parley.log" 2>&1 &
    server=$! pid=$! at=127.0.0.1:25570
    ;;
  reflector)
    "$parley" bench reflect 127.0.0.1:5090 &
    server=$! pid=$! at=127.0.0.1:5090
    ;;
  confbridge | confbridge-drop)
    container=$(docker run -d --network host -v "$here/baseline/asterisk:/etc/asterisk:ro" parley-test/asterisk:22 asterisk -f)
    at=127.0.0.1:25662
    if [ "$1" = confbridge-drop ]; then room=4001; fi
    ;;
  mod_conference)
    container=$(docker run -d --network host -v "$here/baseline/freeswitch.xml:/conf/freeswitch.xml:ro" --entrypoint sh parley-test/freeswitch:1.11.1 -c \
      'exec freeswitch -nf -nc -nonat -nonatmap -nocal -np -conf /conf -log /tmp -db /tmp -run /tmp')
    at=127.0.0.1:25762
    ;;
  *)
    echo "no system is called $1" >&2
    exit 2
    ;;
  esac
  if [ -n "$container" ]; then pid=$(docker inspect -f '{{.State.Pid}}' "$container"); fi
  sleep "${SETTLE:-10}"
}
