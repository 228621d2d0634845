// Package adapter puts Parley together: it opens what the configuration
// names, routes calls from every side into the engine, applies reloads, and
// takes everything down in order.
package adapter
