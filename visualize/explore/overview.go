package explore

import (
	"cmp"
	"fmt"
	"image"
	"image/color"
	"slices"
	"strings"

	"github.com/gazevk/gaze/visualize"
)

// An order sorts the heads of the overview.
type order struct {
	name string
	// key returns what sorts, the least first; nil leaves layers and heads as they are.
	key func(Summary) float64
}

// orders are all orders. Those by a share begin with the greatest.
var orders = []order{
	{"layer", nil},
	{"entropy", func(s Summary) float64 { return s.Entropy }},
	{"distance", func(s Summary) float64 { return s.Distance }},
	{"previous", byShare("previous")},
	{"next", byShare("next")},
	{"self", byShare("self")},
	{"first", byShare("first")},
	{"last", byShare("last")},
	{"copy", byShare("copy")},
}

func byShare(name string) func(Summary) float64 {
	return func(s Summary) float64 {
		for _, share := range s.Roles {
			if share.Name == name {
				return -share.Share
			}
		}
		return 0
	}
}

// Orders returns the names of all orders of the overview.
func Orders() (names []string) {
	for _, o := range orders {
		names = append(names, o.name)
	}
	return names
}

func (e *Explorer) orderAt() int {
	return max(slices.IndexFunc(orders, func(o order) bool { return o.name == e.Order }), 0)
}

func (e *Explorer) nextOrder() {
	e.Order = orders[(e.orderAt()+1)%len(orders)].name
	e.scroll = 0
	e.screen = overviewScreen
}

// ordered returns all heads in the order of the overview. Those that are not
// known yet come last.
func (e *Explorer) ordered() []head {
	var list []head
	for layer := range e.run.Layers {
		for h := range e.run.Heads {
			list = append(list, head{layer, h})
		}
	}
	key := orders[e.orderAt()].key
	if key == nil {
		return list
	}
	keys := map[head]float64{}
	for _, h := range list {
		if s, ok := e.summary(h); ok {
			keys[h] = key(s)
		}
	}
	slices.SortStableFunc(list, func(a, b head) int {
		ka, okA := keys[a]
		kb, okB := keys[b]
		if okA != okB {
			if okA {
				return -1
			}
			return 1
		}
		return cmp.Compare(ka, kb)
	})
	return list
}

// summary returns what a head amounts to, once that is known.
func (e *Explorer) summary(h head) (Summary, bool) {
	if e.run == nil || h.layer == mean || h.head == mean {
		return Summary{}, false
	}
	summaries, ok := need[[]Summary](e.store, summaryPart{e.run, h.layer})
	if !ok || h.head >= len(summaries) {
		return Summary{}, false
	}
	return summaries[h.head], true
}

// A gallery says where the thumbnails of the overview are.
type gallery struct {
	columns, side, pitchX, pitchY, left, top int
}

func (e *Explorer) gallery() gallery {
	c, body := &e.canvas, e.layout.body
	g := gallery{columns: e.run.Heads} // a layer is a row
	if orders[e.orderAt()].key != nil {
		g.columns = max(body.Dx()/c.px(172), 1)
	}
	if most := max(body.Dx()/c.px(84), 1); g.columns > most {
		g.columns = most
	}
	between := c.px(12)
	g.side = min((body.Dx()-between*(g.columns-1)-c.px(40))/g.columns, c.px(220))
	rows := ceilDivide(len(e.run.Layers)*e.run.Heads, g.columns)
	caption := 2*c.height(smallRole) + c.px(10)
	if fits := (body.Dy() - rows*caption) / rows; fits > c.px(96) {
		g.side = min(g.side, fits) // all of them in sight
	}
	g.side = max(g.side, c.px(24))
	g.pitchX, g.pitchY = g.side+between, g.side+caption
	g.left = body.Min.X + max((body.Dx()-g.columns*g.pitchX+between)/2, 0)
	lowest := max(rows*g.pitchY+c.px(3)-body.Dy(), 0)
	e.scroll = min(max(e.scroll, 0), lowest)
	g.top = body.Min.Y + c.px(3) - e.scroll
	return g
}

func (g gallery) box(i int) image.Rectangle {
	at := image.Pt(g.left+i%g.columns*g.pitchX, g.top+i/g.columns*g.pitchY)
	return image.Rectangle{Min: at, Max: at.Add(image.Pt(g.side, g.side))}
}

// thumbnailAt returns the head whose thumbnail is at a point.
func (e *Explorer) thumbnailAt(at image.Point) (head, bool) {
	if e.run == nil || !at.In(e.layout.body) {
		return head{}, false
	}
	g := e.gallery()
	for i, h := range e.ordered() {
		if at.In(g.box(i)) {
			return h, true
		}
	}
	return head{}, false
}

// hovered returns the head under the mouse in the overview, or the selected one.
func (e *Explorer) hovered() head {
	if h, ok := e.thumbnailAt(e.mouse); ok {
		return h
	}
	return e.shown()
}

// walk moves the selection of the overview.
func (e *Explorer) walk(dx, dy int) {
	e.arrange()
	g, list := e.gallery(), e.ordered()
	at := max(slices.Index(list, e.shown()), 0)
	if to := at + dx + dy*g.columns; to >= 0 && to < len(list) {
		at = to
	}
	e.Layer, e.Head = list[at].layer, list[at].head
	e.following = false
	box := g.box(at)
	if over := box.Max.Y + g.pitchY - g.side - e.layout.body.Max.Y; over > 0 {
		e.scroll += over
	}
	if under := e.layout.body.Min.Y - box.Min.Y; under > 0 {
		e.scroll -= under
	}
}

// drawOverview draws the thumbnails of all heads.
func (e *Explorer) drawOverview() {
	c, body := &e.canvas, e.layout.body
	g := e.gallery()
	m, err := visualize.ColorMapByName(e.Colors)
	if err != nil {
		m = visualize.ColorMaps()[0]
	}
	n := len(e.run.Tokens)
	// One range for all, so that they can be compared: from a fraction of uniform
	// attention to all of it.
	how := coloring{visualize.Log, visualize.Range{Low: min(0.25/float64(n), 0.01), High: 1}}
	under, hovering := e.thumbnailAt(e.mouse)
	for i, h := range e.ordered() {
		box := g.box(i)
		if box.Max.Y+g.pitchY-g.side <= body.Min.Y || box.Min.Y >= body.Max.Y {
			continue
		}
		clip := box.Intersect(body)
		c.fill(clip, panelPaper, 0xff)
		if tiles, ok := need[[]*tile](e.store, thumbnailPart{e.run, h.layer}); ok {
			v := view{n: n, box: box, scale: float64(g.side) / float64(n)}
			t := tiles[h.head]
			if float64(t.cell)*v.scale < 1 {
				c.paintSmall(clip, box, t, how, &m.Colors)
			} else {
				c.paint(clip, &v, t, how, &m.Colors)
			}
			c.drawSequences(e.run, &v, t.cell, clip)
		}
		switch {
		case h == e.shown():
			c.frame(body, box, c.px(2), accentInk)
		case hovering && h == under:
			c.frame(body, box, c.px(1), ink)
		}
		name := fmt.Sprintf("L%d H%d", h.layer, h.head)
		if e.run.Alone {
			name = fmt.Sprintf("head %d", h.head)
		}
		y := box.Max.Y + c.px(3)
		c.writeIn(body, smallRole, ink, c.shorten(smallRole, name, g.side), box.Min.X, y)
		if s, ok := e.summary(h); ok {
			what := s.caption(e.Order)
			of := quietInk
			if slices.ContainsFunc(s.Sums, wrong) {
				what, of = "rows do not add up", alarmInk
			}
			c.writeIn(body, smallRole, of, c.shorten(smallRole, what, g.side), box.Min.X, y+c.height(smallRole))
		}
	}
}

// frame is outline within a box.
func (c *canvas) frame(clip, box image.Rectangle, width int, of color.RGBA) {
	outer := box.Inset(-width)
	for _, side := range []image.Rectangle{
		image.Rect(outer.Min.X, outer.Min.Y, outer.Max.X, box.Min.Y), image.Rect(outer.Min.X, box.Max.Y, outer.Max.X, outer.Max.Y),
		image.Rect(outer.Min.X, box.Min.Y, box.Min.X, box.Max.Y), image.Rect(box.Max.X, box.Min.Y, outer.Max.X, box.Max.Y),
	} {
		c.fill(side.Intersect(clip), of, 0xff)
	}
}

// caption returns what is most remarkable about a head, or what orders it.
func (s Summary) caption(order string) string {
	for _, role := range s.Roles {
		if role.Name == order {
			return fmt.Sprintf("%s %.0f %%", shortNames[role.Name], 100*role.Share)
		}
	}
	if role, ok := s.strongest(); ok && order == orders[0].name {
		return fmt.Sprintf("%s %.0f %%", shortNames[role.Name], 100*role.Share)
	}
	return fmt.Sprintf("%.1f bits, %.*f away", s.Entropy, decimals(s.Distance), s.Distance)
}

func decimals(distance float64) int {
	if distance >= 100 {
		return 0
	}
	return 1
}

// strongest returns the role that takes most of a head's attention, if that is
// much of it.
func (s Summary) strongest() (best Share, ok bool) {
	const much = 0.3
	for _, role := range s.Roles {
		if role.Share > best.Share {
			best = role
		}
	}
	return best, best.Share >= much
}

// roleNames say what a role's name means.
var roleNames = map[string]string{
	"previous": "previous token", "next": "next token", "self": "itself", "first": "first token", "last": "last token", "copy": "same token elsewhere",
}

// shortNames are those of captions.
var shortNames = map[string]string{
	"previous": "previous", "next": "next", "self": "itself", "first": "first token", "last": "last token", "copy": "same token",
}

// describe says what a head does, in a line.
func (e *Explorer) describe(h head) string {
	s, ok := e.summary(h)
	if !ok {
		return e.headName(h)
	}
	parts := []string{e.headName(h), fmt.Sprintf("entropy %.2f bits", s.Entropy), fmt.Sprintf("mean distance %.*f", decimals(s.Distance), s.Distance)}
	for _, role := range s.Roles {
		if role.Share >= 0.05 {
			parts = append(parts, fmt.Sprintf("%s %.0f %%", roleNames[role.Name], 100*role.Share))
		}
	}
	return strings.Join(parts, " · ")
}
