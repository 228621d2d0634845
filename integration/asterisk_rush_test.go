//go:build integration

package integration

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"testing"
	"time"

	"parley/ari"
	"parley/sip"
	"parley/sip/siptest"
)

// astRush is how many callers come to an Asterisk within rushTime. Every fourth
// one stays; the others press # when they have been in the room for a while.
const astRush = 200

// TestAsteriskRush has 200 callers come within 10 s: each is admitted or refused
// with a reason, and the roster is what the switch has.
func TestAsteriskRush(t *testing.T) {
	at := newPlace()
	ast := startAsterisk(t, at)
	eye, err := ari.New(ari.Options{URL: "http://" + at.astARI + "/ari", User: "watcher", Password: "parley-test", App: "none"})
	if err != nil {
		t.Fatal(err)
	}
	s := &astScene{T: t, ast: ast, app: "parley", p: run(t, at, at.base(true)+contractProfiles), eye: eye}
	rung := phones(t)
	calls := make([]*siptest.Call, astRush)
	var callers sync.WaitGroup
	began := time.Now()
	for i := range calls {
		time.Sleep(time.Until(began.Add(time.Duration(i) * rushTime / astRush)))
		callers.Go(func() { calls[i] = s.rushes(rung[i%len(rung)], i) })
	}
	callers.Wait()
	t.Logf("%d callers have come within %v, and those who leave have left after %v", astRush, rushTime, time.Since(began).Round(10*time.Millisecond))
	s.equal("when only those who stay are left")
	roster, _ := s.rosters()
	told := regexp.MustCompile(`[^,]parley room=\d+ result=(\w+) reason=(\w+)`)
	// the line comes after he has left the application
	t.Log(eventually(t, 10*time.Second, "a reason in the log of each who does not stay", func() (string, bool) {
		reasons := map[string]int{}
		for _, m := range told.FindAllStringSubmatch(ast.log(100_000), -1) {
			reasons[m[1]+" "+m[2]]++
		}
		busy := reasons["failed node_busy"] + reasons["rejected node_busy"]
		return fmt.Sprintf("%d stay, the others: %v", len(roster), reasons), reasons["joined terminator"]+busy+len(roster) == astRush && busy <= astRush/4
	}))
	for i := 0; i < astRush; i += 4 {
		s.calls = append(s.calls, calls[i])
	}
	s.nothing()
}

// rushes is one caller. He returns when he has left, or stays.
func (s *astScene) rushes(p *siptest.Phone, i int) *siptest.Call {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	c, err := p.Dial(ctx, fmt.Sprintf("sip:%d@%s", 3010+i%10, s.ast.at.astSIP), siptest.CallOptions{User: fmt.Sprintf("8%03d", i)})
	if err != nil {
		s.Logf("caller %d: %v", i, err) // refused before he was answered: the switch has logged why
		return nil
	}
	c.Mute(i%4 != 0) // all that is sent is keys
	for try := 0; i%4 != 0 && try < 20; try++ {
		select {
		case <-c.Done():
			return c
		case <-time.After(2 * time.Second):
		}
		if err := c.Digits(ctx, "#"); err != nil && !errors.Is(err, sip.ErrOver) {
			s.Errorf("caller %d: %v", i, err)
		}
	}
	return c
}
