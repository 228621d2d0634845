package adapter_test

import (
	"net/url"
	"strings"
	"testing"

	"parley/sip/siptest"
)

// TestIdsAreFoundByTheirEscapedForm, as in Asterisk, whatever a path would be without.
func TestIdsAreFoundByTheirEscapedForm(t *testing.T) {
	p := start(t, withPanel)
	c := p.listen(t, "app=panel&subscribeAll=true")
	for _, id := range []string{"..", ".", "a/b", "a//b", "/", "../..", "a%2Fb", "a b?", "a;b&c=d#e", "%"} {
		path, query := url.PathEscape(id), url.QueryEscape(id)
		c.want("POST", "/channels/create?app=panel&endpoint=sip:x@127.0.0.1&channelId="+query, "", 200, "")
		c.want("GET", "/channels/"+path, "", 200, "")
		c.want("POST", "/channels/"+path+"/variable?variable=FOO&value=bar", "", 204, "")
		c.want("GET", "/channels/"+path+"/variable?variable=FOO", "", 200, `{"value":"bar"}`)
		c.want("POST", "/bridges/"+path+"?name=room", "", 200, "")
		c.want("GET", "/bridges/"+path, "", 200, `"name":"room"`)
		c.want("DELETE", "/bridges/"+path, "", 204, "")
		c.want("DELETE", "/channels/"+path, "", 204, "")
		c.want("GET", "/channels/"+path, "", 404, "Channel not found")
	}
	c.want("GET", "/channels/x/../y", "", 404, "Resource not found")
}

// TestACallersNameIsFoundInAPath: his phone chooses it, and clients of HTTP take the
// names of folders out of paths.
func TestACallersNameIsFoundInAPath(t *testing.T) {
	p := start(t, withPanel)
	c := p.listen(t, "app=panel&subscribeAll=true")
	for _, id := range []string{"..", "."} {
		p.dialWith(t, "3001", siptest.Options{}, siptest.CallOptions{CallID: id})
		name := c.next("StasisStart").Channel.ID
		if strings.Trim(name, ".") == "" || !strings.HasPrefix(name, id) {
			t.Errorf("%q is %q", id, name)
		}
		c.want("DELETE", "/channels/"+url.PathEscape(name), "", 204, "")
		c.next("ChannelDestroyed")
	}
}
