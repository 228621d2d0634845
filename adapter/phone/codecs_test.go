package phone_test

import (
	"errors"
	"fmt"
	"testing"

	"parley/codec"
	"parley/engine"
	"parley/sip"
	"parley/sip/siptest"
)

// The profile of the called room says which codecs a caller may have, in which
// order and up to which rate.
func TestCodecsOfAProfile(t *testing.T) {
	wide := plain("wide")
	wide.Codecs = []string{"opus", "G722", "PCMU"}
	narrow := plain("narrow")
	narrow.Codecs, narrow.MaxRate = []string{"G722", "opus", "PCMA"}, 8000
	half := plain("half")
	half.MaxRate = 16000
	o := open(t, settings{profiles: []engine.Profile{wide, narrow, half}})
	all := codec.Known()
	for i, tt := range []struct {
		profile string
		has     []codec.Format
		want    string // "" = refused
	}{
		{"", all, "PCMU/8000"},
		{"wide", all, "opus/48000"},
		{"wide", []codec.Format{codec.PCMU(), codec.G722()}, "G722/16000"},
		{"wide", []codec.Format{codec.PCMA()}, ""},
		{"narrow", all, "opus/8000"},
		{"narrow", []codec.Format{codec.G722(), codec.PCMA()}, "PCMA/8000"},
		{"half", []codec.Format{codec.L16(48000), codec.L16(16000)}, "L16/16000"},
		{"half", []codec.Format{codec.L16(48000)}, ""},
		{"half", []codec.Format{codec.Opus(48000)}, "opus/16000"},
	} {
		t.Run(fmt.Sprint(tt.profile, tt.want), func(t *testing.T) {
			p, err := siptest.New(siptest.Options{Codecs: tt.has})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			call := siptest.CallOptions{Tone: low()}
			if tt.profile != "" {
				call.Headers = heads([]string{"X-Parley-Profile", tt.profile})
			}
			room := fmt.Sprintf("codecs-%d", i)
			c, err := p.Dial(limited(t), "sip:"+room+"@"+o.end.UDP()[0].String(), call)
			if tt.want == "" {
				var refused *sip.StatusError
				if !errors.As(err, &refused) || refused.Code != 488 {
					t.Fatalf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			v := o.until(t, room, "open", present(1))
			if got := v.Members[0].Codec; got != tt.want {
				t.Errorf("speaks %s, want %s", got, tt.want)
			}
			c.Hangup()
			<-c.Done()
		})
	}
}
