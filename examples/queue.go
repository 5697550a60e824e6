package queue

import (
	"errors"
	"sync"
)

// ErrEmpty is returned when there is nothing to take.
var ErrEmpty = errors.New("queue is empty")

// Queue is a first-in, first-out queue that may be shared between goroutines.
type Queue struct {
	mutex sync.Mutex
	items []string
}

// Put adds an item at the end.
func (q *Queue) Put(item string) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	q.items = append(q.items, item)
}

// Take removes the first item and returns it.
func (q *Queue) Take() (string, error) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	if len(q.items) == 0 {
		return "", ErrEmpty
	}
	item := q.items[0]
	q.items = q.items[1:]
	return item, nil
}

// Len returns the number of items.
func (q *Queue) Len() int {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	return len(q.items)
}
