package conference

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestChannelsAsRecorded(t *testing.T) {
	channels, err := ParseChannels(sample(t, "channels.json"))
	if err != nil || len(channels) != 14 {
		t.Fatalf("%d channels, %v", len(channels), err)
	}
	var got *Channel
	for i := range channels {
		if channels[i].UUID == "be31c2db-1635-4e84-b33c-9d54c49af004" {
			got = &channels[i]
		}
	}
	want := &Channel{
		UUID: "be31c2db-1635-4e84-b33c-9d54c49af004", Name: "sofia/internal/1002@127.0.0.1", Direction: "inbound",
		State: "CS_EXECUTE", CallState: "ACTIVE", CallerName: "Björk & Co", CallerNumber: "1002", Destination: "rec-bjork",
		Application: "conference", Data: "weekly@default+flags{mute}", Created: time.Unix(1795930693, 0),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if channels, err = ParseChannels(sample(t, "nochannels.json")); err != nil || len(channels) != 0 {
		t.Errorf("%v, %v", channels, err)
	}
}

func TestBadChannelsAreRefusedAndSayWhere(t *testing.T) {
	for _, tc := range []badCase{
		{name: "a list", in: `[]`, err: ErrMalformed, where: "begins with"},
		{name: "rows lost", in: `{"row_count":2,"rows":[{"uuid":"a"}]}`, err: ErrMalformed, where: "1 rows of 2"},
		{name: "no UUID", in: `{"row_count":1,"rows":[{"uuid":""}]}`, err: ErrMalformed, where: "row 1"},
		{name: "a time that is none", in: `{"row_count":1,"rows":[{"uuid":"a","created_epoch":"now"}]}`, err: ErrMalformed, where: "row 1"},
		{name: "refused", in: "-ERR show Command not found!\n", err: errRefused},
	} {
		_, err := ParseChannels([]byte(tc.in))
		if errors.Is(tc.err, errRefused) {
			if _, ok := errors.AsType[*ReplyError](err); !ok {
				t.Errorf("%s: %v", tc.name, err)
			}
			continue
		}
		if !errors.Is(err, tc.err) || !strings.Contains(err.Error(), tc.where) {
			t.Errorf("%s: %v, want %v with %q", tc.name, err, tc.err, tc.where)
		}
	}
}

var errRefused = errors.New("a *ReplyError")
