// Package priority is what the system lets the threads of this process have of
// the processors, beside others. On systems other than Linux it does nothing.
package priority

import "time"

// Slice is how long a thread asks to keep a processor at one time where others
// want it, the least that Linux grants. Who asks for little is let in sooner.
const Slice = 100 * time.Microsecond
