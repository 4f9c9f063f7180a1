package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"regexp"
)

// A listing is what the hub says of one revision of a model.
type listing struct {
	commit string
	files  map[string]File
}

// maxListing bounds the hub's answer. A file takes about 300 bytes of it.
const maxListing = 64 << 20

// list asks the hub which commit a revision is and which files it has.
func (c *client) list(ctx context.Context, model, revision string) (listing, error) {
	address := c.endpoint.JoinPath("api", "models", model, "revision").String() + "/" + url.PathEscape(revision) + "?blobs=true"
	var data []byte
	err := c.retry(ctx, func() (bool, error) {
		response, err := c.get(ctx, address, 0)
		if err != nil {
			return false, err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return false, c.refusal(response, model, revision)
		}
		if data, err = io.ReadAll(io.LimitReader(response.Body, maxListing+1)); err != nil {
			return false, temporary{error: fmt.Errorf("%s breaks off: %w", c.endpoint.Host, err)}
		}
		return false, nil
	})
	if err != nil {
		return listing{}, err
	}
	l, err := parseListing(data)
	if err != nil {
		return listing{}, fmt.Errorf("%s does not answer as the Hugging Face hub does: %w; is HF_ENDPOINT right?", c.endpoint.Host, err)
	}
	return l, nil
}

// Hashes become names of files, so they must be nothing else.
var (
	sha1Hex   = regexp.MustCompile(`^[0-9a-f]{40}$`)
	sha256Hex = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// parseListing reads the hub's answer about a revision
// (https://huggingface.co/docs/hub/api). The names of the files are not checked
// here: only those that are wanted matter.
func parseListing(data []byte) (listing, error) {
	if len(data) > maxListing {
		return listing{}, fmt.Errorf("it lists more than %d bytes of files", maxListing)
	}
	var answer struct {
		SHA      string `json:"sha"`
		Siblings []struct {
			Name string `json:"rfilename"`
			Size *int64 `json:"size"`
			Blob string `json:"blobId"`
			LFS  *struct {
				Size   int64  `json:"size"`
				SHA256 string `json:"sha256"`
			} `json:"lfs"`
		} `json:"siblings"`
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return listing{}, fmt.Errorf("that is no JSON about a model: %w", err)
	}
	if !sha1Hex.MatchString(answer.SHA) {
		return listing{}, fmt.Errorf("%.80q is no commit", answer.SHA)
	}
	l := listing{answer.SHA, map[string]File{}}
	all := int64(0)
	for _, s := range answer.Siblings {
		f := File{Path: s.Name, Hash: s.Blob}
		switch {
		case s.LFS != nil:
			f.Size, f.Hash = s.LFS.Size, s.LFS.SHA256
		case s.Size != nil:
			f.Size = *s.Size
		default:
			return listing{}, fmt.Errorf("it gives no size of %.80q", s.Name)
		}
		if s.LFS == nil && !sha1Hex.MatchString(f.Hash) || s.LFS != nil && !sha256Hex.MatchString(f.Hash) {
			return listing{}, fmt.Errorf("%.80q is no hash of %.80q", f.Hash, s.Name)
		}
		if f.Size < 0 || f.Size > math.MaxInt64-all {
			return listing{}, fmt.Errorf("%.80q cannot have %d bytes", s.Name, f.Size)
		}
		if _, twice := l.files[s.Name]; twice {
			return listing{}, fmt.Errorf("it lists %.80q twice", s.Name)
		}
		all += f.Size
		l.files[s.Name] = f
	}
	if len(l.files) == 0 {
		return listing{}, errors.New("it lists no files")
	}
	return l, nil
}
