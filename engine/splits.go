package engine

// What the rule for splitting keys goes by. No GPU was at hand to measure it on
// (tests/results/LOG.md): it is reckoned from how long a tile of keys takes beside
// what it costs to start a dispatch.
const (
	coreGroups = 2  // workgroups that keep a core busy: one computes while another waits
	shareTiles = 4  // of keys that a share has at least: merging takes about as long as so many
	mostSplits = 16 // beyond, a share is short even where a single head of a long text is all
	mergedRows = 4  // that one workgroup of merge.comp joins
)

// busyGroups returns how many workgroups of attention keep the device busy.
func (t Traits) busyGroups() int {
	if t.Cores == 0 {
		return busyTiles
	}
	return coreGroups * t.Cores
}

// Splits returns among how many workgroups the keys of a tile of queries are split
// on a device with traits t. 1 is none: it follows from how many workgroups and tiles
// of keys there are, unless the shape says so, and from what the device can bind and
// dispatch.
func (f FusedAttention) Splits(t Traits) int {
	shape := t.AttentionShape(f)
	splits := shape.Splits
	if splits == 0 {
		splits = f.splitRule(t, shape)
	}
	groups := f.Map.QueryTile / shape.Rows
	if int(ceilDiv(f.Map.Rows, mergedRows)) > t.GroupCount[0] {
		return 1
	}
	fit := min(t.StorageRange/f.shareBytes(), int64(t.GroupCount[2]/groups))
	return int(max(min(int64(splits), fit), 1))
}

// splitRule splits so far that a device is busy, as long as a share of the mean tile
// of queries has enough to do. CPU drivers are busy with any few rows.
func (f FusedAttention) splitRule(t Traits, shape AttentionShape) int {
	if t.CPU {
		return 1
	}
	groups := f.Map.QueryTiles() * f.Heads * (f.Map.QueryTile / shape.Rows)
	tiles := len(f.Map.Tiles) / f.Map.QueryTiles()
	return min(t.busyGroups()/groups, tiles/shareTiles, mostSplits)
}

// shareBytes is the size of one share's output, of all heads.
func (f FusedAttention) shareBytes() int64 {
	return int64(f.Heads) * int64(f.Map.Rows) * int64(f.HeadDim) * F32.size()
}

// ScratchBytes returns the sizes of Shares and ShareLSE, which are 0 where no keys are split.
func (f FusedAttention) ScratchBytes(t Traits) (shares, lse int64) {
	splits := int64(f.Splits(t))
	if splits == 1 {
		return 0, 0
	}
	return splits * f.shareBytes(), splits * int64(f.Heads) * int64(f.Map.Rows) * 4
}

// Passes returns the dispatches that compute f on a device with traits t: one, or
// two where keys are split.
func (f FusedAttention) Passes(t Traits) []Pass {
	splits := f.Splits(t)
	if splits == 1 {
		return []Pass{f.pass(t)}
	}
	shares := f
	shares.OutPrecision, shares.Output, shares.LSE = F32, f.Shares, f.ShareLSE
	shares.Out, shares.LSEHead = Layout{Row: f.HeadDim, Head: f.Map.Rows * f.HeadDim}, f.Map.Rows
	pass := shares.pass(t)
	pass.Constants["SPLITS"] = uint32(splits)
	pass.Groups[2] *= uint32(splits)
	pass.Bytes += int64(splits-1) * (f.shareBytes() + 4*int64(f.Heads)*int64(f.Map.Rows))
	merge := Merge{Heads: f.Heads, HeadDim: f.HeadDim, Rows: f.Map.Rows, Splits: splits, Shares: f.Shares, ShareLSE: f.ShareLSE,
		OutPrecision: f.OutPrecision, Out: f.Out, LSEHead: f.LSEHead, Output: f.Output, LSE: f.LSE}
	return []Pass{pass, merge.Pass()}
}

// A Merge joins the shares of keys that fused attention was split into, by their
// log-sum-exps (shaders/merge.comp).
type Merge struct {
	Heads, HeadDim, Rows int
	Splits               int
	Shares               Ref // [Heads, Splits, Rows, HeadDim] f32
	ShareLSE             Ref // [Heads, Splits, Rows] f32
	OutPrecision         Precision
	Out                  Layout
	LSEHead              int // elements between two heads' first log-sum-exp
	Output, LSE          Ref
}

// Pass returns the dispatch that computes m.
func (m Merge) Pass() Pass {
	rows, width := int64(m.Heads)*int64(m.Rows), int64(m.HeadDim)
	return Pass{
		Kernel:       "merge_" + string(m.OutPrecision),
		Constants:    map[string]uint32{"SPLITS": uint32(m.Splits)},
		Push:         map[string]any{"rows": m.Rows, "groups": m.HeadDim / 4, "out_row": m.Out.Row / 4, "out_head": m.Out.Head / 4, "lse_head": m.LSEHead},
		Bind:         []Ref{m.Shares, m.ShareLSE, m.Output, m.LSE},
		Groups:       [3]uint32{ceilDiv(m.Rows, mergedRows), uint32(m.Heads), 1},
		MultiplyAdds: rows * int64(m.Splits) * width,
		Bytes:        rows * (int64(m.Splits)*4*(width+1) + width*m.OutPrecision.size() + 4),
	}
}
