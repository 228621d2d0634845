// Package control is how people and programs outside talk to a running
// Parley: a small JSON API over HTTP, health and readiness, Prometheus
// metrics, and the client that the parley commands use. It asks the engine
// and never changes a room itself.
package control
