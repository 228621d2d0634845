package engine

import (
	"strconv"
	"strings"
	"time"
)

// seconds renders a duration as whole seconds, the unit of parley_duration.
func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

// joinWarnings makes one line of them.
func joinWarnings(w []string) string {
	return strings.NewReplacer("\r", " ", "\n", " ").Replace(strings.Join(w, "; "))
}
