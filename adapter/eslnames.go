package adapter

import (
	"parley/adapter/control/fsapi"
	"parley/esl/eventsocket"
)

// ESLCommands are the commands that a user of the event socket may have, for a
// config.Source.
func ESLCommands() []string { return append(fsapi.Commands(), eventsocket.BackgroundCommand) }

// ESLEvents are the events, and the subclasses of ours, that he may have.
func ESLEvents() []string {
	return append(append(eventsocket.EventNames(), fsapi.Subclasses()...), eventsocket.Resync)
}
