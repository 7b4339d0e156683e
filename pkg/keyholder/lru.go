package keyholder

import (
	"container/list"
	"sync"
)

// lru keeps the most recently used values up to a total cost. It is safe for
// concurrent use; values must not be changed after they are put in.
type lru[K comparable, V any] struct {
	mu    sync.Mutex
	limit int64
	used  int64
	order *list.List // front: newest
	items map[K]*list.Element
}

type lruItem[K comparable, V any] struct {
	key  K
	v    V
	cost int64
}

func newLRU[K comparable, V any](limit int64) *lru[K, V] {
	return &lru[K, V]{limit: limit, order: list.New(), items: map[K]*list.Element{}}
}

func (l *lru[K, V]) get(key K) (v V, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.items[key]
	if !ok {
		return v, false
	}
	l.order.MoveToFront(e)
	return e.Value.(*lruItem[K, V]).v, true
}

// put keeps v unless it alone costs more than the limit.
func (l *lru[K, V]) put(key K, v V, cost int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.items[key]; ok {
		l.remove(e)
	}
	if cost > l.limit {
		return
	}
	l.items[key] = l.order.PushFront(&lruItem[K, V]{key, v, cost})
	l.used += cost
	for l.used > l.limit {
		l.remove(l.order.Back())
	}
}

func (l *lru[K, V]) remove(e *list.Element) {
	it := l.order.Remove(e).(*lruItem[K, V])
	delete(l.items, it.key)
	l.used -= it.cost
}
