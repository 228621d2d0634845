package esltest

import (
	"maps"
	"slices"

	"parley/esl"
)

// connect sends the call's data, encoded like an event but without a length.
func (c *Call) connect() {
	headers := map[string]string{
		"Channel-State": "CS_EXECUTE", "Answer-State": "ringing",
		"Unique-ID": c.opts.UUID, "Channel-Name": "sofia/internal/alice@127.0.0.1",
		"Channel-Read-Codec-Name": "PCMU", "Channel-Read-Codec-Rate": "8000",
		"Caller-Caller-ID-Name": "Alice", "Caller-Caller-ID-Number": "1001",
		"Caller-Destination-Number": c.opts.Number,
	}
	if c.core != nil {
		headers["Core-UUID"] = c.core.uuid
	}
	maps.Copy(headers, c.opts.Headers)
	e := Event("CHANNEL_DATA")
	for _, m := range []struct {
		prefix string
		values map[string]string
	}{{"", headers}, {"variable_", c.vars}} {
		for _, name := range slices.Sorted(maps.Keys(m.values)) {
			e.Headers = append(e.Headers, esl.Header{Name: m.prefix + name, Value: m.values[name]})
		}
	}
	e.Headers = append(e.Headers,
		esl.Header{Name: "Content-Type", Value: "command/reply"},
		esl.Header{Name: "Reply-Text", Value: "+OK\n"},
		esl.Header{Name: "Socket-Mode", Value: c.opts.Mode},
		esl.Header{Name: "Control", Value: c.opts.Control})
	c.w.put("%s", e.AppendPlain(nil))
}
