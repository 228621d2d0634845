package ariserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"parley/engine"
)

// redirect has a member's phone call elsewhere. Asterisk answers before the phone
// has; here its refusal is told, unless it takes longer than a command may.
func (s *Server) redirect(ctx context.Context, q *request) answer {
	c, bad := s.known(q)
	endpoint := q.get("endpoint")
	switch {
	case bad != nil:
		return *bad
	case endpoint == "":
		return no(http.StatusBadRequest, "Required parameter 'endpoint' not provided.")
	}
	if wrong := mismatch(endpoint, c.Name); wrong != "" {
		return no(http.StatusUnprocessableEntity, wrong)
	}
	if c.member == 0 {
		return no(http.StatusPreconditionFailed, "Channel in invalid state")
	}
	to, err := s.referral(endpoint)
	if err != nil {
		return no(http.StatusNotFound, "Endpoint not found: "+engine.Detail(err))
	}
	err = s.ask(ctx, c.room, engine.Redirect{Member: c.member, To: to})
	switch {
	case err == nil, errors.Is(err, context.DeadlineExceeded):
		return done()
	case errors.Is(err, engine.ErrCannot):
		return no(http.StatusConflict, engine.Detail(err))
	default:
		return failed(err)
	}
}

// mismatch says, in Asterisk's words, why a channel cannot be sent to an endpoint.
// What is not by SIP has no phone that could be asked.
func mismatch(endpoint, channel string) string {
	tech, resource, is := strings.Cut(endpoint, "/")
	own, _, _ := strings.Cut(channel, "/")
	techs := []string{own, "PJSIP", "SIP"}
	if own == "RTP" || own == "Snoop" {
		techs = techs[:1]
	}
	switch {
	case !is || tech == "":
		return fmt.Sprintf("Endpoint parameter '%.100s' does not contain tech/resource", endpoint)
	case resource == "":
		return fmt.Sprintf("No resource provided in endpoint parameter '%.100s'", endpoint)
	case !slices.ContainsFunc(techs, func(t string) bool { return strings.EqualFold(t, tech) }):
		return fmt.Sprintf("Endpoint technology '%.100s' does not match channel technology '%s'", tech, own)
	}
	return ""
}

// referral is the URI of an endpoint: TECH/URI, or what can be dialled.
func (s *Server) referral(endpoint string) (string, error) {
	_, resource, _ := strings.Cut(endpoint, "/")
	if engine.Referable(resource) {
		return resource, nil
	}
	if s.opt.Referral == nil {
		return "", fmt.Errorf("%w: %.64q", engine.ErrNoRoute, endpoint)
	}
	if strings.Trim(resource, "+0123456789*#") == "" { // a number alone
		return s.opt.Referral(resource)
	}
	return s.opt.Referral(endpoint)
}
