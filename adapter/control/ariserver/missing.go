package ariserver

import (
	"context"
	"net/http"
)

// missing says that something of Asterisk's is not here, and why.
func missing(why string) answer {
	return no(http.StatusNotImplemented, "Method not implemented: "+why)
}

// unsupported is an operation of Asterisk's that there is not here.
func unsupported(why string) func(context.Context, *request) answer {
	return func(context.Context, *request) answer { return missing(why) }
}

// missingParts are operations on calls and rooms that have no meaning here.
func missingParts() []route {
	const get, post, del = http.MethodGet, http.MethodPost, http.MethodDelete
	return []route{
		on(post, "/bridges/{bridgeId}/videoSource/{channelId}", "setVideoSource", "void", "", unsupported("rooms have no video")),
		on(del, "/bridges/{bridgeId}/videoSource", "clearVideoSource", "void", "", unsupported("rooms have no video")),
		on(get, "/channels/{channelId}/rtp_statistics", "rtpstatistics", "RTPstat", "", unsupported("GET /metrics has the figures of all calls")),
	}
}

// missingAdmin are operations on the switch itself, and what others register
// at it.
func missingAdmin() []route {
	const get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	const config = "/asterisk/config/dynamic/{configClass}/{objectType}/{id}"
	configured := unsupported("parley.yaml is the configuration, and parley reload takes it up")
	logging := unsupported("log.level and log.format are the log")
	messages := unsupported("Parley has calls, and no messages")
	device, mailbox := refusal(http.StatusConflict, "Uncontrolled device specified"), unsupported("Parley has no mailboxes")
	return []route{
		on(post, "/asterisk/variable", "setGlobalVar", "void", "variable! value", unsupported("there are no global variables")),
		on(get, "/asterisk/modules/{moduleName}", "getModule", "Module", "", notFound("Module could not be found in running modules")),
		on(post, "/asterisk/modules/{moduleName}", "loadModule", "void", "", unsupported("there are no modules")),
		on(put, "/asterisk/modules/{moduleName}", "reloadModule", "void", "", unsupported("there are no modules")),
		on(del, "/asterisk/modules/{moduleName}", "unloadModule", "void", "", unsupported("there are no modules")),
		on(get, config, "getObject", "List[ConfigTuple]", "", configured),
		on(put, config, "updateObject", "List[ConfigTuple]", "fields", configured),
		on(del, config, "deleteObject", "void", "", configured),
		on(get, "/asterisk/logging", "listLogChannels", "List[LogChannel]", "", none),
		on(post, "/asterisk/logging/{logChannelName}", "addLog", "void", "configuration!", logging),
		on(del, "/asterisk/logging/{logChannelName}", "deleteLog", "void", "", logging),
		on(put, "/asterisk/logging/{logChannelName}/rotate", "rotateLog", "void", "", logging),
		on(put, "/endpoints/sendMessage", "sendMessage", "void", "to! from! body variables", messages),
		on(put, "/endpoints/{tech}/{resource}/sendMessage", "sendMessageToEndpoint", "void", "from! body variables", messages),
		on(put, "/deviceStates/{deviceName}", "update", "void", "deviceState!", device),
		on(del, "/deviceStates/{deviceName}", "delete", "void", "", device),
		on(put, "/mailboxes/{mailboxName}", "update", "void", "oldMessages!# newMessages!#", mailbox),
		on(del, "/mailboxes/{mailboxName}", "delete", "void", "", mailbox),
	}
}
