// Package check is what the walks share: assertions that end the program, names of their own, and the choice of a walk.
package check

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"
)

// Bootstrap is the broker to walk on.
var Bootstrap = os.Getenv("BOOTSTRAP")

// Main runs the walk that the program's only argument names.
func Main(walks map[string]func(context.Context)) {
	walk := walks[strings.Join(os.Args[1:], " ")]
	if walk == nil {
		fmt.Fprintln(os.Stderr, "usage: BOOTSTRAP=host:port", os.Args[0], "WALK")
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	walk(ctx)
	fmt.Println("done")
}

// OK ends the program unless err is nil.
func OK(err error) {
	if err != nil {
		panic(err)
	}
}

// Must is the value of a call that may not fail.
func Must[T any](value T, err error) T {
	OK(err)
	return value
}

// That ends the program unless the condition holds; details say what was found.
func That(condition bool, details ...any) {
	if !condition {
		panic(fmt.Sprint(details...))
	}
}

// Equal ends the program unless both are deeply equal.
func Equal[T any](got, want T) {
	if !reflect.DeepEqual(got, want) {
		panic(fmt.Sprintf("got  %+v\nwant %+v", got, want))
	}
}

// Eventually asks until the condition holds: what a cluster was told, not all of it knows at once.
func Eventually(ctx context.Context, condition func() bool) {
	for !condition() {
		OK(ctx.Err())
	}
}

// Unique is a name that no other walk uses on this broker.
func Unique(name string) string {
	return fmt.Sprintf("%s-%d-%d", name, os.Getpid(), time.Now().UnixNano())
}

// Numbers are the values "0" to "count - 1".
func Numbers(count int) []string {
	values := make([]string, count)
	for n := range values {
		values[n] = fmt.Sprint(n)
	}
	return values
}
