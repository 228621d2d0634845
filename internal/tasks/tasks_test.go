package tasks

import "testing"

func TestTasksComeOutInOrderAndOnce(t *testing.T) {
	q := New()
	var got []int
	for i := range 3 {
		q.Put(func() { got = append(got, i) })
	}
	<-q.Wake()
	for _, do := range q.Take() {
		do()
	}
	if len(got) != 3 || got[0] != 0 || got[1] != 1 || got[2] != 2 {
		t.Errorf("done: %v", got)
	}
	if left := q.Take(); len(left) != 0 {
		t.Errorf("%d tasks came twice", len(left))
	}
	select {
	case <-q.Wake():
		t.Error("woken for nothing")
	default:
	}
}
