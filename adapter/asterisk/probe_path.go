package asterisk

import (
	"context"
	"strings"

	"parley/ari"
	"parley/engine"
)

// ProbePath says, in the switch's own words, why audio could not come by a way;
// "" means that it can, as far as the switch tells. Of the options it needs URL,
// User, Password, App and DialString.
func ProbePath(ctx context.Context, o Options, p engine.MediaPath) string {
	client, err := ari.New(ari.Options{URL: o.URL, User: o.User, Password: o.Password, App: o.App})
	if err != nil {
		return err.Error()
	}
	tech, endpoint := o.dialled()
	for _, module := range modules(p, tech) {
		if trouble := client.ModuleTrouble(ctx, module); trouble != "" {
			return trouble
		}
	}
	if p != engine.MediaSIP || endpoint == "" {
		return ""
	}
	if trouble := client.EndpointTrouble(ctx, tech, endpoint); trouble != "" {
		return trouble + ", which asterisk.dial_string names"
	}
	return ""
}

// modules are those of Asterisk that a way takes; tech is that of dial_string.
func modules(p engine.MediaPath, tech string) []string {
	switch p {
	case engine.MediaRTP:
		return []string{"res_rtp_asterisk.so", rtpModule}
	case engine.MediaWebSocket:
		return []string{"res_http_websocket.so", websocketModule}
	case engine.MediaSIP:
		return []string{"res_rtp_asterisk.so", "chan_" + strings.ToLower(tech) + ".so"}
	case engine.MediaAudioSocket:
	}
	return []string{"res_audiosocket.so", socketModule}
}

// dialled are technology and endpoint of dial_string; endpoint is "" where it is
// made up by each call.
func (o Options) dialled() (tech, endpoint string) {
	tech, rest, _ := strings.Cut(o.DialString, "/")
	endpoint, _, _ = strings.Cut(rest, "/")
	if strings.ContainsAny(endpoint, "{@:") {
		endpoint = ""
	}
	return tech, endpoint
}
