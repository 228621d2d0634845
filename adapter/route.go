package adapter

import (
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"

	"parley/adapter/config"
	"parley/adapter/phone"
	"parley/engine"
	"parley/sip"
)

// destination is what an address to call means: a SIP URI, or an endpoint in
// the words of a switch.
type destination struct {
	uri      string
	trunk    *config.Trunk // nil = none: the URI is called as it is
	swtch    string
	endpoint string
}

// destinationOf reads an address:
//
//	sip:USER@HOST[:PORT][;transport=tcp]
//	TRUNK/NUMBER                    a trunk of the configuration
//	SWITCH/ENDPOINT                 a switch of it, in its own words: pbx1/user/1001, ast1/PJSIP/1001
//	NUMBER or tel:NUMBER            by dial.number
//
// and what stands in dialplans written for a switch, so that they need not be
// changed: sofia/gateway/TRUNK/NUMBER, sofia/PROFILE/USER@HOST,
// PJSIP/NUMBER@TRUNK, PJSIP/[ENDPOINT/]sip:USER@HOST and SIP/TRUNK/NUMBER. An error wraps engine.ErrNoRoute.
func destinationOf(c *config.Config, address string) (destination, error) {
	if number, ok := bareNumber(address); ok {
		if c.Dial.Number == "" {
			return destination{}, noRoute(address, "a bare number; set dial.number, or say TRUNK/NUMBER")
		}
		address = strings.ReplaceAll(c.Dial.Number, "{number}", number)
	}
	if strings.HasPrefix(address, "sip:") {
		return bySIP(address, address)
	}
	first, rest, _ := strings.Cut(address, "/")
	if t := trunkNamed(c, first); t != nil {
		return viaTrunk(t, address, rest)
	}
	for _, s := range c.Switches {
		if s.Name == first && rest != "" {
			return destination{swtch: s.Name, endpoint: rest}, nil
		}
	}
	return foreign(c, address, first, rest)
}

// foreign reads an address that was written for a switch.
func foreign(c *config.Config, address, kind, rest string) (destination, error) {
	first, second, _ := strings.Cut(rest, "/")
	var name, number string
	switch kind {
	case "sofia":
		if first != "gateway" {
			return viaProfile(address, second)
		}
		name, number, _ = strings.Cut(second, "/")
	case "PJSIP":
		if endpoint, uri, is := strings.Cut(rest, "sip:"); is && (endpoint == "" || strings.HasSuffix(endpoint, "/")) {
			return bySIP(address, "sip:"+uri)
		}
		number, name, _ = strings.Cut(rest, "@")
	case "SIP":
		name, number = first, second
	default:
		return destination{}, noRoute(address, "neither sip:USER@HOST nor a name of sip.trunks or switches and what follows it")
	}
	if t := trunkNamed(c, name); t != nil {
		return viaTrunk(t, address, number)
	}
	return destination{}, noRoute(address, fmt.Sprintf("no trunk %q in sip.trunks", name))
}

// viaProfile is the party of sofia/PROFILE/USER@HOST.
func viaProfile(address, party string) (destination, error) {
	user, host, ok := strings.Cut(strings.TrimPrefix(party, "sip:"), "@")
	if !ok || user == "" || host == "" {
		return destination{}, noRoute(address, "want sofia/PROFILE/USER@HOST")
	}
	return bySIP(address, "sip:"+user+"@"+host)
}

// sipURI is what is called of RFC 3261 §19.1: user, host and port, and no
// parameter but the transport. Whatever else a URI may hold, such as header
// fields, is for its owner to say and not for who orders a call.
const sipURI = `^sip:([A-Za-z0-9_.!~*'()&=+$,-]|%[0-9A-Fa-f]{2}){1,128}@([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?(;transport=(udp|tcp))?$`

// bySIP is the party at a SIP URI.
func bySIP(address, uri string) (destination, error) {
	parts := regexp.MustCompile(sipURI).FindStringSubmatch(uri)
	if parts == nil {
		return destination{}, noRoute(address, "want sip:USER@HOST[:PORT][;transport=udp|tcp]")
	}
	if port := strings.TrimPrefix(parts[3], ":"); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return destination{}, noRoute(address, "port "+port)
		}
	}
	return destination{uri: uri}, nil
}

func viaTrunk(t *config.Trunk, address, number string) (destination, error) {
	if number == "" || strings.Trim(number, numberBytes+userBytes) != "" {
		return destination{}, noRoute(address, "want "+t.Name+"/NUMBER")
	}
	uri := "sip:" + strings.ReplaceAll(number, "#", "%23") + "@" + bracketed(t.Address)
	if t.Transport == "tcp" {
		uri += ";transport=tcp"
	}
	return destination{uri: uri, trunk: t}, nil
}

// bracketed is an address as it stands in a URI: an IPv6 one in brackets.
func bracketed(address string) string {
	if ip := net.ParseIP(address); ip != nil && ip.To4() == nil {
		return "[" + address + "]"
	}
	return address
}

// What numbers and names in an address are made of.
const (
	numberBytes = "+0123456789*#"
	userBytes   = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._"
)

// bareNumber reads NUMBER and tel:NUMBER, whose dots, dashes and brackets mean
// nothing (RFC 3966 §3).
func bareNumber(address string) (string, bool) {
	number, tel := strings.CutPrefix(address, "tel:")
	if tel {
		number, _, _ = strings.Cut(number, ";")
		number = strings.NewReplacer("-", "", ".", "", "(", "", ")", "").Replace(number)
	}
	return number, number != "" && strings.Trim(number, numberBytes) == ""
}

func trunkNamed(c *config.Config, name string) *config.Trunk {
	for i := range c.SIP.Trunks {
		if c.SIP.Trunks[i].Name == name {
			return &c.SIP.Trunks[i]
		}
	}
	return nil
}

func noRoute(address, why string) error {
	return fmt.Errorf("%w: %.64q: %s", engine.ErrNoRoute, address, why)
}

// route is the engine's Router.
func (a *App) route(address string) (engine.Way, error) {
	if way := a.besides(address); way != nil {
		return way, nil
	}
	to, err := destinationOf(a.config.Load(), address)
	switch {
	case err != nil:
		return nil, err
	case a.native.Busy() != nil:
		return nil, &engine.RefusalError{Reason: engine.ReasonNodeBusy}
	case to.swtch != "":
		return a.byTheSwitch(address, to)
	}
	return a.phones.Way(a.endpoint, a.target(to)), nil
}

// callable is ariserver's Callable.
func (a *App) callable(address string) error {
	_, err := destinationOf(a.config.Load(), address)
	return err
}

// referral is the URI at which others reach what an address means.
func (a *App) referral(address string) (string, error) {
	to, err := destinationOf(a.config.Load(), address)
	if err == nil && to.uri == "" {
		err = noRoute(address, "it is known at switch "+to.swtch+" alone")
	}
	return to.uri, err
}

// byTheSwitch is the way to a party whom a switch calls. One that was configured
// by a reload has no link yet.
func (a *App) byTheSwitch(address string, to destination) (engine.Way, error) {
	for _, l := range a.links {
		calls, can := l.(interface {
			Way(endpoint string) engine.Way
		})
		if name, _, _ := l.Check(); can && name == to.swtch {
			return calls.Way(to.endpoint), nil
		}
	}
	return nil, noRoute(address, "switch "+to.swtch+" waits for a restart")
}

// target is a destination as the SIP endpoint calls it.
func (a *App) target(to destination) phone.Target {
	t := phone.Target{URI: to.uri}
	if to.trunk != nil {
		t.From.User = to.trunk.CallerNumber
		if to.trunk.User != "" {
			t.Auth = &sip.Auth{User: to.trunk.User, Password: to.trunk.Password.Reveal()}
		}
	}
	return t
}
