package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"
)

// codecNames are the codecs that Parley has.
func codecNames() []string { return []string{"opus", "G722", "PCMU", "PCMA", "L16"} }

// settings are the keys that are set once for the whole process. Each of them
// can also be set from the environment.
func settings(c *Config) []field {
	return []field{
		{"language", language(&c.Language), 0},
		{"sounds_dir", free(&c.SoundsDir), 0},
		{"state_dir", nonempty(&c.StateDir), restart},
		{"record_dir", free(&c.RecordDir), restart},
		{"reattach_window_s", seconds(&c.Reattach, 0, "0 = nobody comes back"), restart},
		{"tts_command", words{at: &c.TTSCommand}, 0},
		{"sip.listen", address(&c.SIP.Listen), restart},
		{"sip.transports", words{&c.SIP.Transports, []string{"udp", "tcp"}}, restart},
		{"sip.advertise", matching(&c.SIP.Advertise, advertised, `HOST or HOST:PORT, or "" for the local address`), restart},
		{"sip.realm", matching(&c.SIP.Realm, token, `a word without blanks and quotes`), restart},
		{"sip.trusted", networks{&c.SIP.Trusted}, restart},
		{"sip.codecs", words{&c.SIP.Codecs, codecNames()}, restart},
		{"sip.opus_fec", yes(&c.SIP.OpusFEC), restart},
		{"sip.rate_per_source", count(&c.SIP.RatePerSource, 1, ""), restart},
		{"sip.burst_per_source", count(&c.SIP.BurstPerSource, 1, ""), restart},
		{"rtp.bind", ip(&c.RTP.Bind, `the host of sip.listen`), restart},
		{"rtp.ports", ports(&c.RTP.Ports), restart},
		{"rtp.shared", yes(&c.RTP.Shared), restart},
		{"media.advertise", ip(&c.Media.Advertise, `the local address`), restart},
		{"media.jitter_ms", millis(&c.Media.Jitter, 0, 1000), restart},
		{"media.jitter_max_ms", millis(&c.Media.JitterMax, 20, 1000), restart},
		{"media.levels", yes(&c.Media.Levels), restart},
		{"media.timeout_s", seconds(&c.Media.Timeout, 0, "0 = never"), restart},
		{"freeswitch.listen", address(&c.FreeSWITCH.Listen), restart},
		{"freeswitch.acl", networks{&c.FreeSWITCH.ACL}, restart},
		{"freeswitch.dial_string", matching(&c.FreeSWITCH.DialString, dialString, `one line with {token} and {address} in it`), restart},
		{"freeswitch.token_s", seconds(&c.FreeSWITCH.Token, 1, ""), restart},
		{"asterisk.dial_string", matching(&c.Asterisk.DialString, dialString, `one line with {token} and {address} in it`), restart},
		{"audiosocket.listen", address(&c.AudioSocket.Listen), restart},
		{"audiosocket.advertise", matching(&c.AudioSocket.Advertise, emptyOr(hostPort), `HOST:PORT, or "" for audiosocket.listen`), restart},
		{"http.listen", address(&c.HTTP.Listen), restart},
		{"ari_server.app", matching(&c.ARIServer.App, token, "a word"), restart},
		{"dial.timeout_s", seconds(&c.Dial.Timeout, 1, ""), restart},
		{"dial.max_per_room", count(&c.Dial.MaxPerRoom, 1, ""), restart},
		{"dial.number", matching(&c.Dial.Number, emptyOr(numberRoute), `an address with {number} in it, for example carrier/{number}, or ""`), 0},
		{"esl_server.listen", matching(&c.ESLServer.Listen, emptyOr(hostPort), `HOST:PORT, for example 127.0.0.1:8022, or "" for none`), restart},
		{"esl_server.password", keptSecret{secretCell(&c.ESLServer.Password)}, restart},
		{"esl_server.password_file", free(&c.ESLServer.PasswordFile), restart},
		{"esl_server.acl", networks{&c.ESLServer.ACL}, restart},
		{"limits.max_legs", count(&c.Limits.MaxLegs, 0, "0 = no limit"), restart},
		{"limits.max_rooms", count(&c.Limits.MaxRooms, 1, ""), restart},
		{"throttle.failures", count(&c.Throttle.Failures, 1, ""), restart},
		{"throttle.room_failures", count(&c.Throttle.RoomFailures, 1, ""), restart},
		{"throttle.period_s", seconds(&c.Throttle.Period, 1, ""), restart},
		{"log.level", choice(&c.Log.Level, 4, named[slog.Level]{"debug", slog.LevelDebug}, named[slog.Level]{"info", slog.LevelInfo},
			named[slog.Level]{"warn", slog.LevelWarn}, named[slog.Level]{"error", slog.LevelError}), restart},
		{"log.format", oneOf(&c.Log.Format, "text", "json"), restart},
	}
}

// lists are the keys of the main file that hold records instead of settings.
func lists() []string {
	return []string{"sip.users", "sip.trunks", "auth.tokens", "ari_server.users", "esl_server.users", "switches", "controls", "profiles", "rooms"}
}

// everywhere are the lists that profiles.d and rooms.d may hold too.
func everywhere() []string { return []string{"controls", "profiles", "rooms"} }

// envName is the environment variable of a key: sip.listen is
// PARLEY_SIP_LISTEN.
func envName(key string) string {
	return "PARLEY_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// readSettings fills c from the main file and the environment. Viper puts the
// layers over each other: default, file, environment. It gets the texts just
// as they are written, under keys that were checked before, and every key has
// a default, without which it would not look at the environment.
func readSettings(d *document, c *Config) error { return readFields(d, c, settings(c)) }

func readFields(d *document, c *Config, fields []field) error {
	v := viper.NewWithOptions(viper.KeyDelimiter("::"))
	nodes := settingNodes(d, fields)
	given := map[string]any{}
	for key, n := range nodes {
		given[key] = raw(n)
	}
	if err := v.MergeConfigMap(given); err != nil {
		return fmt.Errorf("config: %w", err)
	}
	for _, f := range fields {
		v.SetDefault(f.name, raw(f.node()))
		if err := v.BindEnv(f.name, envName(f.name)); err != nil {
			return fmt.Errorf("config: %w", err)
		}
	}
	for _, f := range fields {
		from, n := d, cooked(v.Get(f.name))
		if os.Getenv(envName(f.name)) != "" {
			from = &document{report: d.report, file: envName(f.name)}
			c.origins[f.name] = "environment variable " + envName(f.name)
		} else if written := nodes[f.name]; written != nil {
			n.Line, n.Column = written.Line, written.Column
			c.origins[f.name] = d.at(n)
		}
		f.read(from, f.name, n)
	}
	return nil
}

// settingNodes finds the settings in the main file, and reports the keys that
// are neither a setting nor a list.
func settingNodes(d *document, fields []field) map[string]*yaml.Node {
	found := map[string]*yaml.Node{}
	known := lists()
	for _, f := range fields {
		known = append(known, f.name)
	}
	if d.root == nil {
		return nil
	}
	d.section("", d.root, known, func(key string, n *yaml.Node) {
		switch {
		case slices.Contains(lists(), key):
		case n.Kind == yaml.SequenceNode:
			for _, c := range n.Content {
				if _, ok := d.scalar(key, c); !ok {
					return
				}
			}
			found[key] = n
		default:
			if _, ok := d.scalar(key, n); ok {
				found[key] = n
			}
		}
	})
	return found
}

// raw is a setting as viper keeps it: a text or a list of texts.
func raw(n *yaml.Node) any {
	if n.Kind != yaml.SequenceNode {
		return n.Value
	}
	texts := make([]string, len(n.Content))
	for i, c := range n.Content {
		texts[i] = c.Value
	}
	return texts
}

// cooked is what viper kept, as a node again.
func cooked(v any) *yaml.Node {
	texts, ok := v.([]string)
	if !ok {
		text, _ := v.(string)
		return scalarNode(text)
	}
	n := listNode()
	for _, text := range texts {
		n.Content = append(n.Content, scalarNode(text))
	}
	return n
}

// checkEnvironment warns of variables that look like ours and are none of the
// settings, nor of more.
func checkEnvironment(r *report, more []string) {
	names := more
	for _, f := range settings(settingDefaults()) {
		names = append(names, envName(f.name))
	}
	for _, line := range os.Environ() {
		name, _, _ := strings.Cut(line, "=")
		// Kubernetes sets the last two kinds for a service named parley.
		if !strings.HasPrefix(name, "PARLEY_") || slices.Contains(names, name) ||
			strings.HasPrefix(name, "PARLEY_SERVICE_") || strings.HasPrefix(name, "PARLEY_PORT") {
			continue
		}
		r.warn(Problem{Code: "unknown_env", Text: fmt.Sprintf("unknown environment variable %s%s", clip(name), suggestion(name, names))})
	}
}

// address is HOST:PORT to listen on.
func address(at *string) value {
	return matching(at, hostPort, "HOST:PORT, for example 127.0.0.1:5070")
}

func hostPort(text string) bool {
	host, port, err := net.SplitHostPort(text)
	n, perr := strconv.ParseUint(port, 10, 16)
	return err == nil && perr == nil && port == strconv.FormatUint(n, 10) && (host == "" || hostName(host))
}

// hostName says whether text is an IP address or a name.
func hostName(text string) bool {
	if _, err := netip.ParseAddr(text); err == nil {
		return true
	}
	return text != "" && len(text) < 254 && strings.Trim(text, letters+".-") == ""
}

func advertised(text string) bool {
	return text == "" || hostName(text) || hostPort(text) && !strings.HasPrefix(text, ":")
}

func emptyOr(fits func(string) bool) func(string) bool {
	return func(text string) bool { return text == "" || fits(text) }
}

func dialString(text string) bool {
	return strings.Contains(text, "{token}") && strings.Contains(text, "{address}") && !strings.ContainsFunc(text, control)
}

func numberRoute(text string) bool {
	return strings.Contains(text, "{number}") && !strings.ContainsFunc(text, control)
}

func nonempty(at *string) value {
	return matching(at, func(text string) bool { return text != "" && !strings.ContainsFunc(text, control) }, "a path")
}

// ip is an IP address, or "" for what the message says.
func ip(at *string, empty string) value {
	return matching(at, emptyOr(func(text string) bool {
		_, err := netip.ParseAddr(text)
		return err == nil
	}), `an IP address, or "" for `+empty)
}

func ports(at *Ports) value {
	return cell[Ports]{at, func(text string) (Ports, error) {
		low, high, _ := strings.Cut(text, "-")
		first, err := strconv.Atoi(low)
		last, err2 := strconv.Atoi(high)
		if err != nil || err2 != nil || !digits(low, 5) || !digits(high, 5) || first < 1024 || last > 65535 || last <= first {
			return Ports{}, fmt.Errorf("must be FIRST-LAST within 1024-65535, for example 40000-44999")
		}
		return Ports{first, last}, nil
	}, func(p Ports) string { return fmt.Sprintf("%d-%d", p.First, p.Last) }}
}

// networks is a list of IP addresses and networks, in one scalar parted by
// blanks or commas.
type networks struct{ at *[]netip.Prefix }

func (w networks) read(d *document, key string, n *yaml.Node) {
	texts, ok := d.texts(key, n, true)
	if !ok {
		return
	}
	var got []netip.Prefix
	for _, text := range texts {
		p, err := network(text)
		if err != nil {
			d.bad(n, key, errors.New("must be a list of addresses and networks, for example [192.0.2.7, 10.0.0.0/8]"))
			return
		}
		got = append(got, p)
	}
	*w.at = got
}

// network reads 10.0.0.0/8, or 192.0.2.7, which is a network of one. What is
// written as IPv4 within IPv6 is IPv4.
func network(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" {
			return netip.Prefix{}, errors.New("no address")
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}

func (w networks) node() *yaml.Node {
	l := listNode()
	for _, p := range *w.at {
		text := p.String()
		if p.IsSingleIP() {
			text = p.Addr().String()
		}
		l.Content = append(l.Content, scalarNode(text))
	}
	return l
}

func (w networks) take(from value)    { *w.at = *from.(networks).at }
func (w networks) same(as value) bool { return slices.Equal(*w.at, *as.(networks).at) }
