package visualize

// A Measure says what of each weight a [Map] holds.
type Measure int

const (
	// Weight is the softmax weight itself: the n visible weights of a row sum to 1.
	Weight Measure = iota
	// RowMaximum is the weight divided by the greatest of its row, so that rows
	// which spread their attention show their structure as well as those which
	// do not. A row whose weights are all 0 holds zeros.
	RowMaximum
	// Lift is the weight times the number of keys that its query sees: how many
	// times more than an even spread, 1 where it is even. It makes patterns that
	// show few keys comparable with those that show many.
	Lift
	// Difference is a weight minus another, of either sign.
	Difference
)

var measureNames = []string{"weight", "row_maximum", "lift", "difference"}

func (m Measure) String() string { return nameAt("measure", measureNames, int(m)) }

// MarshalText returns the name of m.
func (m Measure) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText sets m from a name; its error lists the names.
func (m *Measure) UnmarshalText(text []byte) error {
	choice, err := choiceOf("measure", measureNames, text)
	if err == nil {
		*m = Measure(choice)
	}
	return err
}

// Caption names the measure beside a colour bar.
func (m Measure) Caption() string {
	switch m {
	case RowMaximum:
		return "weight / greatest of its row"
	case Lift:
		return "lift over uniform attention"
	case Difference:
		return "difference of weights"
	default:
		return "attention weight"
	}
}

// of turns a weight, or a sum of weights, of one row into the measure, given the
// greatest of the row's visible weights and how many there are.
func (m Measure) of(weight float64, greatest float32, visible int) float64 {
	switch {
	case m == RowMaximum && greatest > 0:
		return weight / float64(greatest)
	case m == Lift:
		return weight * float64(visible)
	default:
		return weight
	}
}

// A Pooling says what one cell shows of the pairs it covers.
type Pooling int

const (
	// MaxPooling shows the greatest visible value, of a [Difference] the one of
	// the greatest magnitude: no strong pair is lost, however far one zooms out.
	MaxPooling Pooling = iota
	// MeanPooling shows the sum of the visible values divided by the number of
	// all pairs in the cell, masked ones included: a cell's share of the mass,
	// so that cells can be compared and added up.
	MeanPooling
)

var poolingNames = []string{"max", "mean"}

func (p Pooling) String() string { return nameAt("pooling", poolingNames, int(p)) }

// MarshalText returns the name of p.
func (p Pooling) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText sets p from a name; its error lists the names.
func (p *Pooling) UnmarshalText(text []byte) error {
	choice, err := choiceOf("pooling", poolingNames, text)
	if err == nil {
		*p = Pooling(choice)
	}
	return err
}
