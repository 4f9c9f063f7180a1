// embed embeds texts, given as token ids, by llama.cpp's public interface: the peer of gaze/embed.
//
//     embed BACKENDS gpu|cpu THREADS auto|on|off mean|cls MODEL.gguf
//
// BACKENDS is the folder to load backends from, the fourth argument says when flash attention is used. It reads
// requests, one a line, and answers each by the time of one batch (peers.py tells the form):
//
//     TEXTS TOKENS IDS OUT    IDS holds texts * tokens u32, OUT gets [texts, elements] f32
#include <ggml-backend.h>
#include <llama.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// A Placement is what llama.cpp's log tells of where the model runs.
typedef struct {
  int offloaded, layers, splits;
  double modelMiB, computeMiB;  // of device memory
  char library[2][256];         // file names of the CPU's and the GPU's backend
} Placement;

static Placement placement;

static void fail(const char *what, const char *about) {
  fprintf(stderr, "embed: %s: %s\n", what, about);
  exit(1);
}

static double milliseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec * 1e-6;
}

// heed passes a line of the log on and notes what it tells.
static void heed(enum ggml_log_level level, const char *text, void *data) {
  (void)level, (void)data;
  fputs(text, stderr);
  const char *at = strstr(text, ": offloaded ");
  if (at) sscanf(at, ": offloaded %d/%d", &placement.offloaded, &placement.layers);
  if ((at = strstr(text, "splits = "))) placement.splits = atoi(at + strlen("splits = "));
  char name[64], path[4096];
  if (sscanf(text, "load_backend: loaded %63s backend from %4095s", name, path) == 2) {
    const char *slash = strrchr(path, '/');
    snprintf(placement.library[strcmp(name, "CPU") != 0], sizeof placement.library[0], "%s", slash ? slash + 1 : path);
  }
  double size;
  at = strchr(text, ':');
  if (!at) return;
  bool model = sscanf(at, ": %63s model buffer size = %lf", name, &size) == 2;
  bool compute = !model && sscanf(at, ": %63s compute buffer size = %lf", name, &size) == 2;
  if ((!model && !compute) || strncmp(name, "CPU", 3) == 0 || strstr(name, "Host")) return;
  if (model) placement.modelMiB += size;
  if (compute) placement.computeMiB = size;
}

// findDevice returns the first GPU, or NULL if the CPU is wanted, and the device's name.
static ggml_backend_dev_t findDevice(bool gpu, const char **description) {
  for (size_t i = 0; i < ggml_backend_dev_count(); i++) {
    ggml_backend_dev_t device = ggml_backend_dev_get(i);
    if ((ggml_backend_dev_type(device) == GGML_BACKEND_DEVICE_TYPE_CPU) == gpu) continue;
    *description = ggml_backend_dev_description(device);
    return gpu ? device : NULL;
  }
  fail("no such backend", gpu ? "gpu" : "cpu");
  return NULL;
}

static struct llama_context *newContext(struct llama_model *model, int texts, int tokens, char **argv) {
  struct llama_context_params p = llama_context_default_params();
  // An encoder takes a batch in one piece.
  p.n_ctx = p.n_batch = p.n_ubatch = texts * tokens;
  p.n_seq_max = texts;
  p.n_threads = p.n_threads_batch = atoi(argv[3]);
  p.flash_attn_type = strcmp(argv[4], "auto") == 0 ? LLAMA_FLASH_ATTN_TYPE_AUTO
                      : strcmp(argv[4], "on") == 0 ? LLAMA_FLASH_ATTN_TYPE_ENABLED
                                                   : LLAMA_FLASH_ATTN_TYPE_DISABLED;
  p.pooling_type = strcmp(argv[5], "cls") == 0 ? LLAMA_POOLING_TYPE_CLS : LLAMA_POOLING_TYPE_MEAN;
  p.embeddings = true;
  struct llama_context *context = llama_init_from_model(model, p);
  if (!context) fail("cannot make a context for", argv[6]);
  return context;
}

// newBatch puts the ids of a file into a batch, one sequence a text.
static struct llama_batch newBatch(const char *path, int texts, int tokens) {
  FILE *file = fopen(path, "rb");
  uint32_t *ids = malloc(sizeof *ids * texts * tokens);
  if (!file || !ids || fread(ids, sizeof *ids, texts * tokens, file) != (size_t)texts * tokens) fail("cannot read", path);
  fclose(file);
  struct llama_batch batch = llama_batch_init(texts * tokens, 0, 1);
  for (int i = 0; i < texts * tokens; i++) {
    batch.token[i] = ids[i];
    batch.pos[i] = i % tokens;
    batch.n_seq_id[i] = 1;
    batch.seq_id[i][0] = i / tokens;
    batch.logits[i] = true;
  }
  batch.n_tokens = texts * tokens;
  free(ids);
  return batch;
}

int main(int argc, char **argv) {
  if (argc != 7) fail("usage", "embed BACKENDS gpu|cpu THREADS auto|on|off mean|cls MODEL.gguf");
  llama_log_set(heed, NULL);
  ggml_backend_load_all_from_path(argv[1]);
  bool gpu = strcmp(argv[2], "gpu") == 0;
  const char *description = "";
  ggml_backend_dev_t devices[] = {findDevice(gpu, &description), NULL};

  double start = milliseconds();
  struct llama_model_params parameters = llama_model_default_params();
  parameters.devices = devices;
  parameters.n_gpu_layers = gpu ? -1 : 0;
  struct llama_model *model = llama_model_load_from_file(argv[6], parameters);
  if (!model) fail("cannot load", argv[6]);
  if (gpu && (placement.layers == 0 || placement.offloaded != placement.layers)) fail("not all layers are on the device", description);
  printf("{\"device\": \"%s\", \"backend\": \"%s, %d of %d layers on a GPU\", \"load\": \"%.3g s to load\"}\n", description,
         placement.library[gpu], placement.offloaded, llama_model_n_layer(model) + 1, (milliseconds() - start) / 1e3);
  fflush(stdout);

  struct llama_context *context = NULL;
  struct llama_batch batch = {0};
  int texts = 0, tokens = 0, nowTexts, nowTokens;
  int elements = llama_model_n_embd(model);
  char line[8192], in[4096], out[4096];
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "%d %d %4095s %4095s", &nowTexts, &nowTokens, in, out) != 4) fail("not a request", line);
    if (nowTexts != texts || nowTokens != tokens) {
      if (context) llama_free(context);
      texts = nowTexts, tokens = nowTokens;
      context = newContext(model, texts, tokens, argv);
    }
    batch = newBatch(in, texts, tokens);
    start = milliseconds();
    if (llama_encode(context, batch) != 0) fail("cannot encode", line);
    llama_synchronize(context);
    double took = milliseconds() - start;
    llama_batch_free(batch);

    FILE *file = fopen(out, "wb");
    if (!file) fail("cannot write", out);
    for (int i = 0; i < texts; i++) {
      const float *x = llama_get_embeddings_seq(context, i);
      if (!x || fwrite(x, sizeof *x, elements, file) != (size_t)elements) fail("no embedding", line);
    }
    if (fclose(file) != 0) fail("cannot write", out);
    printf("{\"ms\": %.4f, \"device_mib\": %.1f, \"splits\": %d}\n", took, placement.modelMiB + placement.computeMiB, placement.splits);
    fflush(stdout);
  }
  if (context) llama_free(context);
  llama_model_free(model);
  return 0;
}
