package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// HubCache returns the directory in which Hugging Face tools keep what they
// have downloaded: HF_HUB_CACHE, or hub within HF_HOME, or huggingface/hub
// within XDG_CACHE_HOME or ~/.cache.
func HubCache() (string, error) {
	home, homeError := os.UserHomeDir()
	expand := func(path string) string {
		if path == "~" || strings.HasPrefix(path, "~/") {
			path = home + path[1:]
		}
		return os.ExpandEnv(path)
	}
	for _, name := range []string{"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"} { // the second is older
		if path := os.Getenv(name); path != "" {
			return expand(path), nil
		}
	}
	if path := os.Getenv("HF_HOME"); path != "" {
		return filepath.Join(expand(path), "hub"), nil
	}
	if path := os.Getenv("XDG_CACHE_HOME"); path != "" {
		return filepath.Join(expand(path), "huggingface", "hub"), nil
	}
	if homeError != nil {
		return "", fmt.Errorf("cannot find the Hugging Face cache: %w; set HF_HOME", homeError)
	}
	return filepath.Join(home, ".cache", "huggingface", "hub"), nil
}

// A name of the hub: organization/model, of old the model alone, and after an
// @ the revision: a branch, a tag or a commit.
var hubName = regexp.MustCompile(`^((?:[0-9A-Za-z][0-9A-Za-z._-]*/)?[0-9A-Za-z][0-9A-Za-z._-]*)(?:@([0-9A-Za-z][0-9A-Za-z._/-]*))?$`)

// Locate returns the directory of a model: path itself where it is one, else
// the snapshot of the hub's model of that name in the Hugging Face cache.
// Names are "organization/model" and "organization/model@revision", where the
// revision, by default main, is a branch, a tag or a commit. Nothing is
// downloaded.
func Locate(path string) (string, error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return path, nil
	}
	if err == nil {
		return "", fmt.Errorf("cannot open model %s: it is a file; expected the directory that has config.json", path)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("cannot open model: %w", err)
	}
	parts := hubName.FindStringSubmatch(path)
	if parts == nil || strings.Contains(path, "..") || strings.Contains(parts[1], "--") {
		return "", fmt.Errorf("cannot open model %s: there is no such directory, and it is no name of a model on the Hugging Face hub", path)
	}
	cache, err := HubCache()
	if err != nil {
		return "", fmt.Errorf("cannot open model %s: there is no such directory; %w", path, err)
	}
	name, revision := parts[1], parts[2]
	if revision == "" {
		revision = "main"
	}
	return snapshot(filepath.Join(cache, "models--"+strings.ReplaceAll(name, "/", "--")), name, revision)
}

// snapshot returns the directory of a revision in repository, a model's folder
// in the cache: refs/REVISION holds the commit that a branch or tag points at,
// snapshots/COMMIT the files.
func snapshot(repository, name, revision string) (string, error) {
	if _, err := os.Stat(repository); err != nil {
		return "", fmt.Errorf("cannot open model %s: there is no such directory, and the Hugging Face cache has no %s; download it first", name, repository)
	}
	commit := revision
	reference := filepath.Join(repository, "refs", filepath.FromSlash(revision))
	if info, err := os.Stat(reference); err == nil && info.Mode().IsRegular() {
		text, err := directory(filepath.Dir(reference)).text(filepath.Base(reference))
		if err != nil {
			return "", fmt.Errorf("cannot open model %s: %w", name, err)
		}
		commit = strings.TrimSpace(string(text))
	}
	if !plainName.MatchString(commit) {
		return "", fmt.Errorf("cannot open model %s: the cache has no revision %q of it in %s", name, revision, repository)
	}
	directory := filepath.Join(repository, "snapshots", commit)
	if info, err := os.Stat(directory); err != nil || !info.IsDir() {
		return "", fmt.Errorf("cannot open model %s: the cache has no revision %q of it: expected the directory %s; download it first", name, revision, directory)
	}
	return directory, nil
}

// plainName matches the name of a folder that cannot lead elsewhere.
var plainName = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z_-]*$`)
