// Package crew watches the members of one group: which partitions each owns, and what they have handled.
package crew

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"tidelog-tests/check"
)

// Crew is what its members did so far. They are told apart by any name.
type Crew struct {
	ctx     context.Context
	lock    sync.Mutex
	changed *sync.Cond
	owned   map[string]map[int32]bool
	handled map[string]int // how often each value was
}

// New is a crew without members. Nothing is waited for any longer than the context lasts.
func New(ctx context.Context) *Crew {
	crew := &Crew{ctx: ctx, owned: map[string]map[int32]bool{}, handled: map[string]int{}}
	crew.changed = sync.NewCond(&crew.lock)
	context.AfterFunc(ctx, crew.changed.Broadcast)
	return crew
}

// Joins counts a member that owns nothing yet.
func (c *Crew) Joins(member string) {
	c.update(func() { c.owned[member] = map[int32]bool{} })
}

// Leaves forgets a member.
func (c *Crew) Leaves(member string) {
	c.update(func() { delete(c.owned, member) })
}

// Gets gives partitions to a member.
func (c *Crew) Gets(member string, partitions ...int32) {
	c.update(func() {
		for _, partition := range partitions {
			c.owned[member][partition] = true
		}
	})
}

// Loses takes partitions from a member.
func (c *Crew) Loses(member string, partitions ...int32) {
	c.update(func() {
		for _, partition := range partitions {
			delete(c.owned[member], partition)
		}
	})
}

// Handles counts a message.
func (c *Crew) Handles(value string) {
	c.update(func() { c.handled[value]++ })
}

// AwaitShares waits until the members own that many partitions each, in ascending order, and none is owned twice.
func (c *Crew) AwaitShares(shares ...int) {
	c.await(func() bool {
		counts, all, sum := []int{}, map[int32]bool{}, 0
		for _, partitions := range c.owned {
			counts = append(counts, len(partitions))
			sum += len(partitions)
			maps.Copy(all, partitions)
		}
		slices.Sort(counts)
		return slices.Equal(counts, shares) && len(all) == sum
	})
}

// AwaitHandled waits until that many messages were handled, and expects none to have been handled twice.
func (c *Crew) AwaitHandled(count int) {
	c.await(func() bool { return len(c.handled) == count })
	c.lock.Lock()
	defer c.lock.Unlock()
	for value, times := range c.handled {
		check.That(times == 1, value, " was handled ", times, " times")
	}
}

// ComeAndGo has three members join one after another, and leave. Whenever six partitions are shared out anew, send gets
// values that are handled then; look sees the group while all three are there.
func (c *Crew) ComeAndGo(join func(name string) (leave func()), send func(values []string), look func()) {
	sent := 0
	work := func() {
		values := make([]string, 60)
		for place := range values {
			values[place] = fmt.Sprint(sent + place)
		}
		send(values)
		sent += len(values)
		c.AwaitHandled(sent)
	}
	aLeaves := join("a")
	c.AwaitShares(6)
	work()
	bLeaves := join("b")
	c.AwaitShares(3, 3)
	work()
	cLeaves := join("c")
	c.AwaitShares(2, 2, 2)
	work()

	look()

	aLeaves()
	c.AwaitShares(3, 3)
	work()
	bLeaves()
	c.AwaitShares(6)
	work()
	cLeaves()
}

func (c *Crew) update(change func()) {
	c.lock.Lock()
	defer c.lock.Unlock()
	change()
	c.changed.Broadcast()
}

func (c *Crew) await(condition func() bool) {
	c.lock.Lock()
	defer c.lock.Unlock()
	for !condition() {
		check.That(c.ctx.Err() == nil, len(c.handled), " handled; owned: ", c.owned)
		c.changed.Wait()
	}
}
