package lease

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

var ctx = context.Background()

// made counts what a cache holds.
type made struct {
	mu    sync.Mutex
	loads map[int]int
	live  map[int]int
}

func (m *made) cache(limit int64) *Cache[int, int] {
	m.loads, m.live = map[int]int{}, map[int]int{}
	return New[int](limit, func(v int) { m.mu.Lock(); m.live[v]--; m.mu.Unlock() })
}

func (m *made) load(key int, cost int64) func(context.Context) (int, int64, error) {
	return func(context.Context) (int, int64, error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.loads[key]++
		m.live[key]++
		return key, cost, nil
	}
}

func get(t *testing.T, c *Cache[int, int], m *made, key int, cost int64) func() {
	t.Helper()
	v, release, err := c.Get(ctx, key, m.load(key, cost))
	require.NoError(t, err)
	require.Equal(t, key, v)
	return release
}

func TestLeastRecentlyUsedGoesFirst(t *testing.T) {
	var m made
	c := m.cache(30)
	for _, key := range []int{1, 2, 3} {
		get(t, c, &m, key, 10)()
	}
	get(t, c, &m, 1, 10)() // newer than 2 and 3 now
	get(t, c, &m, 4, 10)()
	require.Equal(t, map[int]int{1: 1, 2: 0, 3: 1, 4: 1}, m.live)
	get(t, c, &m, 1, 10)()
	get(t, c, &m, 2, 10)()
	require.Equal(t, map[int]int{1: 1, 2: 2, 3: 1, 4: 1}, m.loads)
	require.EqualValues(t, 30, c.Used())
}

// What is read from end to end, again and again, is kept as far as there is room; and
// when something else is read instead, that is kept before long.
func TestReadingMoreThanThereIsRoomFor(t *testing.T) {
	var m made
	c := m.cache(50)
	loads := func(first int) (n int) {
		for key := first; key < first+10; key++ {
			before := m.loads[key]
			get(t, c, &m, key, 10)()
			n += m.loads[key] - before
		}
		return n
	}
	require.Equal(t, 10, loads(0))
	for range 5 {
		require.LessOrEqual(t, loads(0), 6)
	}
	for range 4 {
		loads(100)
	}
	require.LessOrEqual(t, loads(100), 6)
	require.EqualValues(t, 50, c.Used())
}

func TestValuesInUseStay(t *testing.T) {
	var m made
	c := m.cache(10)
	one, two := get(t, c, &m, 1, 10), get(t, c, &m, 2, 10)
	require.EqualValues(t, 20, c.Used(), "both are in use")
	again := get(t, c, &m, 1, 10)
	require.Equal(t, 1, m.loads[1])
	one()
	one() // once is enough
	two()
	require.Equal(t, map[int]int{1: 1, 2: 0}, m.live)
	again()
	require.EqualValues(t, 10, c.Used())
	get(t, c, &m, 3, 11)()
	require.Equal(t, map[int]int{1: 0, 2: 0, 3: 0}, m.live, "what is larger than the bound is not kept")
	require.Zero(t, c.Used())
}

func TestForget(t *testing.T) {
	var m made
	c := m.cache(100)
	get(t, c, &m, 1, 10)()
	two := get(t, c, &m, 2, 10)
	c.Forget(func(k int) bool { return k <= 2 })
	require.Equal(t, map[int]int{1: 0, 2: 1}, m.live)
	fresh := get(t, c, &m, 2, 10)
	require.Equal(t, 2, m.loads[2])
	two()
	fresh()
	require.Equal(t, 1, m.live[2])
	require.EqualValues(t, 10, c.Used())
}

func TestFailuresAreNotKept(t *testing.T) {
	var m made
	c := m.cache(100)
	bad := errors.New("bad")
	_, _, err := c.Get(ctx, 1, func(context.Context) (int, int64, error) { return 0, 5, bad })
	require.ErrorIs(t, err, bad)
	require.Zero(t, c.Used())
	get(t, c, &m, 1, 10)()

	// Whoever waits for a load that is given up makes the value itself.
	loading, canceled := make(chan struct{}), make(chan struct{})
	go func() {
		_, _, _ = c.Get(ctx, 7, func(context.Context) (int, int64, error) {
			close(loading)
			<-canceled
			return 0, 0, context.Canceled
		})
	}()
	<-loading
	done := make(chan struct{})
	go func() { defer close(done); get(t, c, &m, 7, 1)() }()
	close(canceled)
	<-done
	require.Equal(t, 1, m.loads[7])

	over, stop := context.WithCancel(ctx)
	hold := make(chan struct{})
	started := make(chan struct{})
	go func() {
		_, _, _ = c.Get(ctx, 8, func(context.Context) (int, int64, error) { close(started); <-hold; return 8, 1, nil })
	}()
	<-started
	stop()
	_, _, err = c.Get(over, 8, nil)
	require.ErrorIs(t, err, context.Canceled)
	close(hold)
}

// Many users at once: nothing is dropped while it is used, and nothing is lost.
func TestConcurrentUse(t *testing.T) {
	type box struct{ alive bool }
	c := New[int](3, func(b *box) { b.alive = false })
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 500 {
				b, release, err := c.Get(ctx, (w*7+i*3)%10, func(context.Context) (*box, int64, error) { return &box{true}, 1, nil })
				if err != nil || !b.alive {
					t.Error("dropped while in use", err)
					return
				}
				if i%100 == 0 {
					c.Forget(func(k int) bool { return k == i%10 })
				}
				release()
			}
		})
	}
	wg.Wait()
	require.LessOrEqual(t, c.Used(), int64(3))
}
