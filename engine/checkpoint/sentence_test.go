package checkpoint

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sentence returns a new small model of sentence-transformers with those files.
// modules are "Type path" in order, after the transformer.
func sentence(t *testing.T, modules []string, files map[string]string) string {
	t.Helper()
	directory := random(t, "", RandomOptions{})
	list := `[{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"}`
	for i, module := range modules {
		kind, path, _ := strings.Cut(module, " ")
		list += fmt.Sprintf(`,{"idx":%d,"name":"%d","path":%q,"type":"sentence_transformers.somewhere.%s"}`, i+1, i+1, path, kind)
	}
	all := map[string]string{"modules.json": list + "]"}
	maps.Copy(all, files)
	for name, text := range all {
		path := filepath.Join(directory, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return directory
}

func dense(t *testing.T, directory, path string, outputs, inputs int, bias bool) {
	t.Helper()
	shapes := []TensorShape{{"linear.weight", []int{outputs, inputs}}}
	if bias {
		shapes = append(shapes, TensorShape{"linear.bias", []int{outputs}})
	}
	if err := WriteRandomTensors(filepath.Join(directory, path, weightsName), shapes, RandomOptions{}); err != nil {
		t.Fatal(err)
	}
}

// A directory with everything in it.
func TestEmbedding(t *testing.T) {
	directory := sentence(t, []string{"Pooling 1_Pooling", "Dense 2_Dense", "Dropout 3_Dropout", "Dense 4_Dense", "Normalize 5_Normalize"}, map[string]string{
		"1_Pooling/config.json": `{"word_embedding_dimension":64,"pooling_mode_cls_token":true,"pooling_mode_lasttoken":true,
			"pooling_mode_max_tokens":true,"pooling_mode_mean_tokens":false,"include_prompt":false,"strange":1}`,
		"2_Dense/config.json":       `{"in_features":192,"out_features":40,"bias":true,"activation_function":"torch.nn.modules.linear.Identity"}`,
		"4_Dense/config.json":       `{"in_features":40,"out_features":20,"bias":false}`,
		"5_Normalize/config.json":   `{"module_input_name":"sentence_embedding","module_output_name":"sentence_embedding"}`,
		"sentence_bert_config.json": `{"max_seq_length":77,"do_lower_case":true,"model_args":{"attn_implementation":"sdpa"},"modality_config":{"text":{}}}`,
		"config_sentence_transformers.json": `{"__version__":{},"prompts":{"query":"find: ","passage":null},"default_prompt_name":"query",
			"similarity_fn_name":"dot","truncate_dim":10,"new_key":1}`,
	})
	dense(t, directory, "2_Dense", 40, 192, true)
	dense(t, directory, "4_Dense", 20, 40, false)
	m := openModel(t, directory)
	e := m.Embedding
	if !slices.Equal(e.Pooling, []Pooling{CLS, Max, LastToken}) || e.IncludePrompt || !e.Normalize || e.Dimensions(64) != 20 {
		t.Errorf("%+v", e)
	}
	if len(e.Dense) != 2 || e.Dense[0].Activation != Identity || e.Dense[1].Activation != Tanh || e.Dense[1].Inputs != 40 {
		t.Errorf("dense layers %+v", e.Dense)
	}
	for i, want := range []int{40 * 192, 20 * 40} {
		if values, err := e.Dense[i].Weight.Float32(); err != nil || len(values) != want {
			t.Errorf("dense layer %d has %d weights, %v", i, len(values), err)
		}
	}
	if !slices.Equal(e.Dense[0].Bias.Shape, []int{40}) || e.Dense[1].Bias.Name != "" {
		t.Errorf("biases %v and %v", e.Dense[0].Bias.Shape, e.Dense[1].Bias.Name)
	}
	if !maps.Equal(e.Prompts, map[string]string{"query": "find: ", "passage": ""}) || e.DefaultPrompt != "query" {
		t.Errorf("prompts %q, default %q", e.Prompts, e.DefaultPrompt)
	}
	if e.MaxSequenceLength != 77 || !e.LowerCase || e.Similarity != Dot || e.TruncateTo != 10 {
		t.Errorf("%+v", e)
	}
	if want := []string{"1_Pooling/config.json: strange", "config_sentence_transformers.json: new_key"}; !slices.Equal(m.Ignored, want) {
		t.Errorf("ignored %q, expected %q", m.Ignored, want)
	}
}

func TestPooling(t *testing.T) {
	for config, want := range map[string][]Pooling{
		`{"embedding_dimension":64}`:                                     {Mean},
		`{"embedding_dimension":64,"pooling_mode":"cls"}`:                {CLS},
		`{"pooling_mode":["lasttoken","cls","weightedmean"]}`:            {LastToken, CLS, WeightedMean},
		`{"pooling_mode":"max","pooling_mode_cls_token":true}`:           {Max},
		`{"word_embedding_dimension":64,"pooling_mode_cls_token":false}`: {Mean},
		`{"pooling_mode_weightedmean_tokens":true,"pooling_mode_mean_sqrt_len_tokens":true,"pooling_mode_mean_tokens":true,"pooling_mode_max_tokens":true}`: {
			Max, Mean, MeanSqrt, WeightedMean},
	} {
		m := openModel(t, sentence(t, []string{"Pooling 1_Pooling"}, map[string]string{"1_Pooling/config.json": config}))
		e := m.Embedding
		if !slices.Equal(e.Pooling, want) || !e.IncludePrompt || e.Normalize || e.Similarity != Cosine || e.MaxSequenceLength != 0 || e.Dimensions(64) != 64*len(want) {
			t.Errorf("%s: %+v, expected %q", config, e, want)
		}
	}
}

func TestEmbeddingErrors(t *testing.T) {
	pooled := []string{"Pooling 1_Pooling"}
	withDense := append(slices.Clone(pooled), "Dense 2_Dense")
	for _, c := range []struct {
		modules []string
		file    string
		text    string
		want    string
	}{
		{nil, "", "", "modules.json: it has no Pooling"},
		{nil, "modules.json", "{}", "modules.json: it holds {}: expected a list of modules"},
		{nil, "modules.json", "[]", "expected a list of modules"},
		{nil, "modules.json", "[1]", "modules.json: module 0: it holds a JSON number"},
		{nil, "modules.json", `[{"type":"x.Pooling","path":""}]`, `module 0: type is "Pooling": expected Transformer`},
		{nil, "modules.json", `[{"type":"Transformer","path":"../other"}]`, `module 0: path names "../other": expected a path below`},
		{nil, "modules.json", `[{"type":"Transformer","path":"/etc"}]`, `names "/etc": expected a path below`},
		{nil, "modules.json", `[{"type":1}]`, `module 0: type is 1: expected a string`},
		{[]string{"WordWeights 1"}, "", "", `module 1: type is "WordWeights", which is not supported there`},
		{[]string{"Dense 2_Dense", "Pooling 1_Pooling"}, "", "", `module 1: type is "Dense", which is not supported there`},
		{[]string{"Pooling a", "Normalize b", "Dense c"}, "", "", `module 3: type is "Dense", which is not supported there`},
		{[]string{"Pooling a", "Pooling b"}, "", "", `module 2: type is "Pooling", which is not supported there`},
		{[]string{"SpladePooling 1"}, "", "", `type is "SpladePooling", which is not supported there`},
		{pooled, "1_Pooling/config.json", `{"word_embedding_dimension":768}`, "word_embedding_dimension is 768: the hidden states have 64 elements"},
		{pooled, "1_Pooling/config.json", `{"pooling_mode":"median"}`, `pooling_mode is "median": expected one or several of ["cls"`},
		{pooled, "1_Pooling/config.json", `{"pooling_mode":[]}`, "pooling_mode is []: expected"},
		{pooled, "1_Pooling/config.json", `{"pooling_mode":3}`, "pooling_mode is 3: expected"},
		{pooled, "1_Pooling/config.json", `{"pooling_mode_cls_token":1}`, "pooling_mode_cls_token is 1: expected true or false"},
		{pooled, "sentence_bert_config.json", `{"max_seq_length":0}`, "max_seq_length is 0"},
		{pooled, "sentence_bert_config.json", `{"transformer_task":"fill-mask"}`, `transformer_task is "fill-mask": expected "feature-extraction"`},
		{pooled, "sentence_bert_config.json", `{"query_length":32}`, "query_length is 32, which is not supported"},
		{pooled, "sentence_bert_config.json", `{"config_args":{"norm_eps":1}}`, "config_args.norm_eps is not supported"},
		{pooled, "config_sentence_transformers.json", `{"model_type":"SparseEncoder"}`, `model_type is "SparseEncoder": expected "SentenceTransformer" or "CrossEncoder"`},
		{pooled, "config_sentence_transformers.json", `{"model_type":"CrossEncoder"}`, `module 1: type is "Pooling": a CrossEncoder may only have a Transformer`},
		{pooled, "config_sentence_transformers.json", `{"prompts":{"a":1}}`, "prompts.a is 1: expected a string"},
		{pooled, "config_sentence_transformers.json", `{"default_prompt_name":"a"}`, `default_prompt_name is "a": expected the name of one of prompts`},
		{pooled, "config_sentence_transformers.json", `{"similarity_fn_name":"maxsim"}`, `similarity_fn_name is "maxsim": expected one of ["cosine"`},
		{pooled, "config_sentence_transformers.json", `{"truncate_dim":0}`, "truncate_dim is 0"},
		{append(slices.Clone(pooled), "Normalize 2"), "2/config.json", `{"module_input_name":"token_embeddings"}`, `module_input_name is "token_embeddings": expected "sentence_embedding"`},
		{withDense, "2_Dense/config.json", `{"in_features":65,"out_features":3}`, "in_features is 65 and out_features 3: expected both, and the 64 elements that come in"},
		{withDense, "2_Dense/config.json", `{"in_features":64}`, "in_features is 64 and out_features 0"},
		{withDense, "2_Dense/config.json", `{"in_features":64,"out_features":3,"activation_function":"mine.Act"}`, `activation_function is "mine.Act": of the classes of torch.nn, GELU, `},
		{withDense, "2_Dense/config.json", `{"in_features":64,"out_features":3,"use_residual":true}`, "use_residual is true"},
		{withDense, "2_Dense/config.json", `{"in_features":64,"out_features":3,"module_input_name":"token_embeddings"}`, `module_input_name is "token_embeddings"`},
		{withDense, "2_Dense/config.json", `{"in_features":64,"out_features":3}`, "2_Dense: 2 tensors are not as expected:\n  linear.bias: found [4], expected [3]\n  linear.weight: found [4 64], expected [3 64]"},
		{withDense, "2_Dense/config.json", `{"in_features":64,"out_features":4,"bias":false}`, "linear.bias: found [4], expected no such tensor"},
	} {
		files := map[string]string{"1_Pooling/config.json": "{}"}
		if c.file != "" {
			files[c.file] = c.text
		}
		directory := sentence(t, c.modules, files)
		if strings.HasPrefix(c.file, "2_Dense") {
			dense(t, directory, "2_Dense", 4, 64, true)
		}
		if m, err := OpenModel(directory); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), directory) {
			t.Errorf("%q, %s %s: %v, %v: expected an error with %q", c.modules, c.file, c.text, m, err, c.want)
		}
	}
	directory := sentence(t, withDense, map[string]string{"2_Dense/config.json": `{"in_features":64,"out_features":4}`, "2_Dense/pytorch_model.bin": ""})
	if _, err := OpenModel(directory); err == nil || !strings.Contains(err.Error(), "pytorch_model.bin, which can run code") {
		t.Errorf("a pickled layer: %v", err)
	}
}

func TestCrossEncoder(t *testing.T) {
	directory := sentence(t, nil, map[string]string{
		"config_sentence_transformers.json": `{"model_type":"CrossEncoder","activation_fn":"torch.nn.modules.linear.Identity","prompts":{},"default_prompt_name":null}`,
		"config.json":                       string(small(`"sentence_transformers":{"activation_fn":"torch.nn.modules.activation.Sigmoid"}`)),
	})
	if m := openModel(t, directory); m.Embedding != nil || m.Config.ScoreActivation != Identity || len(m.Ignored) > 0 {
		t.Errorf("%+v, %q, ignored %q", m.Embedding, m.Config.ScoreActivation, m.Ignored)
	}
}

// Old models keep the transformer in a folder of its own.
func TestTransformerInFolder(t *testing.T) {
	inner := random(t, "", RandomOptions{})
	root := t.TempDir()
	if err := os.Rename(inner, filepath.Join(root, "0_Transformer")); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"modules.json":                            `[{"type":"sentence_transformers.models.Transformer","path":"0_Transformer"},{"type":"a.Pooling","path":"1_Pooling"}]`,
		"1_Pooling/config.json":                   `{"pooling_mode_cls_token":true}`,
		"0_Transformer/sentence_bert_config.json": `{"max_seq_length":9}`,
	} {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	m := openModel(t, root)
	if m.Directory != filepath.Join(root, "0_Transformer") || m.Embedding.MaxSequenceLength != 9 || m.Embedding.Pooling[0] != CLS {
		t.Errorf("%s, %+v", m.Directory, m.Embedding)
	}
}

// A config may name a head that sentence-transformers never saved; a part of a
// head is an error still.
func TestEmbeddingWithoutItsHead(t *testing.T) {
	directory := sentence(t, []string{"Pooling 1_Pooling"}, map[string]string{
		"1_Pooling/config.json": "{}", "config.json": string(small(architecture(MaskedLM))),
	})
	if m := openModel(t, directory); m.Head != NoHead {
		t.Errorf("head is %v", m.Head)
	}
	rewrite(t, directory, added("head.norm.weight", 64), RandomOptions{})
	if _, err := OpenModel(directory); err == nil || !strings.Contains(err.Error(), "head.dense.weight: missing") {
		t.Errorf("with a part of the head: %v", err)
	}
}

func FuzzModules(f *testing.F) {
	f.Add([]byte(`[{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"},{"path":"1_Pooling","type":"Pooling"}]`))
	f.Add([]byte(`[{"path":"../x","type":"Transformer"}]`))
	f.Add([]byte(`[null]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		modules, err := parseModules(directory("root"), "modules.json", data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "modules.json: ") {
				t.Errorf("%v: expected the file first", err)
			}
			return
		}
		for _, m := range modules {
			if rest, err := filepath.Rel("root", m.in.path); err != nil || !filepath.IsLocal(rest) {
				t.Errorf("%q leads to %q", data, m.in.path)
			}
		}
	})
}

// Whatever the files beside the transformer say, there is an error that names one
// of them or an embedding that can be computed.
func FuzzEmbedding(f *testing.F) {
	pooling := `{"word_embedding_dimension":64,"pooling_mode_cls_token":true,"pooling_mode_max_tokens":true,"include_prompt":false}`
	dense := `{"in_features":128,"out_features":4,"bias":false,"activation_function":"torch.nn.modules.linear.Identity"}`
	transformer := `{"max_seq_length":77,"do_lower_case":true,"model_args":{"dtype":"float32"}}`
	settings := `{"prompts":{"query":"find: ","passage":null},"default_prompt_name":"query","similarity_fn_name":"dot","truncate_dim":3}`
	f.Add(pooling, dense, transformer, settings)
	f.Add(`{"pooling_mode":["cls","max"],"embedding_dimension":64}`, dense, `{}`, `{"model_type":"SentenceTransformer","x":[]}`)
	f.Add(`{"pooling_mode":"weightedmean"}`, strings.Replace(dense, "128", "64", 1), `{"query_length":{}}`, `{"truncate_dim":1e9}`)
	f.Add(pooling, strings.Replace(dense, "false", `false,"use_residual":true`, 1), `{"config_args":{"":1}}`, `{"model_type":"CrossEncoder","activation_fn":"torch.nn.Sigmoid"}`)
	f.Add(`null`, `[]`, `"`, `{"prompts":[1]}`)
	root := f.TempDir()
	modules := []module{{"Transformer", directory(root)}, {"Pooling", directory(filepath.Join(root, "1"))},
		{"Dense", directory(filepath.Join(root, "2"))}, {"Normalize", directory(filepath.Join(root, "3"))}}
	for _, m := range modules[1:] {
		if err := os.Mkdir(m.in.path, 0o777); err != nil {
			f.Fatal(err)
		}
	}
	if err := WriteRandomTensors(filepath.Join(root, "2", weightsName), []TensorShape{{"linear.weight", []int{4, 128}}}, RandomOptions{}); err != nil {
		f.Fatal(err)
	}
	config, err := ParseConfig("config.json", small(""))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, pooling, dense, transformer, settings string) {
		for name, text := range map[string]string{
			"1/config.json": pooling, "2/config.json": dense, "sentence_bert_config.json": transformer, "config_sentence_transformers.json": settings,
		} {
			if err := os.WriteFile(filepath.Join(root, filepath.FromSlash(name)), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		m := &Model{Config: config}
		defer m.Close()
		if err := m.readSentenceModel(directory(root), modules); err != nil {
			if !strings.Contains(err.Error(), root) {
				t.Errorf("%v: expected the file in it", err)
			}
			return
		}
		if m.Embedding == nil {
			t.Fatal("no embedding and no error: a CrossEncoder has no Pooling")
		}
		e := m.Embedding
		if len(e.Pooling) == 0 || len(e.Dense) != 1 || e.Dense[0].Inputs != 64*len(e.Pooling) || e.Dimensions(64) != 4 || !e.Normalize || e.TruncateTo < 0 || e.MaxSequenceLength < 0 {
			t.Fatalf("%+v", e)
		}
		if _, err := e.Dense[0].Weight.Float32(); err != nil {
			t.Fatal(err)
		}
	})
}
