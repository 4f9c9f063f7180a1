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
// have downloaded: HF_HUB_CACHE, or hub within [HubHome].
func HubCache() (string, error) {
	for _, name := range []string{"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"} { // the second is older
		if path := os.Getenv(name); path != "" {
			return expand(path), nil
		}
	}
	home, err := HubHome()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, "hub"), nil
}

// HubHome returns the directory that Hugging Face tools have for a user:
// HF_HOME, or huggingface within XDG_CACHE_HOME or ~/.cache.
func HubHome() (string, error) {
	if path := os.Getenv("HF_HOME"); path != "" {
		return expand(path), nil
	}
	if path := os.Getenv("XDG_CACHE_HOME"); path != "" {
		return filepath.Join(expand(path), "huggingface"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("cannot find the Hugging Face cache: %w; set HF_HOME", err)
	}
	return filepath.Join(home, ".cache", "huggingface"), nil
}

// expand replaces ~ and variables, as Python does for these paths.
func expand(path string) string {
	if home, err := os.UserHomeDir(); err == nil && (path == "~" || strings.HasPrefix(path, "~/")) {
		path = home + path[1:]
	}
	return os.ExpandEnv(path)
}

// A name of the hub: organization/model, of old the model alone, and after an
// @ the revision: a branch, a tag or a commit.
var hubName = regexp.MustCompile(`^((?:[0-9A-Za-z][0-9A-Za-z._-]*/)?[0-9A-Za-z][0-9A-Za-z._-]*)(?:@([0-9A-Za-z][0-9A-Za-z._/-]*))?$`)

// ParseHubName splits the name of a model on the Hugging Face hub:
// "organization/model" or "organization/model@revision", where the revision, by
// default main, is a branch, a tag or a commit.
func ParseHubName(name string) (model, revision string, err error) {
	parts := hubName.FindStringSubmatch(name)
	if parts == nil || strings.Contains(name, "..") || strings.Contains(parts[1], "--") {
		return "", "", errors.New("it is no name of a model on the Hugging Face hub")
	}
	model, revision = parts[1], parts[2]
	if revision == "" {
		revision = "main"
	}
	return model, revision, nil
}

// HubFolder returns the name of the folder that a cache has for a model.
func HubFolder(model string) string { return "models--" + strings.ReplaceAll(model, "/", "--") }

// Locate returns the directory of a model: path itself where it is one, else
// the snapshot of the hub's model of that name, as [ParseHubName] has it, in the
// Hugging Face cache. Nothing is downloaded.
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
	model, revision, err := ParseHubName(path)
	if err != nil {
		return "", fmt.Errorf("cannot open model %s: there is no such directory, and %w", path, err)
	}
	cache, err := HubCache()
	if err != nil {
		return "", fmt.Errorf("cannot open model %s: there is no such directory; %w", path, err)
	}
	return snapshot(filepath.Join(cache, HubFolder(model)), path, revision)
}

// snapshot returns the directory of a revision in repository, a model's folder
// in the cache: refs/REVISION holds the commit that a branch or tag points at,
// snapshots/COMMIT the files. name is what the user asked for.
func snapshot(repository, name, revision string) (string, error) {
	if _, err := os.Stat(repository); err != nil {
		return "", fmt.Errorf("cannot open model %s: there is no such directory, and the Hugging Face cache has no %s; to download it: gaze pull %s",
			name, repository, name)
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
		return "", fmt.Errorf("cannot open model %s: the cache has no revision %q of it in %s; to download it: gaze pull %s",
			name, revision, repository, name)
	}
	directory := filepath.Join(repository, "snapshots", commit)
	if info, err := os.Stat(directory); err != nil || !info.IsDir() {
		return "", fmt.Errorf("cannot open model %s: the cache has no revision %q of it: expected the directory %s; to download it: gaze pull %s",
			name, revision, directory, name)
	}
	return directory, nil
}

// plainName matches the name of a folder that cannot lead elsewhere.
var plainName = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z_-]*$`)
