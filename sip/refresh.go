package sip

import (
	"slices"
	"strconv"
	"strings"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
)

// refresh is what both sides of a call agreed on to notice that the other one
// is gone (RFC 4028). The zero value is nothing.
type refresh struct {
	interval time.Duration // the call ends that long after its last refresh
	ours     bool          // we refresh
}

// due is how long after the last refresh something is to be done: half the
// interval for who refreshes, a little before its end for who waits (§10).
func (r refresh) due() time.Duration {
	if r.ours {
		return r.interval / 2
	}
	return r.interval - min(32*time.Second, r.interval/3)
}

// refreshAsk is what a message says about refreshing.
type refreshAsk struct {
	supported bool
	expires   time.Duration // 0: unsaid
	minimum   time.Duration // 0: unsaid
	refresher string        // "uac", "uas" or ""
}

func refreshAskOf(m sipgo.Message) refreshAsk {
	a := refreshAsk{
		supported: slices.Contains(tokens(m, "Supported", "k"), "timer"),
		minimum:   deltaSeconds(first(m, "Min-SE")),
	}
	value, params, _ := strings.Cut(first(m, "Session-Expires", "x"), ";")
	a.expires = deltaSeconds(value)
	for p := range strings.SplitSeq(params, ";") {
		if k, v, _ := strings.Cut(p, "="); strings.EqualFold(strings.TrimSpace(k), "refresher") {
			a.refresher = strings.ToLower(strings.TrimSpace(v))
		}
	}
	return a
}

// deltaSeconds reads a number of seconds; parameters may follow.
func deltaSeconds(s string) time.Duration {
	s, _, _ = strings.Cut(s, ";")
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}

// tooShort says whether to refuse with 422: only peers that know how to ask
// again are refused (§9).
func (a refreshAsk) tooShort(least time.Duration) bool {
	return a.supported && a.expires != 0 && a.expires < least
}

// grant is our answer to what a peer asks. was is what held before; whose turn
// it was stays unless the peer says otherwise.
func (a refreshAsk) grant(o Options, was refresh) refresh {
	r := refresh{interval: a.expires}
	switch {
	case a.expires == 0 && !a.supported, a.expires != 0 && a.expires < o.MinSE:
		return refresh{}
	case a.expires == 0:
		r.interval = max(o.SessionExpires, a.minimum)
	default:
		r.interval = min(a.expires, max(o.SessionExpires, a.minimum))
	}
	switch a.refresher {
	case "uac":
		r.ours = false
	case "uas":
		r.ours = true
	default:
		r.ours = !a.supported || was.ours
	}
	return r
}

// granted is what a peer's 2xx made of what we asked.
func (a refreshAsk) granted() refresh {
	if a.expires < time.Second {
		return refresh{}
	}
	return refresh{interval: a.expires, ours: a.refresher != "uas"}
}

// reply are the headers of our 2xx.
func (r refresh) reply(a refreshAsk) []sipgo.Header {
	if r.interval == 0 {
		return nil
	}
	who := "uac"
	if r.ours {
		who = "uas"
	}
	out := []sipgo.Header{header("Session-Expires", seconds(int64(r.interval/time.Second))+";refresher="+who)}
	if a.supported && !r.ours {
		out = append(out, header("Require", "timer"))
	}
	return out
}

// ask are the headers of our request. With least, a peer's 422 asked for that
// much.
func (r refresh) ask(o Options, least time.Duration) []sipgo.Header {
	value := seconds(int64(max(o.SessionExpires, least) / time.Second))
	switch {
	case r.interval != 0 && r.ours:
		value = seconds(int64(max(r.interval, least)/time.Second)) + ";refresher=uac"
	case r.interval != 0:
		value = seconds(int64(max(r.interval, least)/time.Second)) + ";refresher=uas"
	}
	return []sipgo.Header{
		header("Session-Expires", value),
		header("Min-SE", seconds(int64(max(o.MinSE, least)/time.Second))),
	}
}
