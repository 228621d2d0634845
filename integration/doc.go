// Package integration tests Parley as a process against real FreeSWITCH and
// Asterisk in containers on the host's loopback, with SIP phones that send
// tones. It is a module of its own, so that Docker's dependencies stay out of
// Parley's.
//
// The images are local ones (see images/), or what PARLEY_FREESWITCH_IMAGE and
// PARLEY_ASTERISK_IMAGE name, or public ones where a registry is reachable. A
// test is skipped only when no image can be had; the run's last lines say so.
package integration
