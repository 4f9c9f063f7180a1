package hub

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each refusal says what to do, and none the token.
func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		file   string // "" for the listing
		token  string
		status int
		code   string
		want   string
	}{
		"no such model":                 {"", "", 401, "RepoNotFound", "has no such model, or none for everybody: check the name, and for a private model set HF_TOKEN"},
		"no such model, for a token":    {"", secret, 404, "RepoNotFound", "has no such model, or none for the token of HF_TOKEN: check the name"},
		"wrong token":                   {"", secret, 401, "", "refuses the token of HF_TOKEN: replace it, or unset it for public models"},
		"token without rights":          {"", secret, 403, "", "forbids it: a token is needed that may read it (in HF_TOKEN)"},
		"no such revision":              {"", "", 404, "RevisionNotFound", `it has no revision "main": see HUB/org/tiny.model/tree/main for its branches, tags and commits`},
		"gated":                         {"config.json", "", 401, "GatedRepo", "config.json: it is gated: accept its conditions at HUB/org/tiny.model, and set HF_TOKEN to a token of yours"},
		"gated, and not for this token": {"config.json", secret, 403, "GatedRepo", "config.json: it is gated, and the token of HF_TOKEN does not open it: accept its conditions at HUB/org/tiny.model"},
		"file is gone":                  {"tokenizer.json", "", 404, "EntryNotFound", "tokenizer.json: HOST lists a file that it does not have"},
		"store refuses":                 {"model.safetensors", secret, 403, "", "model.safetensors: STORE answers 403 Forbidden"},
		"teapot":                        {"", "", 418, "", "HOST answers 418 I'm a teapot"},
	} {
		h := newHub(t)
		t.Setenv("HF_TOKEN", c.token)
		h.fault = func(w http.ResponseWriter, r *http.Request, file string) bool {
			if file != c.file || h.large[file] != r.URL.Query().Has("Signature") {
				return false
			}
			refuse(w, c.status, c.code)
			return true
		}
		_, err := Pull(t.Context(), model, Options{})
		want := strings.NewReplacer("HUB", h.hub.URL, "HOST", strings.TrimPrefix(h.hub.URL, "http://"), "STORE", strings.TrimPrefix(h.store.URL, "http://")).Replace(c.want)
		if err == nil || !strings.HasPrefix(err.Error(), "cannot pull org/tiny.model: ") || !strings.Contains(err.Error(), want) ||
			strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v\nexpected %s", name, err, want)
		}
	}
}

// Redirects are followed, but not round and round, and not away from TLS.
func TestRedirects(t *testing.T) {
	h := newHub(t)
	t.Setenv("HF_TOKEN", secret)
	h.fault = func(w http.ResponseWriter, r *http.Request, file string) bool {
		if file == "config.json" {
			http.Redirect(w, r, r.URL.String(), http.StatusFound)
		}
		return file == "config.json"
	}
	_, pauses, err := h.pull(t.Context(), model, nil)
	if err == nil || !strings.Contains(err.Error(), "more than 10 redirects, one after another, lead nowhere") || len(pauses) > 0 {
		t.Errorf("in a circle, after pauses %v: %v", pauses, err)
	}
	if seen := h.seen(); len(seen) != 1+11 {
		t.Errorf("in a circle it makes %d requests", len(seen))
	}
	for _, location := range []string{h.store.URL + "/config.json", "ftp://example.org/config.json"} {
		secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, location, http.StatusFound)
		}))
		defer secure.Close()
		t.Setenv("HF_ENDPOINT", secure.URL)
		h.seen()
		_, pauses, err = h.pull(t.Context(), model, func(p *puller) {
			p.http.Transport.(*authorized).RoundTripper = secure.Client().Transport
		})
		if err == nil || !strings.Contains(err.Error(), "a redirect leads from https to ") || len(pauses) > 0 || len(h.seen()) > 0 {
			t.Errorf("from TLS to %s, after pauses %v: %v", location, pauses, err)
		}
	}
}

// What cannot get better is not tried again, and no address is shown that holds
// a signature.
func TestUnreachable(t *testing.T) {
	h := newHub(t)
	h.store.Close()
	_, pauses, err := h.pull(t.Context(), model, nil)
	host := strings.TrimPrefix(h.store.URL, "http://")
	if err == nil || !strings.HasPrefix(err.Error(), "model.safetensors: cannot reach "+host+": ") || len(pauses) > 0 || strings.Contains(err.Error(), "ignature") {
		t.Errorf("no store, after pauses %v: %v", pauses, err)
	}
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	t.Setenv("HF_ENDPOINT", secure.URL)
	_, pauses, err = h.pull(t.Context(), model, nil)
	if err == nil || !strings.Contains(err.Error(), "certificate") || len(pauses) > 0 {
		t.Errorf("a certificate of nobody, after pauses %v: %v", pauses, err)
	}
}

// The token stands in a variable or in a file, and is one word.
func TestToken(t *testing.T) {
	h := newHub(t)
	asked := ""
	h.fault = func(_ http.ResponseWriter, r *http.Request, _ string) bool {
		asked = r.Header.Get("Authorization")
		return false
	}
	home, other := os.Getenv("HF_HOME"), filepath.Join(t.TempDir(), "other")
	for _, c := range []struct{ name, value, want string }{
		{"", "", ""},
		{"FILE", filepath.Join(home, "token"), "Bearer in-the-file"},
		{"HF_TOKEN_PATH", other, ""},
		{"FILE", other, "Bearer in-the-file"},
		{"HUGGING_FACE_HUB_TOKEN", "older", "Bearer older"},
		{"HF_TOKEN", " newer\n", "Bearer newer"},
	} { // each wins over all before
		if c.name == "FILE" {
			if err := os.WriteFile(c.value, []byte("in-the-file\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		} else if c.name != "" {
			t.Setenv(c.name, c.value)
		}
		h.mustPull(model)
		if asked != c.want {
			t.Errorf("%s=%s: the authorization is %q, expected %q", c.name, c.value, asked, c.want)
		}
	}
	for _, value := range []string{"two secrets", "secret\nsecret", "sécret"} {
		t.Setenv("HF_TOKEN", value)
		_, err := Pull(t.Context(), model, Options{})
		if err == nil || !strings.Contains(err.Error(), "HF_TOKEN holds no token for the hub") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", value, err)
		}
	}
}

// No request is made where there should be none.
func TestNoRequests(t *testing.T) {
	h := newHub(t)
	for _, c := range []struct{ name, variable, value, want string }{
		{"", "", "", `cannot pull "": it is no name of a model on the Hugging Face hub: expected organization/model or organization/model@revision`},
		{"../up", "", "", "it is no name of a model"},
		{"org/tiny@../../x", "", "", "it is no name of a model"},
		{"https://huggingface.co/org/tiny", "", "", "it is no name of a model"},
		{"org/a b", "", "", "it is no name of a model"},
		{model, "HF_HUB_OFFLINE", "1", "cannot pull org/tiny.model: HF_HUB_OFFLINE is 1, so nothing is downloaded: unset it first"},
		{model, "TRANSFORMERS_OFFLINE", "yes", "TRANSFORMERS_OFFLINE is yes"},
		{model, "HF_ENDPOINT", "huggingface.co", "HF_ENDPOINT is no address of a hub"},
		{model, "HF_ENDPOINT", "file:///etc", "HF_ENDPOINT is no address of a hub"},
		{model, "HF_ENDPOINT", h.hub.URL + "/?a=b", "HF_ENDPOINT is no address of a hub"},
	} {
		t.Run(c.name+c.variable, func(t *testing.T) {
			if c.variable != "" {
				t.Setenv(c.variable, c.value)
			}
			_, err := Pull(t.Context(), c.name, Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) || len(h.seen()) > 0 {
				t.Errorf("%q with %s=%s: %v, expected %s", c.name, c.variable, c.value, err, c.want)
			}
		})
	}
	t.Setenv("HF_HUB_OFFLINE", "0")
	t.Setenv("TRANSFORMERS_OFFLINE", "1") // which the other overrules
	h.mustPull(model)
}
