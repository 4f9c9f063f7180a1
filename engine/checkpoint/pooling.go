package checkpoint

// A Pooling makes one vector out of a sequence's hidden states h, one for each
// of its n tokens, [CLS] and [SEP] among them. Values are sentence-transformers'.
type Pooling string

const (
	CLS          Pooling = "cls"                  // h[0]
	Max          Pooling = "max"                  // the largest of each element
	Mean         Pooling = "mean"                 // sum of h[i], divided by n
	MeanSqrt     Pooling = "mean_sqrt_len_tokens" // sum of h[i], divided by sqrt(n)
	WeightedMean Pooling = "weightedmean"         // sum of (i+1)*h[i], divided by the sum of i+1
	LastToken    Pooling = "lasttoken"            // h[n-1]
)
