package viewer

import (
	"context"
	"errors"
	"image"
	"testing"

	"github.com/gazevk/gaze/tests/display"
	"github.com/gazevk/gaze/visualize/explore"
	"github.com/gazevk/gaze/vk"
)

// A there is a room of one cell.
type there struct{ *vk.Shared }

func (t there) Memory() (*vk.Shared, int) { return t.Shared, 0 }
func (t there) Release()                  {}
func (t there) Read(context.Context, int, int, int, int, int) ([]float32, error) {
	return nil, vk.ErrClosed
}

// A shower shows frames with a map, of one cell.
type shower struct {
	*session
	one explore.Map
}

func newShower(t *testing.T, opts ...vk.Option) *shower {
	t.Helper()
	device, err := vk.Open("auto")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { device.Close() })
	if !device.Adapter().Features.SharedMemory {
		t.Skipf("%s shares no memory", device.Adapter().Name)
	}
	shared, err := device.NewShared("cells", 4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shared.Close() })
	one := explore.Map{Box: image.Rect(0, 0, 1, 1), Columns: []uint32{0, 1}, Rows: []uint32{0, 1}, Room: there{shared}, Stride: 1}
	return &shower{start(t, display.Start(t, 640, 480), opts...), one}
}

// next shows another frame, with those maps if they can be read, and returns why they
// could not be so far.
func (s *shower) next(maps ...explore.Map) []error {
	s.t.Helper()
	s.lock.Lock()
	s.maps = maps
	s.lock.Unlock()
	s.show(noise(300, 200))
	s.window.Wake()
	s.screen.Await(s.t, s.shown())
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.unreadable
}

// Cells of a device that was closed stay for as long as frames show them; after that
// the window goes on without them.
func TestClosedCells(t *testing.T) {
	s := newShower(t)
	s.next(s.one)
	s.one.Room.(there).Close()
	s.next(s.one)
	if got := s.next(); len(got) > 0 {
		t.Errorf("unreadable: %v", got)
	}
	s.next(s.one)
	if got := s.next(); len(got) != 1 || !errors.Is(got[0], vk.ErrClosed) {
		t.Errorf("unreadable: %v", got)
	}
}

// A device that cannot draw maps shows frames without, if the app has some.
func TestUnreadableCells(t *testing.T) {
	s := newShower(t, vk.WithFaults(func(call string) error {
		if call == "vkCreateGraphicsPipelines" {
			return vk.ErrOutOfMemory
		}
		return nil
	}))
	s.next(s.one)
	if got := s.next(); len(got) != 1 || !errors.Is(got[0], vk.ErrOutOfMemory) {
		t.Errorf("unreadable: %v", got)
	}
	s.lock.Lock()
	s.stubborn, s.maps = true, []explore.Map{s.one}
	s.lock.Unlock()
	s.show(noise(300, 200))
	s.window.Wake()
	if err := <-s.ended; !errors.Is(err, vk.ErrOutOfMemory) {
		t.Errorf("an app that has no others: %v", err)
	}
	s.ended <- nil
}
