package hub

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gazevk/gaze/engine/checkpoint"
)

// Options say how a model is pulled.
type Options struct {
	Cache    string         // the cache's directory; "" means checkpoint.HubCache
	Progress func(Progress) // called often while it downloads; may be nil
}

// Progress says how far a pull has come.
type Progress struct {
	Done, Total int64  // bytes of the files that are downloaded; Done may fall back
	Waiting     string // what for, "" while bytes arrive
}

// A Snapshot is a model as it is in the cache.
type Snapshot struct {
	Model     string // organization/model
	Revision  string // as asked for
	Commit    string // what the revision is now
	Directory string // has the files
	Files     []File // those that gaze reads, by name
}

// A File is one file of a snapshot.
type File struct {
	Path       string // within the directory, with slashes
	Size       int64  // bytes
	Hash       string // SHA-256 of a large file; git's SHA-1 of any other
	Downloaded bool   // by this pull
}

// Pull brings the model of that name, as [checkpoint.ParseHubName] has it, into
// the cache: all files that gaze reads, and no others. What is there already is
// not downloaded again, and what an earlier pull has left unfinished is
// finished. When ctx ends, what has arrived is kept for the next.
func Pull(ctx context.Context, name string, o Options) (*Snapshot, error) {
	model, revision, err := checkpoint.ParseHubName(name)
	if err != nil {
		return nil, fmt.Errorf("cannot pull %q: %w: expected organization/model or organization/model@revision", name, err)
	}
	p, err := newPuller(model, revision, o)
	if err != nil {
		return nil, fmt.Errorf("cannot pull %s: %w", name, err)
	}
	s, err := p.pull(ctx)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot pull %s: %w", name, err)
	}
	return s, nil
}

// A puller is one pull.
type puller struct {
	*client
	repository
	model, revision string
	listing         listing
	fetched         map[string]bool                  // by the path of the file
	freeSpace       func(path string) (int64, error) // bytes, below 0 where nobody knows
	progress        func(Progress)
	finished, total int64 // bytes of the files that are downloaded
	at              int64 // bytes of the present one
}

func newPuller(model, revision string, o Options) (*puller, error) {
	if err := checkOnline(); err != nil {
		return nil, err
	}
	c, err := newClient()
	if err != nil {
		return nil, err
	}
	cache := o.Cache
	if cache == "" {
		if cache, err = checkpoint.HubCache(); err != nil {
			return nil, err
		}
	}
	if cache, err = filepath.Abs(cache); err != nil {
		return nil, err
	}
	p := &puller{
		client: c, repository: openRepository(cache, model), model: model, revision: revision,
		fetched: map[string]bool{}, freeSpace: freeSpace, progress: o.Progress,
	}
	c.waiting = func(pause time.Duration, cause error) { p.report(p.at, fmt.Sprintf("waiting %v: %v", pause, cause)) }
	return p, nil
}

func (p *puller) pull(ctx context.Context) (*Snapshot, error) {
	var err error
	if p.listing, err = p.list(ctx, p.model, p.revision); err != nil {
		return nil, err
	}
	names, err := checkpoint.NeededFiles(p.model, func(name string) bool {
		_, ok := p.listing.files[name]
		return ok
	}, func(name string) ([]byte, error) { return p.read(ctx, p.listing.files[name]) })
	if err != nil {
		return nil, err
	}
	s := &Snapshot{Model: p.model, Revision: p.revision, Commit: p.listing.commit, Directory: p.snapshot(p.listing.commit)}
	var missing []File
	for _, name := range names {
		f := p.listing.files[name]
		s.Files = append(s.Files, f)
		if p.find(s.Commit, f) == "" {
			missing = append(missing, f)
			p.total += f.Size
		}
	}
	if err := p.checkSpace(missing); err != nil {
		return nil, err
	}
	for _, f := range missing {
		if err := p.fetch(ctx, f); err != nil {
			return nil, err
		}
		p.finished += f.Size
	}
	for i, f := range s.Files {
		if err := p.link(s.Commit, f); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
		s.Files[i].Downloaded = p.fetched[f.Path]
	}
	// Last, so that a revision means its old commit until the new one is complete.
	return s, p.refer(p.revision, s.Commit)
}

// maxText bounds the files that say which others there are.
const maxText = 64 << 20

// read returns the contents of a small file, downloaded if need be.
func (p *puller) read(ctx context.Context, f File) ([]byte, error) {
	if f.Size > maxText {
		return nil, fmt.Errorf("%s: it has %d bytes, which is too long for what it should be", f.Path, f.Size)
	}
	if p.find(p.listing.commit, f) == "" {
		if err := p.fetch(ctx, f); err != nil {
			return nil, err
		}
	}
	return os.ReadFile(p.find(p.listing.commit, f))
}

// report tells of bytes of the present file, once it is known how many there are
// in all.
func (p *puller) report(at int64, waiting string) {
	p.at = at
	if p.progress != nil && p.total > 0 {
		p.progress(Progress{Done: p.finished + at, Total: p.total, Waiting: waiting})
	}
}

// checkSpace returns an error where files do not fit on the disk.
func (p *puller) checkSpace(files []File) error {
	needed := int64(0)
	for _, f := range files {
		needed += f.Size
		if info, err := os.Stat(p.blob(f) + incomplete); err == nil {
			needed -= min(info.Size(), f.Size)
		}
	}
	directory := p.folder
	for !exists(directory) && directory != filepath.Dir(directory) {
		directory = filepath.Dir(directory)
	}
	free, err := p.freeSpace(directory)
	if err != nil {
		return fmt.Errorf("cannot ask for the free space in %s: %w", directory, err)
	}
	if free >= 0 && free < needed {
		return fmt.Errorf("it needs %s more in %s, which has %s free: make room, or have the cache elsewhere, with HF_HOME",
			mebibytes(needed), directory, mebibytes(free))
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
