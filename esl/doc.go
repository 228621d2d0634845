// Package esl speaks FreeSWITCH's Event Socket protocol from both ends: the
// outbound direction, in which a dialplan's socket application connects to us
// (Server, Session), and the inbound one, in which we connect to the switch
// (Dial, Client). Its words are the protocol's own.
//
// The commands themselves come from github.com/percipia/eslgo/command and
// command/call; the connection, the framing and the events are our own, so
// that events keep their order, a late reply never answers another command,
// and nothing a peer sends can make us panic, wait or grow without a limit.
package esl
