package main

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/gazevk/gaze/engine"
)

// noDriver makes the loader find no driver at all.
func noDriver(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "none.json")
	t.Setenv("VK_DRIVER_FILES", nowhere)
	t.Setenv("VK_ICD_FILENAMES", nowhere) // its name in older loaders
}

func TestExplain(t *testing.T) {
	noDriver(t) // none is needed
	path := filepath.Join("testdata", "two.toml")
	golden(t, "explain.txt", mustCall(t, "explain", path))
	golden(t, "explain.json", mustCall(t, "explain", "--json", path))
	// One head leaves a device idle, unless its keys are split.
	one := call(context.Background(), "[attention]\nheads = 1\nhead_dim = 64\nsequences = [1024]\n[input]\nseed = 1\n", "explain", "-")
	golden(t, "explain-split.txt", one.out)
	if mustCall(t, "explain", "--device", "none", path) != mustCall(t, "explain", path) {
		t.Error("--device none is not the default")
	}
}

func TestExplainForDevice(t *testing.T) {
	text := mustCall(t, "explain", "testdata/two.toml", "--device", "0", "--json")
	var got struct {
		Plans []planDetails `json:"plans"`
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	var devices struct {
		Devices []deviceDetails `json:"devices"`
	}
	if err := json.Unmarshal([]byte(mustCall(t, "devices", "--json")), &devices); err != nil {
		t.Fatal(err)
	}
	first := devices.Devices[0]
	if len(got.Plans) != 2 || got.Plans[0].Device != first.Name || got.Plans[0].Tier != first.Tier {
		t.Errorf("the plan is for %q, tier %q; device 0 is %q, tier %q", got.Plans[0].Device, got.Plans[0].Tier, first.Name, first.Tier)
	}
}

// Every preset has a plan, from standard input too.
func TestExplainPresets(t *testing.T) {
	for _, line := range strings.Split(strings.TrimSpace(mustCall(t, "preset")), "\n") {
		name := strings.Fields(line)[0]
		text := mustCall(t, "preset", name)
		if strings.Contains(text, "\n[model]\n") { // any will do to plan it
			text = strings.Replace(text, `"builtin"`, strconv.Quote(tinyModel(t, "ModernBertForMaskedLM", map[string]any{"max_position_embeddings": 512})), 1)
		}
		got := call(context.Background(), text, "explain", "-")
		if got.status != statusOK || !strings.Contains(got.out, engine.AnyDevice.Device) || got.err != "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestDevices(t *testing.T) {
	text := mustCall(t, "devices")
	var got struct {
		Devices []deviceDetails `json:"devices"`
	}
	if err := json.Unmarshal([]byte(mustCall(t, "devices", "--json")), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Devices) == 0 {
		t.Fatal("no devices")
	}
	for i, d := range got.Devices {
		if d.Index != i || d.Name == "" || d.Tier == "" || d.Limits.StorageRange < 1<<27 || d.Limits.Invocations < 128 {
			t.Errorf("device %d is %+v", i, d)
		}
		for _, part := range []string{d.Name, d.Kind, d.Driver, d.Vulkan, string(d.Tier)} {
			if !strings.Contains(text, part) {
				t.Errorf("the table lacks %q:\n%s", part, text)
			}
		}
	}
}

func TestNoDriver(t *testing.T) {
	noDriver(t)
	for _, args := range []string{"devices", "devices --json", "run testdata/two.toml", "explain testdata/two.toml --device 0"} {
		before := listing(t, ".")
		got := call(context.Background(), "", strings.Fields(args)...)
		if got.status != statusFailure || got.out != "" || !strings.Contains(got.err, "no Vulkan device") {
			t.Errorf("gaze %s: %+v", args, got)
		}
		if after := listing(t, "."); after != before {
			t.Errorf("gaze %s left\n%s", args, after)
		}
	}
}
