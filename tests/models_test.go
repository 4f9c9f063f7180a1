package tests

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// modelCases are golden cases of engine/modernbert that are quick on every
// driver: each head, and most of what has a pass of its own.
const modelCases = "v4_flat|every_bias,_untied|silu|BF16|encoder_alone|one_label_of_the_first_token|three_labels_of_the_mean|" +
	"three_labels_of_each_token|question_answering|multiple_choice_of_the_first_token|multiple_choice_of_the_mean|head_dim_96"

// TestModels runs every head of the encoder on every driver, in each tier and
// precision, against what transformers computed, with the validation layer on
// and silent; and two of them with their keys split.
func TestModels(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "modernbert.test")
	if out, err := exec.Command("go", "test", "-c", "-o", binary, "../engine/modernbert").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	passed := regexp.MustCompile(`(?m)^ +--- PASS: Test(SplitKeys)?LikeTransformers/`)
	for name, tiers := range map[string][]string{"lavapipe": {"texels", "tiled"}, "swiftshader": {"lanes", "tiled"}, "lavapipe-coopmat": {"texels", "tiled", "matrix"}} {
		t.Run(name, func(t *testing.T) {
			d := findDriver(t, name)
			t.Parallel()
			c := d.command(binary, "-test.v", "-test.run", "^Test(SplitKeys)?LikeTransformers$/^("+strings.Join(tiers, "|")+")$/^(f32|f16)$/^("+modelCases+")$", "-validate")
			out, err := c.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if n := len(passed.FindAll(out, -1)); n != len(tiers)*2*14 {
				t.Errorf("%d cases ran, expected tiers %v, two precisions, 12 models and two of split keys", n, tiers)
			}
		})
	}
}

// TestMatrixUnits runs the engine's tests of kernels on matrix units on the driver
// that has them.
func TestMatrixUnits(t *testing.T) {
	d := findDriver(t, "lavapipe-coopmat")
	t.Parallel() // beside TestMatrixMutations, for both mostly compile, by one thread
	binary := filepath.Join(t.TempDir(), "engine.test")
	if out, err := exec.Command("go", "test", "-c", "-o", binary, "../engine").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const names = "TestTrialOfMatrixUnits|TestPathsAgree|TestSplitKeys"
	out, err := d.command(binary, "-test.v", "-test.run", "^("+names+")$").CombinedOutput()
	if err != nil || strings.Count(string(out), "--- PASS: ") != 3 {
		t.Errorf("%v\n%s", err, out)
	}
}
