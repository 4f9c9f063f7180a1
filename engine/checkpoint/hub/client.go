package hub

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"
)

// A client speaks to the hub, and to wherever it keeps large files.
type client struct {
	http     *http.Client
	endpoint *url.URL
	token    token
	stall    time.Duration                          // after which a connection without a byte is given up
	pause    time.Duration                          // before the second attempt; it doubles with each
	waiting  func(pause time.Duration, cause error) // told of each
	sleep    func(ctx context.Context, pause time.Duration)
}

func newClient() (*client, error) {
	u, err := endpoint()
	if err != nil {
		return nil, err
	}
	t, err := userToken()
	if err != nil {
		return nil, err
	}
	return &client{
		http:     &http.Client{Transport: &authorized{http.DefaultTransport, u, t}, CheckRedirect: checkRedirect},
		endpoint: u, token: t, stall: time.Minute, pause: time.Second,
		waiting: func(time.Duration, error) {}, sleep: sleep,
	}, nil
}

// authorized gives the token to the hub alone. The standard library keeps the
// header of a redirected request for subdomains, other ports and plain HTTP.
type authorized struct {
	http.RoundTripper
	endpoint *url.URL
	token    token
}

func (a *authorized) RoundTrip(r *http.Request) (*http.Response, error) {
	if a.token.value != "" && sameOrigin(r.URL, a.endpoint) {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+a.token.value)
	}
	return a.RoundTripper.RoundTrip(r)
}

func sameOrigin(a, b *url.URL) bool { return a.Scheme == b.Scheme && a.Host == b.Host }

// A redirectError is a redirect that is not followed.
type redirectError string

func (e redirectError) Error() string { return string(e) }

func checkRedirect(next *http.Request, before []*http.Request) error {
	const most = 10
	if len(before) > most {
		return redirectError(fmt.Sprintf("more than %d redirects, one after another, lead nowhere", most))
	}
	if s := next.URL.Scheme; s != "https" && (s != "http" || before[0].URL.Scheme == "https") {
		return redirectError(fmt.Sprintf("a redirect leads from %s to %s, which is not safe", before[0].URL.Scheme, s))
	}
	return nil
}

// get asks for what is at address, from a byte on. The answer may have any status.
func (c *client) get(ctx context.Context, address string, from int64) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(c.stall, func() { cancel(errStalled) })
	end := func() {
		timer.Stop()
		cancel(nil)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		end()
		return nil, err
	}
	request.Header.Set("User-Agent", "gaze")
	request.Header.Set("Accept-Encoding", "identity") // sizes and ranges are those of the file
	if from > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	response, err := c.http.Do(request)
	if err == nil {
		response.Body = &body{response.Body, ctx, timer, c.stall, end}
		return response, nil
	}
	defer end()
	host := request.URL.Host
	var failed *url.Error // whose text has the whole address, signatures included
	if errors.As(err, &failed) {
		err = failed.Err
		if u, parsing := url.Parse(failed.URL); parsing == nil {
			host = u.Host
		}
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	err = fmt.Errorf("cannot reach %s: %w", host, err)
	if lasting(err) {
		return nil, err
	}
	return nil, temporary{error: err}
}

var errStalled = errors.New("no data came for too long")

// A body is what a server sends, given up when it pauses for too long.
type body struct {
	io.ReadCloser
	ctx   context.Context
	timer *time.Timer
	stall time.Duration
	end   func()
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.timer.Reset(b.stall)
	}
	if cause := context.Cause(b.ctx); err != nil && err != io.EOF && cause != nil {
		err = cause
	}
	return n, err
}

func (b *body) Close() error {
	b.end()
	return b.ReadCloser.Close()
}

// lasting reports whether another attempt would fail in the same way.
func lasting(err error) bool {
	var name *net.DNSError
	return errors.As(err, new(redirectError)) || errors.As(err, new(*tls.CertificateVerificationError)) ||
		errors.As(err, &name) && name.IsNotFound || errors.Is(err, syscall.ECONNREFUSED)
}
