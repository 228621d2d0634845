package engine

import (
	"fmt"
	"strings"
)

// Redirect has a caller's phone, or whoever has his call, call To in place of us:
// a URI of scheme sip, sips or tel. It is answered when the other side has said
// that it will, which is not yet that the call there has come about: then he
// leaves with reason transferred, and else he stays, and the log says why. Who
// knows of no answer (an Asterisk) is not waited for. With Wait it is answered when
// his phone has told how that went, or he has left: who does neither is waited for
// as long as the context lasts, and who hangs up and tells nothing is ErrNoMember.
// The error wraps ErrCannot where the other side will not, or cannot be asked, as
// while another Redirect has no answer, and is a StaysError where it has been.
type Redirect struct {
	Member MemberID
	To     string
	Wait   bool
}

func (Redirect) isCommand() {}

// StaysError is why a call stays that was to go elsewhere: what its phone was
// answered there, or with no Code what it has answered us itself.
type StaysError struct {
	Code int
	Text string
}

func (e *StaysError) Error() string {
	if e.Code == 0 {
		return fmt.Sprintf("%v: %s", ErrCannot, e.Text)
	}
	return fmt.Sprintf("%v: the phone was answered %d %s", ErrCannot, e.Code, e.Text)
}

func (e *StaysError) Unwrap() error { return ErrCannot }

// Redirecter is a Leg that can be sent elsewhere.
type Redirecter interface {
	Leg
	// Redirect has the far side call the URI to, which is printable and has no
	// spaces, quotes and angle brackets: Redirected. LegGone follows, with
	// ReasonTransferred, when it has gone there, and with CauseBlindTransfer where
	// that was told, and is not taken from its hanging up.
	Redirect(op OpID, to string)
}

// Redirected settles Redirecter.Redirect. Err is why the call stays; a second one
// may say so when the first did not.
type Redirected struct {
	Leg LegID
	Op  OpID
	Err error
}

func (Redirected) isFact() {}

// maxURI is how long a URI may be that a call is sent to.
const maxURI = 512

// Referable says whether a URI is one that a call can be sent to.
func Referable(uri string) bool {
	scheme, rest, _ := strings.Cut(uri, ":")
	switch strings.ToLower(scheme) {
	case "sip", "sips", "tel":
	default:
		return false
	}
	plain := func(r rune) bool { return r > ' ' && r < 0x7f && !strings.ContainsRune("<>\"'`\\{}|^$", r) }
	return rest != "" && len(uri) <= maxURI && strings.IndexFunc(uri, func(r rune) bool { return !plain(r) }) < 0
}

// redirect asks who has a member's call to send it elsewhere.
func (r *room) redirect(o order, c Redirect) {
	if !Referable(c.To) {
		o.reply <- fmt.Errorf("%w: %q is no sip:, sips: or tel: URI of up to %d plain characters", ErrBadCommand, clip(c.To), maxURI)
		return
	}
	s := r.memberSeat(c.Member)
	if s == nil {
		o.reply <- r.noMember(c.Member)
		return
	}
	l, ok := s.leg.(Redirecter)
	switch {
	case !ok:
		o.reply <- fmt.Errorf("%w: nobody can be asked to send member %s elsewhere", ErrCannot, c.Member)
		return
	case s.redirect.op != 0:
		o.reply <- fmt.Errorf("%w: member %s is being sent elsewhere already", ErrCannot, c.Member)
		return
	}
	s.redirect = redirecting{s.op(), c.Wait}
	r.pending[s.redirect.op] = &waiter{open: 1, reply: o.reply}
	l.Redirect(s.redirect.op, c.To)
}

// redirecting is a Redirect that has no answer yet.
type redirecting struct {
	op   OpID // 0 = there is none
	wait bool
}

// redirected answers a Redirect.
func (r *room) redirected(s *seat, f Redirected) {
	if s.redirect.op != f.Op || f.Err == nil && s.redirect.wait {
		return
	}
	s.redirect = redirecting{}
	r.settleOp(f.Op, f.Err)
}

// unredirected answers for a member who has left: who waits is to be told that he has
// come there, others take his hanging up for that.
func (r *room) unredirected(s *seat) {
	var err error
	if s.out.Reason != ReasonTransferred || s.redirect.wait && s.out.Cause != CauseBlindTransfer {
		err = fmt.Errorf("%w: %s has left room %s", ErrNoMember, s.member, r.name)
	}
	r.settleOp(s.redirect.op, err)
	s.redirect = redirecting{}
}
