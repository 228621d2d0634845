package pace

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// gone are those let go since it was last asked, in a bubble in which nothing
// runs any more.
func gone(all []*Turn) (list []int) {
	synctest.Wait()
	for i, t := range all {
		select {
		case <-t.C:
			list = append(list, i)
		default:
		}
	}
	return list
}

func turns(n int) []*Turn {
	all := make([]*Turn, n)
	for i := range all {
		all[i] = NewTurn()
	}
	return all
}

func TestFewGoAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Pacer
		all := turns(few)
		for range 3 {
			for _, one := range all {
				p.Ask(one)
				p.Ask(one)
			}
			if n := len(gone(all)); n != few {
				t.Errorf("%d of %d go at once", n, few)
			}
			time.Sleep(2 * Gap)
			if again := gone(all); again != nil {
				t.Errorf("%v go once more", again)
			}
		}
	})
}

// TestManyGoInOrder lets nobody go later than ten gaps after the one in which he
// asked, and only a tenth of them together.
func TestManyGoInOrder(t *testing.T) {
	for _, n := range []int{9, 80, 81, 200, 1000} {
		synctest.Test(t, func(t *testing.T) {
			var p Pacer
			all := turns(n)
			for _, one := range all {
				p.Ask(one)
			}
			next, most := 0, max(few, (n+groups-1)/groups)
			for range groups + 1 {
				group := gone(all)
				for _, i := range group {
					if i != next {
						t.Fatalf("%d: %d goes where %d is next", n, i, next)
					}
					next++
				}
				if len(group) > most {
					t.Errorf("%d: %d go together, at most %d should", n, len(group), most)
				}
				time.Sleep(Gap)
			}
			if next != n {
				t.Errorf("%d of %d have gone", next, n)
			}
		})
	}
}

// TestAllHaveTheSameShare: who asks again as soon as he may goes as often as all
// others, once in 20 ms.
func TestAllHaveTheSameShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Pacer
		all, times := turns(200), make([]int, 200)
		for _, one := range all {
			p.Ask(one)
		}
		for range 50 * groups { // a second
			for _, i := range gone(all) {
				times[i]++
				p.Ask(all[i])
			}
			time.Sleep(Gap)
		}
		if least, most := slices.Min(times), slices.Max(times); least < 49 || most > 51 {
			t.Errorf("%d to %d times in a second", least, most)
		}
	})
}

func TestGoWaitsForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Pacer
		all := turns(100)
		for _, one := range all {
			p.Ask(one)
		}
		gone(all)
		all[99].Go()
		all[99].Go()
		if list := gone(all); !slices.Equal(list, []int{99}) {
			t.Errorf("%v go", list)
		}
	})
}

// BenchmarkAsk is what one event costs of whom 200 are to hear.
func BenchmarkAsk(b *testing.B) {
	var p Pacer
	all := turns(200)
	for b.Loop() {
		for _, one := range all {
			p.Ask(one)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(all)), "ns/client")
}
