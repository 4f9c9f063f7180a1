package hub

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A connection that breaks in the middle: the rest is asked for, not the whole.
func TestResume(t *testing.T) {
	h := newHub(t)
	contents := h.files["model.safetensors"]
	cuts := []int{1000, 1000, 1000, 1000, 1000, 200_000, 0} // bytes of each answer
	h.fault = atStore(func(w http.ResponseWriter, r *http.Request) bool {
		if len(cuts) == 0 {
			return false
		}
		from := 0
		if header := r.Header.Get("Range"); header != "" {
			fmt.Sscanf(header, "bytes=%d-", &from)
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(contents)-1, len(contents)))
			w.Header().Set("Content-Length", fmt.Sprint(len(contents)-from))
			w.WriteHeader(http.StatusPartialContent)
		}
		bytes := cuts[0]
		cuts = cuts[1:]
		return cut(w, contents[from:], bytes)
	})
	s, pauses, err := h.pull(t.Context(), model, nil)
	if err != nil {
		t.Fatal(err)
	}
	h.expectContents(s, three...)
	want := []string{"hub", "hub config.json"}
	for _, at := range []int{0, 1000, 2000, 3000, 4000, 5000, 205_000, 205_000} {
		from := ""
		if at > 0 {
			from = fmt.Sprintf(" bytes=%d-", at)
		}
		want = append(want, "hub model.safetensors"+from, "store model.safetensors"+from)
	}
	if seen := h.seen(); !slices.Equal(seen, append(want, "hub tokenizer.json")) {
		t.Errorf("requests are %q, expected %q", seen, want)
	}
	// The pause is short again after each attempt that has got further.
	second := time.Second
	if want := []time.Duration{second, second, second, second, second, second, 2 * second}; !slices.Equal(pauses, want) {
		t.Errorf("pauses are %v, expected %v", pauses, want)
	}
}

// A store that knows no ranges sends all of it again.
func TestResumeWithoutRanges(t *testing.T) {
	h := newHub(t)
	answers := 0
	h.fault = atStore(func(w http.ResponseWriter, r *http.Request) bool {
		if answers++; answers == 1 {
			return cut(w, h.files["model.safetensors"], 5000)
		}
		w.Write([]byte(h.files["model.safetensors"]))
		return true
	})
	s, _, err := h.pull(t.Context(), model, nil)
	if err != nil {
		t.Fatal(err)
	}
	h.expectContents(s, three...)
	if answers != 2 {
		t.Errorf("%d answers", answers)
	}
}

// It does not try for ever, and says where to go on.
func TestResumeInVain(t *testing.T) {
	h := newHub(t)
	h.fault = atStore(func(w http.ResponseWriter, r *http.Request) bool {
		return cut(w, h.files["model.safetensors"], 5000) // and never more
	})
	_, pauses, err := h.pull(t.Context(), model, nil)
	const want = "model.safetensors: it breaks off after 5000 of 600000 bytes: unexpected EOF (6 attempts); " +
		"what has arrived is kept: pull again to go on from there"
	if err == nil || err.Error() != want {
		t.Errorf("the error is %v, expected %s", err, want)
	}
	s := time.Second
	if want := []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s}; !slices.Equal(pauses, want) {
		t.Errorf("pauses are %v, expected %v", pauses, want)
	}
	if info, err := os.Stat(h.blob("model.safetensors") + ".incomplete"); err != nil || info.Size() != 5000 {
		t.Errorf("what is kept: %v, %v", info, err)
	}
}

// Contents that are not those that the hub lists are never kept.
func TestDamaged(t *testing.T) {
	large := weights(600_000)
	ranged := func(contentRange, contents string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Content-Range", contentRange)
			w.WriteHeader(http.StatusPartialContent)
			w.Write([]byte(contents))
		}
	}
	other := strings.Repeat("x", len(large))
	for name, c := range map[string]struct {
		had    string // from an earlier pull
		answer func(w http.ResponseWriter)
		err    string
	}{
		"other bytes": {"", func(w http.ResponseWriter) { w.Write([]byte(other)) },
			"what has arrived has the hash " + fmt.Sprintf("%x", sum256(other))},
		"other bytes before":  {other[:1000], ranged("bytes 1000-599999/600000", large[1000:]), "what has arrived has the hash "},
		"fewer, as announced": {"", func(w http.ResponseWriter) { w.Write([]byte("short")) }, "sends 5 bytes of it: the hub lists 600000"},
		"more, as announced": {"", func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "600001")
			w.Write([]byte(large + "x"))
		}, "sends 600001 bytes of it: the hub lists 600000"},
		"more": {"", func(w http.ResponseWriter) {
			w.Write([]byte(large))
			w.(http.Flusher).Flush() // so that nothing is announced
			w.Write([]byte("more"))
		}, "it has more than the 600000 bytes that the hub lists"},
		"another range":    {large[:1000], ranged("bytes 0-599999/600000", large), `sends "bytes 0-599999/600000": expected "bytes 1000-599999/600000"`},
		"of another size":  {large[:1000], ranged("bytes 1000-599999/600001", large[1000:]), `expected "bytes 1000-599999/600000"`},
		"nothing there":    {large[:1000], func(w http.ResponseWriter) { w.WriteHeader(416) }, "has no bytes after the first 1000 of 600000"},
		"more than it has": {large + "x", func(http.ResponseWriter) {}, "has 600001 bytes, and the file has 600000"},
	} {
		h := newHub(t)
		h.fault = atStore(func(w http.ResponseWriter, _ *http.Request) bool {
			c.answer(w)
			return true
		})
		partial := h.blob("model.safetensors") + ".incomplete"
		if c.had != "" {
			if err := os.MkdirAll(filepath.Dir(partial), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(partial, []byte(c.had), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		_, pauses, err := h.pull(t.Context(), model, nil)
		if err == nil || !strings.HasPrefix(err.Error(), "model.safetensors: ") || !strings.Contains(err.Error(), c.err) ||
			!strings.HasSuffix(err.Error(), "; it was removed: pull again") || len(pauses) > 0 {
			t.Errorf("%s: after pauses %v: %v\nexpected %s", name, pauses, err, c.err)
		}
		if files := h.cached(); !slices.Equal(files, []string{"blobs/" + h.hashOf("config.json")}) {
			t.Errorf("%s: it leaves %q", name, files)
		}
		h.fault = nil
		s, _, err := h.pull(t.Context(), model, nil)
		if err != nil {
			t.Fatalf("%s, then pulled again: %v", name, err)
		}
		h.expectContents(s, three...)
	}
}

// The hash of a file within git is another one.
func TestDamagedSmall(t *testing.T) {
	h := newHub(t)
	h.listed["config.json"] = `{"model_type":"ModernBert"}`
	_, _, err := h.pull(t.Context(), model, nil)
	if err == nil || !strings.Contains(err.Error(), "config.json: what has arrived has the hash ") || len(h.cached()) > 0 {
		t.Errorf("%v, and it leaves %q", err, h.cached())
	}
}

// The hub's own word, at the redirect, that the file is another now: nothing of
// it is downloaded.
func TestLinkChanged(t *testing.T) {
	h := newHub(t)
	h.fault = func(w http.ResponseWriter, r *http.Request, file string) bool {
		if file == "model.safetensors" {
			w.Header().Set("X-Linked-Etag", `"`+strings.Repeat("e", 64)+`"`)
		}
		return false
	}
	_, _, err := h.pull(t.Context(), model, nil)
	if err == nil || !strings.Contains(err.Error(), "now links to contents of hash eeee") {
		t.Errorf("the error is %v", err)
	}
}

// What passes is tried again, after the time that the server asks for.
func TestRetries(t *testing.T) {
	for status, c := range map[int]struct {
		after string
		pause time.Duration
	}{
		429: {"7", 7 * time.Second}, 503: {"0", time.Second}, 500: {"", time.Second}, 502: {"soon", time.Second}, 504: {"-5", time.Second}, 408: {"", time.Second},
	} {
		for _, file := range []string{"", "config.json", "model.safetensors"} {
			h := newHub(t)
			refused := false
			h.fault = func(w http.ResponseWriter, r *http.Request, asked string) bool {
				if asked != file || refused || h.large[file] != r.URL.Query().Has("Signature") {
					return false
				}
				refused = true
				w.Header().Set("Retry-After", c.after)
				w.WriteHeader(status)
				return true
			}
			s, pauses, err := h.pull(t.Context(), model, nil)
			if err != nil {
				t.Errorf("%d for %q: %v", status, file, err)
				continue
			}
			h.expectContents(s, three...)
			if !slices.Equal(pauses, []time.Duration{c.pause}) {
				t.Errorf("%d for %q: pauses are %v, expected %v", status, file, pauses, c.pause)
			}
		}
	}
}

func TestRetriesInVain(t *testing.T) {
	for after, want := range map[string]string{
		"":     "answers 503 Service Unavailable (6 attempts)",
		"3600": "answers 503 Service Unavailable; it asks to come back in 1h0m0s",
		time.Now().Add(48 * time.Hour).UTC().Format(http.TimeFormat): "answers 503 Service Unavailable; it asks to come back in 47h59m",
	} {
		h := newHub(t)
		h.fault = func(w http.ResponseWriter, r *http.Request, asked string) bool {
			w.Header().Set("Retry-After", after)
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		if _, _, err := h.pull(t.Context(), model, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %s", after, err, want)
		}
		if tries := len(h.seen()); tries != 6 && after == "" || tries != 1 && after != "" {
			t.Errorf("%s: %d requests", after, tries)
		}
	}
}

// Where nothing has arrived, there is nothing to go on from.
func TestRefusedInVain(t *testing.T) {
	h := newHub(t)
	h.fault = atStore(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusBadGateway)
		return true
	})
	if _, _, err := h.pull(t.Context(), model, nil); err == nil || !strings.HasSuffix(err.Error(), "answers 502 Bad Gateway (6 attempts)") {
		t.Errorf("the error is %v", err)
	}
}

// Stopped in a pause, it does not wait for its end.
func TestInterruptedInPause(t *testing.T) {
	h := newHub(t)
	h.fault = func(w http.ResponseWriter, r *http.Request, asked string) bool {
		w.Header().Set("Retry-After", "240")
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, _, err := h.pull(ctx, model, func(p *puller) {
		p.sleep = sleep
		p.waiting = func(time.Duration, error) { cancel() }
	})
	if err != context.Canceled {
		t.Errorf("the error is %v", err)
	}
}

// A server that says nothing more is given up.
func TestStalled(t *testing.T) {
	for _, file := range []string{"", "model.safetensors"} {
		h := newHub(t)
		h.fault = func(w http.ResponseWriter, r *http.Request, asked string) bool {
			if asked != file || h.large[file] != r.URL.Query().Has("Signature") {
				return false
			}
			if h.large[file] {
				w.Write([]byte(h.files[file][:10]))
				w.(http.Flusher).Flush()
			}
			<-r.Context().Done()
			return true
		}
		_, _, err := h.pull(t.Context(), model, func(p *puller) { p.stall = 200 * time.Millisecond })
		if err == nil || !strings.Contains(err.Error(), "no data came for too long (6 attempts)") {
			t.Errorf("%q: %v", file, err)
		}
	}
}
