package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/gazevk/gaze/engine/builtin"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/checkpoint/hub"
	"github.com/gazevk/gaze/engine/tokenizer"
)

// A pulledFile is a file of a model in the cache. Its hash is git's where it
// lies in git itself.
type pulledFile struct {
	Path       string `json:"path"`
	Size       int64  `json:"size"`
	Hash       string `json:"hash"`
	Downloaded bool   `json:"downloaded"`
}

var pullCommand = &command{
	name:     "pull",
	operands: "NAME[@REVISION]",
	required: 1,
	allowed:  1,
	summary:  "download a model from the Hugging Face hub",
	details: "It downloads what gaze reads of the model into the Hugging Face cache, which Python's\n" +
		"huggingface_hub shares: configuration, tokenizer and safetensors. Every file is checked\n" +
		"against the hub's hash, and an interrupted download goes on where it was. After that\n" +
		"--model NAME opens it. A REVISION is a branch, a tag or a commit; without one it is main.\n" +
		"\n" +
		"HF_TOKEN, or the token of \"hf auth login\", opens private and gated models. HF_HOME or\n" +
		"HF_HUB_CACHE moves the cache, HF_ENDPOINT names another hub, HTTPS_PROXY a proxy.",
	example: "gaze pull answerdotai/ModernBERT-base\n" +
		"gaze pull nomic-ai/modernbert-embed-base@main --json",
	setup: func(flags *flag.FlagSet) action {
		cache := flags.String("cache", "", "keep it in the cache at `DIRECTORY`; --model then needs the path that is printed")
		asJSON := flags.Bool("json", false, "print what was fetched as JSON")
		return func(ctx context.Context, s streams, operands []string) error {
			name := operands[0]
			if name == builtin.Name {
				return usageError{errors.New("builtin is part of gaze: there is nothing to download; use --model builtin")}
			}
			if _, _, err := checkpoint.ParseHubName(name); err != nil {
				return usageError{fmt.Errorf("%q: %w: expected organization/model or organization/model@revision", name, err)}
			}
			snapshot, err := pullModel(ctx, s, name, *cache)
			if err != nil {
				return err
			}
			if err := opens(snapshot.Directory); err != nil {
				fmt.Fprintf(s.err, "gaze: warning: gaze cannot use this model: %v\n", err)
			}
			if *asJSON {
				return s.printJSON(describePull(snapshot))
			}
			return s.print(pullText(snapshot))
		}
	},
}

func pullModel(ctx context.Context, s streams, name, cache string) (*hub.Snapshot, error) {
	t := transfer{bar: newProgress(s, "")}
	defer t.bar.clear()
	return hub.Pull(ctx, name, hub.Options{Cache: cache, Progress: t.show})
}

// A transfer shows how a download goes.
type transfer struct {
	bar  *progress
	pace pace
}

func (t *transfer) show(p hub.Progress) {
	if t.bar == nil {
		return
	}
	t.pace.add(time.Now(), p.Done)
	t.bar.name = transferText(p, t.pace.rate())
	if p.Waiting != "" {
		t.bar.shown = time.Time{} // at once, because nothing more will come for a while
	}
	t.bar.show(float64(p.Done) / float64(max(p.Total, 1)))
}

// transferText is what stands behind the bar. Both fit on a line of 80.
func transferText(p hub.Progress, rate float64) string {
	const most = 43
	if p.Waiting != "" {
		if runes := []rune(p.Waiting); len(runes) > most {
			return string(runes[:most-1]) + "…"
		}
		return p.Waiting
	}
	text := size(p.Done) + " of " + size(p.Total)
	if rate > 0 {
		left := time.Duration(float64(p.Total-p.Done) / rate * float64(time.Second))
		text += fmt.Sprintf(", %s/s, %v", size(int64(rate)), left.Round(time.Second))
	}
	return text
}

// A pace is how fast a count has grown lately.
type pace struct{ marks []mark }

type mark struct {
	at   time.Time
	done int64
}

// add takes note of a count. One that falls begins anew.
func (p *pace) add(now time.Time, done int64) {
	const step, span = 250 * time.Millisecond, 10 * time.Second
	if n := len(p.marks); n > 0 && done < p.marks[n-1].done {
		p.marks = nil
	} else if n > 0 && now.Sub(p.marks[n-1].at) < step {
		return
	}
	p.marks = append(p.marks, mark{now, done})
	for now.Sub(p.marks[0].at) > span {
		p.marks = p.marks[1:]
	}
}

// rate returns the growth in a second, 0 while it is not known.
func (p *pace) rate() float64 {
	if len(p.marks) < 2 {
		return 0
	}
	first, last := p.marks[0], p.marks[len(p.marks)-1]
	return float64(last.done-first.done) / last.at.Sub(first.at).Seconds()
}

// opens reads a model as commands do.
func opens(directory string) error {
	m, err := checkpoint.OpenModel(directory)
	if err != nil {
		return err
	}
	defer m.Close()
	_, err = tokenizer.Load(m.Directory)
	return err
}

func describePull(s *hub.Snapshot) any {
	files := make([]pulledFile, len(s.Files))
	for i, f := range s.Files {
		files[i] = pulledFile(f)
	}
	return struct {
		Model     string       `json:"model"`
		Revision  string       `json:"revision"`
		Commit    string       `json:"commit"`
		Directory string       `json:"directory"`
		Files     []pulledFile `json:"files"`
	}{s.Model, s.Revision, s.Commit, s.Directory, files}
}

// pullText lists what was downloaded. The directory stands on the last line, alone.
func pullText(s *hub.Snapshot) string {
	t := newTable("lr")
	count, bytes := 0, int64(0)
	for _, f := range s.Files {
		if f.Downloaded {
			t.add(f.Path, size(f.Size))
			count, bytes = count+1, bytes+f.Size
		}
	}
	what := fmt.Sprintf("%s %s (commit %s)", s.Model, s.Revision, s.Commit)
	if count == 0 {
		return fmt.Sprintf("%s is complete: nothing to download\n%s\n", what, s.Directory)
	}
	return fmt.Sprintf("%s\n%s: %d of %d files downloaded, %s\n%s\n", t, what, count, len(s.Files), size(bytes), s.Directory)
}
