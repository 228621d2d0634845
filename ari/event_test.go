package ari_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/ari"
)

// events are messages and the type they decode to, "" for an error; FuzzDecode
// begins with them.
func events() map[string]string {
	const ch = `{"id":"1795257160.0","name":"PJSIP/a-0","state":"Up","caller":{"name":"Al","number":"1001"},"dialplan":{"context":"c","exten":"3001","priority":2,"app_name":"Stasis","app_data":"parley,room=3001"},"creationtime":"2026-11-21T10:32:40.574+0000","language":"en"}`
	const head = `"timestamp":"2026-11-21T10:32:40.574+0000","application":"parley","asterisk_id":"02:fc:00:00:00:01"`
	return map[string]string{
		`{"type":"StasisStart","args":["room=3001"],"channel":` + ch + `,` + head + `}`: "*ari.StasisStart",
		`{"type":"StasisStart","channel":` + ch + `,"replace_channel":` + ch + `}`:      "*ari.StasisStart",
		`{"type":"StasisStart"}`:              "*ari.StasisStart",
		`{"type":"StasisEnd","channel":null}`: "*ari.StasisEnd",
		`{"type":"ChannelDtmfReceived","digit":"5","duration_ms":120,"channel":` + ch + `}`:                                   "*ari.ChannelDtmfReceived",
		`{"type":"ChannelHangupRequest","cause":32,"soft":true,"channel":` + ch + `}`:                                         "*ari.ChannelHangupRequest",
		`{"type":"ApplicationReplaced",` + head + `}`:                                                                         "*ari.ApplicationReplaced",
		`{"type":"ApplicationRegistered",` + head + `}`:                                                                       "*ari.ApplicationRegistered",
		`{"type":"ApplicationUnregistered",` + head + `}`:                                                                     "*ari.ApplicationUnregistered",
		`{"type":"ChannelTransfer","state":"x","refer_to":{"requested_destination":{"destination":"3002"}},"referred_by":{}}`: "*ari.ChannelTransfer",
		`{"type":"RESTResponse","status_code":404,"uri":"bridges/zz"}`:                                                        "*ari.RESTResponse",
		`{"type":"CallBroadcast","channel":` + ch + `,"caller":"1001"}`:                                                       "*ari.CallBroadcast",
		`{"type":"CallClaimed","channel":` + ch + `,"winner_app":"parley"}`:                                                   "*ari.CallClaimed",
		`{"type":"ChannelToneDetected","channel":` + ch + `}`:                                                                 "*ari.ChannelToneDetected",
		`{"type":"Later"}`: "*ari.Unknown",
		`{"type":"StasisEnd","channel":{"creationtime":"yesterday"}}`: "",
		`{"type":"StasisEnd","channel":"x"}`:                          "",
		`{"type":"RESTResponse","status_code":"x"}`:                   "",
		`{"type":7}`:                      "",
		`{}`:                              "",
		`[]`:                              "",
		`null`:                            "",
		``:                                "",
		`{"type":"StasisStart"`:           "",
		strings.Repeat(`{"type":`, 20000): "",
		`{"type":"StasisStart","args":` + strings.Repeat("[", 20000) + `}`: "",
	}
}

func TestDecode(t *testing.T) {
	for in, want := range events() {
		e, err := ari.Decode([]byte(in))
		if want == "" {
			if !errors.Is(err, ari.ErrMessage) {
				t.Errorf("%.100s: %T, %v; want ErrMessage", in, e, err)
			}
			continue
		}
		if got := fmt.Sprintf("%T", e); err != nil || got != want {
			t.Errorf("%.100s: %s, %v; want %s", in, got, err, want)
		}
	}
}

// TestDecodeRecorded decodes what Asterisk 22.10.1 sent for whole calls.
func TestDecodeRecorded(t *testing.T) {
	files, err := filepath.Glob("testdata/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			e, err := ari.Decode([]byte(line))
			if err != nil || e.GetApplication() != "parley" || e.GetNode() == "" {
				t.Errorf("%s: %.100s: %T, %v", f, line, e, err)
			}
			if _, unknown := e.(*ari.Unknown); unknown {
				t.Errorf("%s: %s is unknown", f, e.GetType())
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	for in := range events() {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		e, err := ari.Decode(in)
		if (e == nil) != (err != nil) {
			t.Fatalf("%T and %v", e, err)
		}
		if e == nil {
			return
		}
		e.Keys()
		if s, ok := e.(*ari.StasisStart); ok { // getters stand nil
			_ = s.Channel.GetDialplan().GetContext() + s.Channel.GetCaller().GetNumber() + s.ReplaceChannel.ID
		}
	})
}
