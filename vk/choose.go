package vk

import (
	"fmt"
	"strconv"
	"strings"
)

// choose picks an adapter of a list that is not empty: "auto" (or nothing) the
// best kind that can be used, the first among equals; a number, that index;
// anything else, the one whose name or driver contains it.
func choose(list []Adapter, name string) (int, error) {
	if name == "" || strings.EqualFold(name, "auto") {
		best := 0
		for i, a := range list {
			better := a.Kind < list[best].Kind
			if usable := a.usable() == nil; usable != (list[best].usable() == nil) {
				better = usable
			}
			if better {
				best = i
			}
		}
		return best, nil
	}
	index, err := strconv.Atoi(name)
	if err == nil && index >= 0 && index < len(list) {
		return index, nil
	}
	var found []Adapter
	for _, a := range list {
		if strings.Contains(strings.ToLower(a.Name+" "+a.Driver), strings.ToLower(name)) {
			found = append(found, a)
		}
	}
	switch {
	case len(found) == 1:
		return found[0].Index, nil
	case err == nil:
		return 0, fmt.Errorf("vk: %w %d: there are %d, counted from 0: %s", ErrNoDevice, index, len(list), names(list))
	case len(found) > 1:
		return 0, fmt.Errorf("vk: %q matches several devices, name more of one or give its number: %s", name, names(found))
	}
	return 0, fmt.Errorf("vk: %w matches %q: there is %s", ErrNoDevice, name, names(list))
}

// chooseAble picks as choose does where that one is able, the best of the able
// ones where it is not, and -1 where none is.
func chooseAble(list []Adapter, able []bool, name string) (int, error) {
	index, err := choose(list, name)
	if err != nil || able[index] {
		return index, err
	}
	var rest []Adapter
	var places []int
	for i, a := range list {
		if able[i] {
			rest, places = append(rest, a), append(places, i)
		}
	}
	if len(rest) == 0 {
		return -1, nil
	}
	best, err := choose(rest, "auto")
	return places[best], err
}

func names(list []Adapter) string {
	words := make([]string, len(list))
	for i, a := range list {
		words[i] = fmt.Sprintf("%d: %s", a.Index, a.Name)
	}
	return strings.Join(words, "; ")
}
