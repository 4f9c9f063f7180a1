package vk

import (
	"strings"
	"testing"
)

func adapter(index int, name, driver string, kind Kind) Adapter {
	a := Adapter{Index: index, Name: name, Driver: driver, Kind: kind, API: "1.3.0"}
	a.raw.version = 1<<22 | 3<<12
	return a
}

func TestChoose(t *testing.T) {
	list := []Adapter{
		adapter(0, "llvmpipe (LLVM 15.0.6, 256 bits)", "llvmpipe Mesa 22.3.6", CPU),
		adapter(1, "Intel(R) UHD Graphics 770", "Intel open-source Mesa driver", Integrated),
		adapter(2, "NVIDIA GeForce RTX 4070", "NVIDIA 550.54", Discrete),
		adapter(3, "AMD Radeon RX 7900 XTX (RADV NAVI31)", "radv Mesa 24.0", Discrete),
		adapter(4, "AMD Radeon RX 7900 XTX", "AMD proprietary driver", Discrete),
	}
	for _, c := range []struct {
		name string
		want int
		text string // of the error
	}{
		{"", 2, ""}, {"auto", 2, ""}, {"Auto", 2, ""},
		{"0", 0, ""}, {"4", 4, ""},
		{"intel", 1, ""}, {"RADV", 3, ""}, {"4070", 2, ""}, {"proprietary", 4, ""},
		{"radeon", 0, `"radeon" matches several devices, name more of one or give its number: 3: AMD Radeon RX 7900 XTX (RADV NAVI31); 4: AMD Radeon RX 7900 XTX`},
		{"arc", 0, `no Vulkan device matches "arc": there is 0: llvmpipe`},
		{"5", 0, "no Vulkan device 5: there are 5, counted from 0"}, {"-1", 0, "no Vulkan device -1"},
	} {
		got, err := choose(list, c.name)
		if c.text != "" {
			wantError(t, err, nil, c.text)
		} else if err != nil || got != c.want {
			t.Errorf("%q: %d, %v; want %d", c.name, got, err, c.want)
		}
	}
}

func TestChooseAmongKinds(t *testing.T) {
	kinds := []Kind{CPU, Other, Virtual, Integrated, Discrete}
	for i := range kinds {
		var list []Adapter
		for j, k := range kinds[:i+1] {
			list = append(list, adapter(j, k.String(), "", k))
		}
		if got, err := choose(list, "auto"); err != nil || got != i {
			t.Errorf("of %s: %d, %v", names(list), got, err)
		}
	}
}

func TestChooseAble(t *testing.T) {
	list := []Adapter{adapter(0, "llvmpipe", "", CPU), adapter(1, "UHD Graphics", "", Integrated), adapter(2, "H100", "", Discrete), adapter(3, "A40", "", Discrete)}
	for _, c := range []struct {
		able string // by index
		name string
		want int
	}{
		{"0123", "auto", 2}, {"013", "auto", 3}, {"01", "auto", 1}, {"0", "auto", 0}, {"", "auto", -1},
		{"0123", "llvmpipe", 0}, {"01", "h100", 1}, {"03", "2", 3}, {"1", "llvmpipe", 1}, {"", "h100", -1},
	} {
		able := make([]bool, len(list))
		for i := range able {
			able[i] = strings.ContainsRune(c.able, rune('0'+i))
		}
		if got, err := chooseAble(list, able, c.name); err != nil || got != c.want {
			t.Errorf("of %q, %q: %d, %v; want %d", c.able, c.name, got, err, c.want)
		}
	}
	_, err := chooseAble(list, make([]bool, len(list)), "no such card")
	wantError(t, err, ErrNoDevice, `matches "no such card"`)
}

func TestUnusableAdapters(t *testing.T) {
	old, blind := adapter(0, "Old GPU", "", Discrete), adapter(1, "Copy engine", "", Discrete)
	old.raw.version, old.API = 1<<22|3, "1.0.3"
	blind.raw.family = -1
	wantError(t, old.usable(), ErrNotSupported, "Old GPU speaks Vulkan 1.0.3; 1.1.0 or later is needed")
	wantError(t, blind.usable(), ErrNotSupported, "Copy engine has no queue that computes")
	list := []Adapter{old, blind, adapter(2, "llvmpipe", "", CPU)}
	if got, err := choose(list, "auto"); err != nil || got != 2 {
		t.Errorf("auto took %d, %v; only 2 can be used", got, err)
	}
	if got, err := choose(list, "old"); err != nil || got != 0 {
		t.Errorf("%d, %v: whoever names a device gets it, or its error", got, err)
	}
}

func TestOpenUnknownDevice(t *testing.T) {
	_, err := Open("a device that nobody makes")
	wantError(t, err, ErrNoDevice, "matches")
	if err != nil && !strings.Contains(err.Error(), "0: ") {
		t.Errorf("%v: it does not say what there is", err)
	}
}
