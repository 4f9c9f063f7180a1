package hub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// A temporary error is worth another attempt, after a while where the server
// says so.
type temporary struct {
	error
	after time.Duration
}

func (e temporary) Unwrap() error { return e.error }

// Attempts are made until this many in a row have failed without a byte gained,
// and no pause is longer than a server may ask for.
const (
	attempts     = 6
	longestPause = 5 * time.Minute
)

// retry repeats attempt while it fails for a time. gained says that it got
// further than those before.
func (c *client) retry(ctx context.Context, attempt func() (gained bool, err error)) error {
	for failures, pause := 0, c.pause; ; pause *= 2 {
		gained, err := attempt()
		if err != nil && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var failure temporary
		if !errors.As(err, &failure) {
			return err
		}
		if gained {
			failures, pause = 0, c.pause
		}
		if failures++; failures == attempts {
			return fmt.Errorf("%w (%d attempts)", err, attempts)
		}
		wait := max(pause, failure.after)
		if wait > longestPause {
			return fmt.Errorf("%w; it asks to come back in %v", err, wait)
		}
		c.waiting(wait, err)
		if c.sleep(ctx, wait); ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

func sleep(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// retryAfter returns what the header of that name asks for: seconds or a date.
func retryAfter(response *http.Response) time.Duration {
	value := response.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil {
		return time.Duration(min(max(seconds, 0), 1<<30)) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(time.Until(date), 0)
	}
	return 0
}
