package main

import (
	"context"
	"image"
	"image/color"
	"time"

	"github.com/gazevk/gaze/visualize"
	"github.com/gazevk/gaze/visualize/explore"
)

// A film is the frames that a script shows, each complete, with the mouse.
type film struct {
	pictures visualize.Film
	kept     time.Duration // of the frame to come
}

// eventTime is how long a film shows what one event leads to.
const eventTime = 60 * time.Millisecond

// wait has the next frame stay.
func (f *film) wait(d time.Duration) { f.kept += d }

// add adds the frame as it is.
func (f *film) add(e *explore.Explorer) error {
	frame, _ := e.Frame(time.Now())
	shown, err := frame.Flatten(context.Background())
	if err != nil {
		return err
	}
	drawPointer(shown, e.Mouse())
	kept := f.kept + eventTime
	f.kept = 0
	return f.pictures.Add(shown, kept)
}

// write writes the film, which ends with the frame as it is.
func (f *film) write(e *explore.Explorer, path string) error {
	if err := f.add(e); err != nil {
		return err
	}
	return f.pictures.WriteFile(path)
}

// pointer is the mouse: # its edge, . its inside.
var pointer = []string{
	"#",
	"##",
	"#.#",
	"#..#",
	"#...#",
	"#....#",
	"#.....#",
	"#......#",
	"#.......#",
	"#........#",
	"#.....#####",
	"#..#..#",
	"#.# #..#",
	"##  #..#",
	"#    #..#",
	"     #..#",
	"      ##",
}

func drawPointer(frame *image.RGBA, at image.Point) {
	for y, line := range pointer {
		for x, what := range line {
			switch what {
			case '#':
				frame.SetRGBA(at.X+x, at.Y+y, color.RGBA{0, 0, 0, 0xff})
			case '.':
				frame.SetRGBA(at.X+x, at.Y+y, color.RGBA{0xff, 0xff, 0xff, 0xff})
			}
		}
	}
}
