package hub

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// A damaged error is about contents that are not those that the hub lists.
type damaged struct{ error }

// fetch downloads a blob, or what is missing of it.
func (p *puller) fetch(ctx context.Context, f File) error {
	err := p.fetchBlob(ctx, f)
	if err == nil || ctx.Err() != nil {
		return err
	}
	if info, none := os.Stat(p.blob(f) + incomplete); none == nil && info.Size() > 0 && errors.As(err, new(temporary)) {
		err = fmt.Errorf("%w; what has arrived is kept: pull again to go on from there", err)
	}
	return fmt.Errorf("%s: %w", f.Path, err)
}

// incomplete ends the name of a blob that is not wholly there. huggingface_hub
// uses the same name.
const incomplete = ".incomplete"

func (p *puller) fetchBlob(ctx context.Context, f File) error {
	blob := p.blob(f)
	if err := os.MkdirAll(filepath.Dir(blob), 0o777); err != nil {
		return err
	}
	unlock, err := p.lock(ctx, f, func() { p.report(0, "another pull is at it") })
	if err != nil {
		return err
	}
	defer unlock()
	if present(blob, f.Size) { // thanks to another pull
		return nil
	}
	out, err := os.OpenFile(blob+incomplete, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	err = p.retry(ctx, func() (bool, error) { return p.download(ctx, f, out) })
	if err == nil {
		err = verify(ctx, f, out)
	}
	if err == nil {
		err = out.Sync()
	}
	if closed := out.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(blob+incomplete, blob)
	}
	p.fetched[f.Path] = err == nil
	if errors.As(err, new(damaged)) {
		os.Remove(blob + incomplete)
		err = fmt.Errorf("%w; it was removed: pull again", err)
	}
	return err
}

// download appends to out what it lacks, and reports whether it has gained a byte.
//
// There is no If-Range: the storage host's ETag is not that of the hub, and may
// differ from host to host. The commit in the address and the hash in the blob's
// name say which contents are meant, and both ends are held against them: what
// the hub says of its link before, the hash of all bytes after.
func (p *puller) download(ctx context.Context, f File, out *os.File) (gained bool, err error) {
	info, err := out.Stat()
	if err != nil {
		return false, err
	}
	had := info.Size()
	if had > f.Size {
		return false, damaged{fmt.Errorf("%s has %d bytes, and the file has %d", out.Name(), had, f.Size)}
	}
	p.report(had, "")
	if had == f.Size {
		return false, nil
	}
	response, err := p.get(ctx, p.address(f), had)
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	offset := had
	switch want := fmt.Sprintf("bytes %d-%d/%d", had, f.Size-1, f.Size); {
	case response.StatusCode == http.StatusOK:
		offset = 0 // it knows no ranges
	case response.StatusCode == http.StatusPartialContent && response.Header.Get("Content-Range") == want:
	case response.StatusCode == http.StatusPartialContent:
		return false, damaged{fmt.Errorf("%s sends %.80q: expected %q", response.Request.URL.Host, response.Header.Get("Content-Range"), want)}
	case response.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		return false, damaged{fmt.Errorf("%s has no bytes after the first %d of %d", response.Request.URL.Host, had, f.Size)}
	default:
		return false, p.refusal(response, p.model, p.revision)
	}
	if err := p.checkLink(response, f); err != nil {
		return false, err
	}
	if length := response.ContentLength; length >= 0 && offset+length != f.Size {
		return false, damaged{fmt.Errorf("%s sends %d bytes of it: the hub lists %d", response.Request.URL.Host, offset+length, f.Size)}
	}
	err = p.copy(out, response.Body, &offset, f.Size)
	return offset > had, err
}

// copy writes what is read to out at offset, which moves along, up to size.
func (p *puller) copy(out *os.File, from io.Reader, offset *int64, size int64) error {
	buffer := make([]byte, 256<<10)
	for {
		n, reading := from.Read(buffer)
		if *offset+int64(n) > size {
			return damaged{fmt.Errorf("it has more than the %d bytes that the hub lists", size)}
		}
		if _, err := out.WriteAt(buffer[:n], *offset); err != nil {
			return err
		}
		*offset += int64(n)
		p.report(*offset, "")
		if reading == io.EOF && *offset == size {
			return nil
		}
		if reading == io.EOF {
			reading = io.ErrUnexpectedEOF
		}
		if reading != nil {
			return temporary{error: fmt.Errorf("it breaks off after %d of %d bytes: %w", *offset, size, reading)}
		}
	}
}

// address returns where the hub has a file.
func (p *puller) address(f File) string {
	address := p.endpoint.JoinPath(p.model, "resolve", p.listing.commit).String()
	for _, part := range strings.Split(f.Path, "/") {
		address += "/" + url.PathEscape(part)
	}
	return address
}

// checkLink holds what the hub says of a large file when it redirects to it
// against the listing.
func (p *puller) checkLink(response *http.Response, f File) error {
	for r := response; r != nil; r = r.Request.Response { // back along the redirects
		etag := strings.Trim(strings.TrimPrefix(r.Header.Get("X-Linked-Etag"), "W/"), `"`)
		if sameOrigin(r.Request.URL, p.endpoint) && sha256Hex.MatchString(etag) && etag != f.Hash {
			return damaged{fmt.Errorf("%s now links to contents of hash %s: it listed %s", p.endpoint.Host, etag, f.Hash)}
		}
	}
	return nil
}

// verify reads all of a blob again, because its beginning may have come from an
// earlier pull. Large files are named by their SHA-256, those within git by git's
// SHA-1, of a header and the contents.
func verify(ctx context.Context, f File, from *os.File) error {
	var sum hash.Hash
	if len(f.Hash) == hex.EncodedLen(sha256.Size) {
		sum = sha256.New()
	} else {
		sum = sha1.New()
		fmt.Fprintf(sum, "blob %d\x00", f.Size)
	}
	buffer := make([]byte, 1<<20)
	for offset := int64(0); offset < f.Size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := from.ReadAt(buffer[:min(int64(len(buffer)), f.Size-offset)], offset)
		if err != nil && err != io.EOF || n == 0 {
			return fmt.Errorf("cannot read it again: %w", err)
		}
		sum.Write(buffer[:n])
		offset += int64(n)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != f.Hash {
		return damaged{fmt.Errorf("what has arrived has the hash %s: the hub lists %s", got, f.Hash)}
	}
	return nil
}
