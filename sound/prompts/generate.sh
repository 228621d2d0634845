#!/bin/sh
# Speaks every line of prompts.tsv (name, tab, text) into en/NAME.wav: 16 kHz,
# mono, 16 bit, silence trimmed, speech at LEVEL dBov RMS. Needs flite and sox.
# Usage: ./generate.sh [NAME ...]      no name: all of them
set -eu
cd "$(dirname "$0")"

VOICE=slt        # CMU ARCTIC, female, 16 kHz
STRETCH=0.95     # a little faster than the voice speaks by itself
LEVEL=-20        # dB relative to overload (a full-scale square wave)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p en

# speak NAME TEXT
speak() {
	flite -voice $VOICE --setf duration_stretch=$STRETCH -t "$2" -o "$work/raw.wav"
	# Cut below 0.1 % of full scale at both ends, leave 20 ms before and 40 ms
	# after, and fade the cuts so that nothing clicks where prompts are joined.
	sox -D "$work/raw.wav" -r 16000 -c 1 -b 16 "$work/cut.wav" highpass 90 \
		silence 1 0.01 0.1% reverse silence 1 0.01 0.1% reverse \
		pad 0.02 0.04
	sox -D "$work/cut.wav" "$work/faded.wav" fade t 0.01 0 0.02
	rms=$(sox "$work/faded.wav" -n stats 2>&1 | awk '/^RMS lev dB/ {print $4}')
	gain=$(awk "BEGIN {print $LEVEL - ($rms)}")
	sox -D "$work/faded.wav" "en/$1.wav" gain "$gain"
}

tab=$(printf '\t')
while IFS="$tab" read -r name text; do
	wanted=1
	for n in "$@"; do
		wanted=
		[ "$n" = "$name" ] && wanted=1 && break
	done
	[ -z "$wanted" ] || speak "$name" "$text"
done <prompts.tsv
