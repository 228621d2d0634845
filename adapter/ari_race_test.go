package adapter_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"parley/sip/siptest"
)

// TestAChannelThatIsDeletedBesideAnOrderIsNoMore, whichever comes first: a call that is
// dialled, a snoop that an order brings into a room.
func TestAChannelThatIsDeletedBesideAnOrderIsNoMore(t *testing.T) {
	p := start(t, withPanel)
	c := p.listen(t, "app=panel&subscribeAll=true")
	bob, err := siptest.New(siptest.Options{User: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	defer bob.Close()
	go func() { // each one that comes through
		for {
			if _, err := bob.Accept(t.Context(), siptest.CallOptions{}); err != nil && t.Context().Err() != nil {
				return
			}
		}
	}()
	_, alice, _ := c.two(t, p)
	c.want("POST", "/bridges/b?name=3009", "", 200, "")
	for n := range 60 {
		id := fmt.Sprint("c", n)
		c.want("POST", "/channels/create", `{"endpoint":"`+bob.URI()+`","app":"panel","channelId":"`+id+`"}`, 200, "")
		c.want("POST", "/bridges/b/addChannel?channel="+id, "", 204, "")
		c.race(id, "POST", "/channels/"+id+"/dial", "")
		ear := fmt.Sprint("s", n)
		c.want("POST", "/channels/"+alice+"/snoop?app=panel&spy=both&snoopId="+ear, "", 200, "")
		if n%2 == 0 {
			c.race(ear, "POST", "/bridges/b/addChannel?channel="+ear, "")
		} else {
			c.race(ear, "POST", "/channels/"+ear+"/record", `{"name":"`+ear+`","format":"wav"}`)
		}
	}
}

// race gives an order and deletes its channel at the same moment.
func (c *panel) race(id, method, path, body string) {
	c.t.Helper()
	var both sync.WaitGroup
	var ordered, deleted int
	var said string
	both.Go(func() { ordered, said = c.do("panel", method, path, body) })
	both.Go(func() { deleted, _ = c.do("panel", "DELETE", "/channels/"+id, "") })
	both.Wait()
	if deleted != http.StatusNoContent || ordered >= http.StatusInternalServerError {
		c.t.Errorf("%s: %d %s, and DELETE: %d", path, ordered, said, deleted)
	}
	status := 0
	for end := time.Now().Add(5 * time.Second); status != http.StatusNotFound && time.Now().Before(end); {
		status, _ = c.do("panel", "GET", "/channels/"+id, "")
	}
	if status != http.StatusNotFound {
		c.t.Errorf("%s beside DELETE: the channel is there still", path)
	}
}
