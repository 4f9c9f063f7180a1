// Package explore is the interactive viewer without its window: it turns events
// into a view, says which parts of which maps that view needs, and draws frames.
// It is plain Go and needs neither a device nor a display.
package explore
