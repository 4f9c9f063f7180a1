package load

import (
	"strings"
	"testing"

	"github.com/gazevk/gaze"
)

func TestRectangle(t *testing.T) {
	for text, want := range map[string]gaze.Rectangle{
		"1:5,2:9":     {Queries: gaze.Span{First: 1, End: 5}, Keys: gaze.Span{First: 2, End: 9}},
		" 1 : 5 ,2:9": {Queries: gaze.Span{First: 1, End: 5}, Keys: gaze.Span{First: 2, End: 9}},
		":5,2:":       {Queries: gaze.Span{End: 5}, Keys: gaze.Span{First: 2, End: 40}},
		":,:":         {Queries: gaze.Span{End: 40}, Keys: gaze.Span{End: 40}},
	} {
		if got, err := Rectangle(text, 40); err != nil || got != want {
			t.Errorf("%q is %v, %v; want %v", text, got, err, want)
		}
	}
	for _, bad := range []string{"", "1:2", "1,2", "1:2,3", "1:2,3:x", "1:2,3:4,5:6"} {
		if _, err := Rectangle(bad, 40); err == nil || !strings.Contains(err.Error(), "expected Q0:Q1,K0:K1") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestText(t *testing.T) {
	if got, err := Text(strings.NewReader("all of\nit"), "-", 1); err != nil || got != "all of\nit" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := Text(strings.NewReader(strings.Repeat("a", 1<<20)), "-", 1); err != nil {
		t.Error(err)
	}
	if _, err := Text(strings.NewReader(strings.Repeat("a", 1<<20+1)), "-", 1); err == nil || !strings.Contains(err.Error(), "over 1 MiB") {
		t.Errorf("%v", err)
	}
	if _, err := Text(nil, "no/such/file", 1); err == nil {
		t.Error("a file that is not there is read")
	}
}
