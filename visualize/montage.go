package visualize

import (
	"fmt"
	"image"
	"math"
)

// A Montage is a contact sheet: several maps on one page, each under the title
// and subtitle of its picture.
type Montage struct {
	Title    string
	Subtitle string
	Pictures []Picture // their Size and Density are not used
	Columns  int       // 0: about as many as rows, and three maps side by side
	// CommonRange gives all maps the same colours for the same values, and the
	// page one colour bar. The pictures must then agree in measure, scale and
	// colour map. Without it each map has its own range and bar.
	CommonRange bool
	Range       Range // of CommonRange; the zero value: automatic over all maps
	Size        int   // about the side of one map; 0: DefaultMontageSize
	Density     int   // as in Picture
}

// DefaultMontageSize is the Size of a montage that gives none.
const DefaultMontageSize = 300

// mostPanels keeps a montage at a size that can be looked at.
const mostPanels = 1024

const (
	panelGapAcross = 40
	panelGapDown   = 30
)

// Draw returns the montage, or what makes it impossible to draw.
func (m Montage) Draw() (*image.RGBA, error) {
	density, err := checkSize(&m.Size, DefaultMontageSize, m.Density)
	if err != nil {
		return nil, err
	}
	t, err := newTypesetter(density)
	if err != nil {
		return nil, err
	}
	s, err := m.layout(t)
	if err != nil {
		return nil, err
	}
	if s.size.X > largestPixels*largestPixels/s.size.Y {
		return nil, fmt.Errorf("montage of %d x %d pixels: choose fewer maps, a smaller size or a smaller density", s.size.X, s.size.Y)
	}
	return s.draw(t), nil
}

// A sheet is a montage whose panels are prepared: the grid they share.
type sheet struct {
	panels  []panel
	bars    []bar // one a panel, or one for all
	headers []header
	columns int
	left    int   // room for the axis of queries, in every column
	right   int   // room for a panel's own bar, in every column
	width   int   // of the widest map
	top     []int // by row of the grid: height of its highest header
	height  []int // by row of the grid: height of its highest map
}

func (m Montage) layout(t *typesetter) (*scene, error) {
	g, err := m.sheet(t)
	if err != nil {
		return nil, err
	}
	s := &scene{}
	left := t.px(margin)
	cell := g.left + g.width + g.right
	right := left + max(g.columns*cell+(g.columns-1)*t.px(panelGapAcross), t.px(smallestWidth))
	gridRight := right
	if m.CommonRange {
		right += t.px(barGap) + g.bars[0].width(t)
	}
	y := placeHeader(t, s, header{titleRole, m.Title, m.Subtitle, ""}, left+g.left, t.px(margin), right)
	if m.CommonRange {
		g.bars[0].place(t, s, gridRight+t.px(barGap), y+g.top[0])
	}
	for i, p := range g.panels {
		column, row := i%g.columns, i/g.columns
		if i > 0 && column == 0 {
			y += g.top[row-1] + g.height[row-1] + p.below(t) + t.px(panelGapDown)
		}
		at := image.Pt(left+column*(cell+t.px(panelGapAcross))+g.left, y+g.top[row])
		h := g.headers[i]
		placeHeader(t, s, h, at.X, at.Y-h.height(t, g.width+g.right), at.X+g.width+g.right)
		p.place(t, s, at)
		if !m.CommonRange {
			g.bars[i].place(t, s, at.X+p.size().X+t.px(barGap)/2, at.Y)
		}
	}
	last := len(g.height) - 1
	y += g.top[last] + g.height[last] + g.panels[0].below(t) + t.px(18)
	items := append(newLegend(t, g.panels), legendItem{nil, "queries down, keys across"})
	if cells := g.panels[0].m; g.alike() && cells.Cell > 1 {
		items = append(items, legendItem{nil, "each cell the " + cells.String()})
	}
	if m.CommonRange {
		items = append(items, rangeItem(g.panels[0]))
	}
	y = placeLegend(t, s, items, left+g.left, y, right)
	s.size = image.Pt(right+t.px(margin), y+t.px(margin))
	return s, nil
}

// sheet prepares the panels and measures the grid.
func (m Montage) sheet(t *typesetter) (*sheet, error) {
	if len(m.Pictures) < 1 || len(m.Pictures) > mostPanels {
		return nil, fmt.Errorf("montage of %d maps: from 1 to %d are needed", len(m.Pictures), mostPanels)
	}
	if m.Columns < 0 {
		return nil, fmt.Errorf("montage of %d columns: at least 1 is needed, or 0 to choose", m.Columns)
	}
	g := &sheet{columns: m.Columns}
	if g.columns == 0 && len(m.Pictures) <= 3 {
		g.columns = 3
	} else if g.columns == 0 {
		g.columns = int(math.Ceil(math.Sqrt(float64(len(m.Pictures)))))
	}
	g.columns = min(g.columns, len(m.Pictures))
	var maps []*Map
	for i, picture := range m.Pictures {
		p, err := picture.prepare(t, m.Size)
		if err != nil {
			return nil, fmt.Errorf("picture %d of the montage: %w", i, err)
		}
		g.panels = append(g.panels, p)
		maps = append(maps, p.m)
	}
	if m.CommonRange {
		if err := m.share(g.panels, maps); err != nil {
			return nil, err
		}
	}
	for i, p := range g.panels {
		g.left = max(g.left, p.left(t))
		g.width = max(g.width, p.size().X)
		if i%g.columns == 0 {
			g.top, g.height = append(g.top, 0), append(g.height, 0)
		}
		row := len(g.height) - 1
		g.height[row] = max(g.height[row], p.size().Y)
		if !m.CommonRange {
			b := t.newBar(p, []*Map{p.m}, p.size().Y, false)
			g.bars = append(g.bars, b)
			g.right = max(g.right, t.px(barGap)/2+b.width(t))
		}
		h := header{captionRole, m.Pictures[i].Title, m.Pictures[i].Subtitle, ""}
		if p.m.Cell > 1 && !g.alike() {
			h.badge = p.m.String()
		}
		g.headers = append(g.headers, h)
	}
	for i, h := range g.headers {
		row := i / g.columns
		g.top[row] = max(g.top[row], h.height(t, g.width+g.right))
	}
	if m.CommonRange {
		g.bars = []bar{t.newBar(g.panels[0], maps, g.gridHeight(t), true)}
	}
	return g, nil
}

// alike reports whether all maps are pooled alike: then the legend says so once.
func (g *sheet) alike() bool {
	for _, p := range g.panels {
		if p.m.String() != g.panels[0].m.String() {
			return false
		}
	}
	return len(g.panels) > 1
}

// share gives all panels one range.
func (m Montage) share(panels []panel, maps []*Map) error {
	first := panels[0]
	for i, p := range panels {
		if p.m.Measure != first.m.Measure || p.scale != first.scale || *p.colors != *first.colors {
			return fmt.Errorf("picture %d of the montage shows %v on a %v scale in %s, but picture 0 %v on a %v scale in %s: for a common range all must agree",
				i, p.m.Measure, p.scale, p.colors.Name, first.m.Measure, first.scale, first.colors.Name)
		}
	}
	common, automatic := m.Range, m.Range == (Range{})
	if automatic {
		common = AutomaticRange(first.scale, maps...)
	}
	if err := common.Validate(first.scale); err != nil {
		return fmt.Errorf("montage: %w", err)
	}
	for i := range panels {
		panels[i].r, panels[i].automatic = common, automatic
	}
	return nil
}

// gridHeight returns the height from the top of the first map to the bottom of the last.
func (g *sheet) gridHeight(t *typesetter) int {
	height := g.height[0]
	for row := 1; row < len(g.height); row++ {
		height += g.panels[0].below(t) + t.px(panelGapDown) + g.top[row] + g.height[row]
	}
	return height
}
