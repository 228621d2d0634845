//go:build integration

package integration

import (
	"errors"
	"fmt"
	"net"
	"sync/atomic"
)

// place is where a test's programs listen: at an address of loopback (127.0.0.0/8)
// that no other has, be it of this run or of another on this machine. Each has its
// usual port there.
type place struct {
	host                           string
	sip, esl, http, socket, server string // of Parley
	astSIP, astARI, astAMI         string // of an Asterisk
	fsSIP, fsESL                   string // of a FreeSWITCH
}

// Ports for audio. An Asterisk takes those of all addresses, and another one if
// that is taken; so nobody else's are among them.
const (
	parleyRTP   = "30000-31999"
	asteriskRTP = "rtpstart = 22000\nrtpend = 25999"
	fsRTPFirst  = 20000 // to 20999
)

// landlord gives places away.
type landlord struct {
	run   int // 127.RUN.0.0/16 is ours, as long as
	claim net.Listener
	given atomic.Uint32
}

// claimed is the port by which a run has its addresses.
const claimed = 19999

// newLandlord finds addresses that no other run has.
func newLandlord() (*landlord, error) {
	for run := 1; run < 255; run++ {
		l, err := net.Listen("tcp", fmt.Sprintf("127.%d.0.0:%d", run, claimed))
		if err == nil {
			return &landlord{run: run, claim: l}, nil
		}
	}
	return nil, errors.New("no addresses on loopback are left")
}

// newPlace is one that nobody has had in this run.
func newPlace() place {
	n := dock.land.given.Add(1)
	host := fmt.Sprintf("127.%d.%d.%d", dock.land.run, n>>8, n&255)
	at := func(port int) string { return fmt.Sprintf("%s:%d", host, port) }
	return place{
		host: host,
		sip:  at(19070), esl: at(19084), http: at(19085), socket: at(19086), server: at(19022),
		astSIP: at(5068), astARI: at(19088), astAMI: at(15038),
		fsSIP: at(5062), fsESL: at(8021),
	}
}

// config is the part of a configuration that says where to listen.
func (p place) config() string {
	return fmt.Sprintf(`
sip: {listen: %q}
freeswitch: {listen: %q}
audiosocket: {listen: %q}
http: {listen: %q}
esl_server: {listen: %q}
rtp: {ports: %q}
log: {level: debug}
`, p.sip, p.esl, p.socket, p.http, p.server, parleyRTP)
}

// base is config, with the Asterisk that listens there too.
func (p place) base(asterisk bool) string {
	if !asterisk {
		return p.config()
	}
	return p.config() + fmt.Sprintf(`
switches:
  - {name: ast1, kind: asterisk, ari: "http://%s/ari", user: parley, password: parley-test, app: parley}
`, p.astARI)
}

// pbx1 is the FreeSWITCH that listens there, as Parley is told of it.
func (p place) pbx1() string {
	return fmt.Sprintf(`
switches:
  - {name: pbx1, kind: freeswitch, esl: %q, password: parley-test}
`, p.fsESL)
}
