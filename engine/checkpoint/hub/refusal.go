package hub

import (
	"fmt"
	"net/http"
	"strings"
)

// refusal returns the error that an answer other than a file stands for, and
// what to do about it.
func (c *client) refusal(response *http.Response, model, revision string) error {
	host, page := response.Request.URL.Host, c.endpoint.Redacted()+"/"+model
	code := response.Header.Get("X-Error-Code")
	switch status := response.StatusCode; status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return temporary{fmt.Errorf("%s answers %s", host, statusText(status)), retryAfter(response)}
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		if !sameOrigin(response.Request.URL, c.endpoint) {
			break // a store of large files, which knows nothing of models
		}
		switch {
		case code == "RevisionNotFound":
			return fmt.Errorf("it has no revision %q: see %s/tree/main for its branches, tags and commits", revision, page)
		case code == "EntryNotFound":
			return fmt.Errorf("%s lists a file that it does not have: try again later", host)
		case code == "GatedRepo" && c.token.value == "":
			return fmt.Errorf("it is gated: accept its conditions at %s, and set HF_TOKEN to a token of yours", page)
		case code == "GatedRepo":
			return fmt.Errorf("it is gated, and the token of %s does not open it: accept its conditions at %s, with the token's account", c.token.source, page)
		case status == http.StatusUnauthorized && c.token.value != "":
			return fmt.Errorf("%s refuses the token of %s: replace it, or unset it for public models", host, c.token.source)
		case status == http.StatusForbidden:
			return fmt.Errorf("%s forbids it: a token is needed that may read it (in HF_TOKEN); see %s", host, page)
		case c.token.value == "":
			return fmt.Errorf("%s has no such model, or none for everybody: check the name, and for a private model set HF_TOKEN", host)
		}
		return fmt.Errorf("%s has no such model, or none for the token of %s: check the name", host, c.token.source)
	}
	return fmt.Errorf("%s answers %s", host, statusText(response.StatusCode))
}

func statusText(status int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
}
