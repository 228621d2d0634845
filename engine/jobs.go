package engine

import (
	"fmt"
	"maps"
	"sync"
	"time"
)

// How many jobs there may be, and how long those that are over are kept.
const (
	maxJobs = 10_000
	jobTime = time.Hour
)

// DialState is how far a call out has got.
type DialState string

// The states; the last two are the ends.
const (
	DialCalling  DialState = "dialing"
	DialRinging  DialState = "ringing"
	DialAnswered DialState = "success" // the call is on its way into the room, as any caller
	DialFailed   DialState = "error"
)

// Job is an order to call somebody, and what has become of it.
type Job struct {
	ID        JobID     `json:"job_id"`
	Room      RoomName  `json:"room"`
	Address   string    `json:"address"`
	Leg       LegID     `json:"call_id"`
	Caller    Caller    `json:"-"` // whom the party sees, as the order has it
	State     DialState `json:"state"`
	Cause     Cause     `json:"cause,omitempty"`      // at the end
	Q850      int       `json:"q850,omitempty"`       // number of Cause
	SIP       int       `json:"sip_status,omitempty"` // 0 = a switch made the call, or nothing came
	Text      string    `json:"text,omitempty"`       // what the far side, or the switch, said
	StartedAt time.Time `json:"started_at"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
}

// jobs shows every order of the last hour to those who ask. What it shows is
// written by the room that makes the call.
type jobs struct {
	mu   sync.Mutex
	list map[JobID]*job // guarded by mu
}

type job struct {
	Job
	give func(Cause)   // the call up; nil until the room has agreed
	done chan struct{} // closed at the end

	unwanted bool // HangUp: however it ends
	cause    Cause
}

// begin enters an order. Its room will decide.
func (j *jobs) begin(now time.Time, d *Dial) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	maps.DeleteFunc(j.list, func(_ JobID, o *job) bool { return !o.EndedAt.IsZero() && now.Sub(o.EndedAt) > jobTime })
	if len(j.list) >= maxJobs {
		return fmt.Errorf("%w: %d jobs in the last hour", ErrTooManyDials, len(j.list))
	}
	for id, o := range j.list {
		if id == d.Job || o.Leg == d.Leg {
			return fmt.Errorf("%w: job %s, call %s", ErrInUse, clip(string(d.Job)), clip(string(d.Leg)))
		}
	}
	if j.list == nil {
		j.list = map[JobID]*job{}
	}
	j.list[d.Job] = &job{
		Job:  Job{ID: d.Job, Room: d.Room, Address: d.Address, Leg: d.Leg, Caller: d.Caller, State: DialCalling, StartedAt: now},
		done: make(chan struct{}),
	}
	return nil
}

// forget drops an order that the room has refused.
func (j *jobs) forget(id JobID) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.list, id)
}

// knows says whether a job is about that leg.
func (j *jobs) knows(leg LegID) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, o := range j.list {
		if o.Leg == leg {
			return true
		}
	}
	return false
}

// agreed says how to give the call up; false means that nobody wants it any more.
func (j *jobs) agreed(id JobID, give func(Cause)) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	o := j.list[id]
	if o == nil {
		return false
	}
	o.give = give
	return true
}

// update changes what is shown, and returns it.
func (j *jobs) update(id JobID, change func(*Job)) Job {
	j.mu.Lock()
	defer j.mu.Unlock()
	o := j.list[id]
	over := !o.EndedAt.IsZero()
	change(&o.Job)
	if !over && !o.EndedAt.IsZero() {
		close(o.done)
	}
	return o.Job
}

func (j *jobs) cancel(id JobID, why Cause) {
	j.mu.Lock()
	o := j.list[id]
	var give func(Cause)
	switch {
	case o == nil || !o.EndedAt.IsZero():
	case o.give == nil:
		delete(j.list, id)
		close(o.done)
	default:
		give = o.give
	}
	j.mu.Unlock()
	if give != nil {
		give(why)
	}
}

// hangUp gives up a call that is not answered yet, and has it end if it is all the
// same. It returns what is closed when that is settled; ok is false for a call that
// is not being made.
func (j *jobs) hangUp(leg LegID, cause Cause) (over <-chan struct{}, ok bool) {
	j.mu.Lock()
	var found *job
	for _, o := range j.list {
		if o.Leg == leg && o.EndedAt.IsZero() {
			found = o
			o.unwanted, o.cause = true, cause
		}
	}
	j.mu.Unlock()
	if found == nil {
		return nil, false
	}
	j.cancel(found.ID, cause)
	return found.done, true
}

// unwanted says whether a call that arrives by a job was hung up before, and by
// which cause.
func (j *jobs) unwanted(id JobID) (Cause, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if o := j.list[id]; o != nil {
		return o.cause, o.unwanted
	}
	return "", false
}

func (j *jobs) find(id JobID) (Job, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if o := j.list[id]; o != nil {
		return o.Job, nil
	}
	return Job{}, fmt.Errorf("%w: %s", ErrNoJob, clip(string(id)))
}

func (j *jobs) done(id JobID) (<-chan struct{}, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if o := j.list[id]; o != nil {
		return o.done, nil
	}
	return nil, fmt.Errorf("%w: %s", ErrNoJob, clip(string(id)))
}
