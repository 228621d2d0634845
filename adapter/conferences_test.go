package adapter

import (
	"context"
	"errors"
	"slices"
	"testing"

	"parley/adapter/control"
	"parley/adapter/freeswitch"
	"parley/engine"
	"parley/esl/conference"
)

// plain is a link that cannot tell a roster, teller one that can.
type plain struct{ name string }

func (plain) Run(context.Context) error       { return nil }
func (p plain) Check() (string, bool, string) { return p.name, true, "" }

type teller struct {
	plain
	found []freeswitch.Difference
	err   error
}

func (t teller) Audit(ctx context.Context) ([]freeswitch.Difference, error) {
	if _, limited := ctx.Deadline(); !limited {
		return nil, errors.New("without an end")
	}
	return t.found, t.err
}

func TestAuditOfAllSwitches(t *testing.T) {
	a := auditor{
		plain{"ast1"},
		teller{plain{"pbx1"}, []freeswitch.Difference{{Switch: "pbx1", Room: "1", Call: "c", Text: "gone"}}, nil},
		teller{plain{"pbx2"}, nil, errors.New("link down")},
	}
	got, err := a.Audit(t.Context())
	want := []control.Difference{
		{Switch: "pbx1", Room: "1", Call: "c", Text: "gone"}, {Switch: "pbx2", Text: "cannot be asked: link down"},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v %v", got, err)
	}
}

func TestConferencesWithoutASwitch(t *testing.T) {
	c := conferences{freeswitch.New(freeswitch.Options{}), nil}
	if list := c.List(); len(list) != 0 {
		t.Errorf("%+v", list)
	}
	if _, err := c.Adopt(t.Context(), "3001"); !errors.Is(err, engine.ErrNoRoom) {
		t.Errorf("%v", err)
	}
}

func TestStrangersAreShownWithTheirRights(t *testing.T) {
	m := stranger("pbx1", &conference.Member{ID: 7, UUID: "u", CallerName: "Ann", CallerNumber: "1001", Hear: true, Talking: true, Moderator: true})
	want := engine.MemberView{
		ID: 7, CallID: "u", Role: "moderator", Number: "1001", Name: "Ann", Switch: "pbx1", Kind: "freeswitch", State: "joined",
		Muted: true, Talking: true,
	}
	if m != want {
		t.Errorf("%+v", m)
	}
}
