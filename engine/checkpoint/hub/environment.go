package hub

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gazevk/gaze/engine/checkpoint"
)

// checkOnline returns an error where the user wants no network.
func checkOnline() error {
	for _, name := range []string{"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"} {
		if value := os.Getenv(name); value != "" {
			if slices.Contains([]string{"1", "ON", "YES", "TRUE"}, strings.ToUpper(value)) {
				return fmt.Errorf("%s is %s, so nothing is downloaded: unset it first", name, value)
			}
			return nil // the first that is set counts
		}
	}
	return nil
}

// endpoint returns where the hub is: HF_ENDPOINT, or https://huggingface.co.
func endpoint() (*url.URL, error) {
	text := os.Getenv("HF_ENDPOINT")
	if text == "" {
		text = "https://huggingface.co"
	}
	u, err := url.Parse(strings.TrimRight(text, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("HF_ENDPOINT is no address of a hub: expected one such as https://huggingface.co")
	}
	return u, nil
}

// A token says to the hub who asks. Its value is a secret: it may be sent to the
// hub, and must not be printed.
type token struct {
	value  string // "" where there is none
	source string // where it stands, for errors
}

// userToken returns the token of HF_TOKEN, or that of the file that "hf auth
// login" writes.
func userToken() (token, error) {
	for _, name := range []string{"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"} { // the second is older
		if value := strings.TrimSpace(os.Getenv(name)); value != "" {
			return token{value, name}.checked()
		}
	}
	path := os.Getenv("HF_TOKEN_PATH")
	if path == "" {
		home, err := checkpoint.HubHome()
		if err != nil {
			return token{}, err
		}
		path = filepath.Join(home, "token")
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return token{}, nil
	}
	if err != nil {
		return token{}, fmt.Errorf("cannot read the token for the hub: %w", err)
	}
	return token{strings.TrimSpace(string(data)), path}.checked()
}

// checked refuses what no header can hold.
func (t token) checked() (token, error) {
	for _, r := range t.value {
		if r <= ' ' || r > '~' {
			return token{}, fmt.Errorf("%s holds no token for the hub: expected one word of letters and digits", t.source)
		}
	}
	return t, nil
}
