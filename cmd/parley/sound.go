package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"parley/adapter/control"
	"parley/engine"
)

const (
	packetsStopped = 200 * time.Millisecond // without a packet: ten are missing
	inaudible      = -65.0                  // dBov: nobody hears it
)

// listen asks how a room sounds and has it told; that returns whether something
// is wrong.
func listen(f *flags, room string, tell func(io.Writer, engine.RoomView) bool) func(*cobra.Command, *control.Client) error {
	return func(cmd *cobra.Command, c *control.Client) error {
		r, err := c.Sound(cmd.Context(), room)
		if err != nil {
			return err
		}
		w := cmd.OutOrStdout()
		if f.json {
			w = io.Discard
		}
		bad := tell(w, r)
		if f.json {
			err = printJSON(cmd, r)
		}
		if err == nil && bad {
			return errSaid
		}
		return err
	}
}

// who is a member in a few words.
func who(m engine.MemberView) string {
	words := []string{fmt.Sprintf("#%d", m.ID)}
	for _, s := range []string{m.Number, m.Name} {
		if s != "" {
			words = append(words, s)
		}
	}
	if m.Switch != "" {
		words = append(words, "via "+m.Switch)
	}
	return strings.Join(words, " ") + ":"
}

// noisy tells who disturbs the others.
func noisy(w io.Writer, r engine.RoomView) (bad bool) {
	if unseen(r) {
		fmt.Fprintf(w, "room: mixed at %s, whose audio is not heard here\n", r.Mixer)
		return false
	}
	for _, m := range r.Members {
		d := m.Disturbance
		if d == nil {
			continue
		}
		advice := fmt.Sprintf("suggested: mute %d", m.ID)
		if m.Muted {
			advice = "muted, so nobody hears it"
		}
		bad = bad || !m.Muted
		fmt.Fprintf(w, "%s %s; %s\n", who(m), disturbs(d), advice)
	}
	if !bad {
		fmt.Fprintf(w, "nobody else in %s echoes, howls or makes noise without a pause, as far as the last 8 s tell\n", r.Name)
	}
	return bad
}

func disturbs(d *engine.Disturbance) string {
	switch d.Kind {
	case engine.Echo:
		return fmt.Sprintf("returns %.0f %% of others' speech after %d ms (echo)", 100*d.Share, d.DelayMS)
	case engine.Howl:
		return fmt.Sprintf("a tone of about %.0f Hz at %.0f dBov for %.0f s (howl)", d.Hz, d.Level, d.Seconds)
	case engine.Noise:
		return fmt.Sprintf("no pause in %.0f s, %.0f dBov (noise)", d.Seconds, d.Level)
	default:
		return string(d.Kind)
	}
}

// unseen says whether the members' audio does not come here.
func unseen(r engine.RoomView) bool {
	return len(r.Members) > 0 && count(r.Members, func(m engine.MemberView) bool { return m.Level == nil }) == len(r.Members)
}

// heardNow is what is known of one whom nothing keeps from being heard.
func heardNow(m engine.MemberView) string {
	switch {
	case m.Level != nil && m.Gated:
		return fmt.Sprintf("is heard when he talks; the gate takes %.0f dBov for noise", *m.Level)
	case m.Level != nil:
		return fmt.Sprintf("is heard, %.0f dBov now", *m.Level)
	case m.Talking:
		return "is heard, talks now"
	default:
		return "can be heard, does not talk now"
	}
}

// whySilent tells of each member why he is not heard, and what is wrong with
// the room as a whole.
func whySilent(w io.Writer, r engine.RoomView) (bad bool) {
	for _, text := range r.Unplayed {
		fmt.Fprintf(w, "room: a sound was not played: %s\n", text)
	}
	return mute(w, r) || len(r.Unplayed) > 0
}

// mute is whySilent for the members' voices.
func mute(w io.Writer, r engine.RoomView) (bad bool) {
	heard, hear := 0, 0
	for _, m := range r.Members {
		why := silent(m)
		if why == "" {
			heard++
			why = heardNow(m)
		}
		if m.Deaf {
			why += "; hears nobody: deaf " + m.DeafBy
		} else if m.State == "joined" {
			hear++
		}
		fmt.Fprintln(w, who(m), why)
	}
	switch waiting := count(r.Members, func(m engine.MemberView) bool { return m.State == "waiting" }); {
	case len(r.Members) == 0:
		fmt.Fprintf(w, "room: nobody is in it, %d at the attendant\n", r.Prompting)
	case waiting == len(r.Members):
		fmt.Fprintln(w, "room: waiting for moderator")
	case len(r.Members) == 1:
		fmt.Fprintln(w, "room: one member alone hears nobody")
	case heard == 0:
		fmt.Fprintln(w, "room: nobody is heard")
	case hear == 0:
		fmt.Fprintln(w, "room: nobody hears")
	case unseen(r):
		fmt.Fprintf(w, "room: mixed at %s, whose audio is not seen here; nothing else keeps %d of %d from being heard\n", r.Mixer, heard, len(r.Members))
		return false
	default:
		fmt.Fprintf(w, "room: %d of %d are heard\n", heard, len(r.Members))
		return false
	}
	return true
}

func count[T any](all []T, is func(T) bool) (n int) {
	for _, v := range all {
		if is(v) {
			n++
		}
	}
	return n
}

// silent is why a member is not heard; "" when he is.
func silent(m engine.MemberView) string {
	from := ""
	if m.Source != "" {
		from = " (last from " + m.Source + ")"
	}
	switch {
	case m.State == "waiting":
		return "waiting for moderator"
	case m.State != "joined":
		return "not in the room: " + m.State
	case m.Held:
		return "held by his side"
	case m.QuietMS == nil && m.Source != "":
		return "no RTP has come yet, from " + m.Source + " or elsewhere"
	case m.QuietMS != nil && time.Duration(*m.QuietMS)*time.Millisecond > packetsStopped:
		return "no RTP since " + clock(time.Duration(*m.QuietMS)*time.Millisecond) + from
	case m.Muted:
		return "muted " + m.MutedBy
	case m.Talk <= -40:
		return fmt.Sprintf("turned down by %v dB", -m.Talk)
	case m.QuietMS != nil && m.Level != nil && *m.Level <= inaudible:
		return "sends packets, but only silence" + from
	case m.Gated && m.Talking && m.Level != nil:
		return fmt.Sprintf("talks, %.0f dBov now, but the gate lets nothing of it through", *m.Level)
	default:
		return ""
	}
}

// What the rest of the way takes, in ms, besides the jitter buffer: a frame
// waits half a tick on average, and wideband codecs look ahead.
const (
	mixMS   = 10
	slotsMS = 20 // of the histogram
)

// lookahead of the codecs, both ways, in ms: G.722 has two filters of 22
// samples, Opus looks 2.5 ms ahead and overlaps 4.
func lookahead(codec string) float64 {
	switch name, _, _ := strings.Cut(codec, "/"); name {
	case "G722":
		return 2.75
	case "opus":
		return 6.5
	default:
		return 0
	}
}

// delays tells how late everybody is heard, and why.
func delays(w io.Writer, r engine.RoomView) (bad bool) {
	if unseen(r) {
		fmt.Fprintf(w, "room: mixed at %s, which does not tell how late its members are heard\n", r.Mixer)
		return false
	}
	fmt.Fprintf(w, "%3s  %-14s %-16s %-10s %8s %4s %7s %7s\n", "#", "number", "name", "codec", "buffer", "mix", "encode", "sum")
	var slots []int
	for _, m := range r.Members {
		sum := float64(m.DelayMS) + mixMS + lookahead(m.Codec)
		fmt.Fprintf(w, "%3d  %-14s %-16s %-10s %5d ms %4d %7.1f %4.0f ms  %s\n", m.ID, m.Number, m.Name, m.Codec, m.DelayMS, mixMS,
			lookahead(m.Codec), sum, cause(m))
		i := int(sum / slotsMS)
		slots = append(slots, make([]int, max(0, i+1-len(slots)))...)
		slots[i]++
		bad = bad || m.Capped
	}
	most := 1
	if len(slots) > 0 {
		most = max(1, slices.Max(slots))
	}
	for i, n := range slots {
		bar := strings.Repeat("#", int(math.Ceil(40*float64(n)/float64(most))))
		fmt.Fprintf(w, "%3d-%d ms %4d %s\n", i*slotsMS, (i+1)*slotsMS, n, bar)
	}
	return bad
}

// cause is why a jitter buffer is long.
func cause(m engine.MemberView) string {
	if m.DelayMS <= 40 && !m.Capped {
		return ""
	}
	why := fmt.Sprintf("jitter buffer %d ms because packets come up to %d ms apart", m.DelayMS, m.JitterMS)
	if m.JitterMS < 5 {
		why = fmt.Sprintf("jitter buffer %d ms because some packets came late in bursts", m.DelayMS)
	}
	if m.Lost > 0.01 {
		why += fmt.Sprintf(", %.0f %% are lost", 100*m.Lost)
	}
	if m.Capped {
		why += "; capped"
	}
	return why
}
