// kernels runs single kernels of llama.cpp through ggml's public interface: the peer of gaze/kernels.
//
//     kernels BACKENDS gpu|cpu THREADS
//
// BACKENDS is the folder to load backends from. It reads requests, one a line, and answers each by the time of one run
// (peers.py tells the form). Tensors lie in IN and OUT as f32, rows last dimension first, one after another:
//
//     matmul    TYPE ROWS COLUMNS DEPTH IN OUT    in: a [rows, depth], w [columns, depth]; out: a w^T. TYPE is that of w
//     attention TYPE TOKENS HEADS DIM   IN OUT    in: q, k, v [heads, tokens, dim]; out: the same shape. TYPE is that of k and v
//     window    TYPE TOKENS HEADS DIM   IN OUT    the same, of keys at most 64 tokens away, under a dense mask
#include <ggml-alloc.h>
#include <ggml-backend.h>
#include <ggml.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_LINE = 8192, MAX_INPUTS = 3, WINDOW = 64 };

// A Problem is one kernel with its tensors on the backend.
typedef struct {
  struct ggml_context *context;
  ggml_backend_buffer_t buffer;
  struct ggml_cgraph *graph;
  struct ggml_tensor *inputs[MAX_INPUTS], *mask, *output;  // mask: only of a window
  int inputCount;
  bool attention;
} Problem;

static void fail(const char *what, const char *about) {
  fprintf(stderr, "kernels: %s: %s\n", what, about);
  exit(1);
}

static double milliseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec * 1e-6;
}

static enum ggml_type parseType(const char *name) {
  if (strcmp(name, "f32") == 0) return GGML_TYPE_F32;
  if (strcmp(name, "f16") == 0) return GGML_TYPE_F16;
  fail("unknown type", name);
  return GGML_TYPE_COUNT;
}

// build makes the graph of a request, without memory for its tensors.
static Problem build(const char *kind, enum ggml_type type, const int64_t size[3]) {
  bool window = strcmp(kind, "window") == 0;
  Problem p = {.attention = window || strcmp(kind, "attention") == 0};
  if (!p.attention && strcmp(kind, "matmul") != 0) fail("unknown kind", kind);
  p.context = ggml_init((struct ggml_init_params){.mem_size = 1 << 20, .no_alloc = true});
  if (p.attention) {
    int64_t tokens = size[0], heads = size[1], dim = size[2];
    for (p.inputCount = 0; p.inputCount < 3; p.inputCount++)
      p.inputs[p.inputCount] = ggml_new_tensor_3d(p.context, p.inputCount == 0 ? GGML_TYPE_F32 : type, dim, tokens, heads);
    if (window) p.mask = ggml_new_tensor_2d(p.context, GGML_TYPE_F16, tokens, tokens);
    p.output = ggml_flash_attn_ext(p.context, p.inputs[0], p.inputs[1], p.inputs[2], p.mask, 1 / sqrtf(dim), 0, 0);
  } else {
    int64_t rows = size[0], columns = size[1], depth = size[2];
    p.inputs[p.inputCount++] = ggml_new_tensor_2d(p.context, GGML_TYPE_F32, depth, rows);
    p.inputs[p.inputCount++] = ggml_new_tensor_2d(p.context, type, depth, columns);
    p.output = ggml_mul_mat(p.context, p.inputs[1], p.inputs[0]);
  }
  p.graph = ggml_new_graph(p.context);
  ggml_build_forward_expand(p.graph, p.output);
  return p;
}

static void release(Problem *p) {
  ggml_backend_buffer_free(p->buffer);
  ggml_free(p->context);
  *p = (Problem){0};
}

// fill reads the inputs from a file.
static void fill(Problem *p, const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) fail("cannot read", path);
  for (int i = 0; i < p->inputCount; i++) {
    struct ggml_tensor *t = p->inputs[i];
    size_t count = ggml_nelements(t);
    float *x = malloc(count * sizeof *x);
    if (!x || fread(x, sizeof *x, count, file) != count) fail("is too short", path);
    if (t->type == GGML_TYPE_F16) {
      ggml_fp16_t *half = malloc(count * sizeof *half);
      if (!half) fail("out of memory", path);
      ggml_fp32_to_fp16_row(x, half, count);
      ggml_backend_tensor_set(t, half, 0, ggml_nbytes(t));
      free(half);
    } else {
      ggml_backend_tensor_set(t, x, 0, ggml_nbytes(t));
    }
    free(x);
  }
  fclose(file);
}

// fillMask shows each query the keys that are at most WINDOW tokens away, as llama.cpp does for a model's local layers.
static void fillMask(struct ggml_tensor *mask) {
  int64_t tokens = mask->ne[0];
  ggml_fp16_t *row = malloc(tokens * sizeof *row), shown = ggml_fp32_to_fp16(0), hidden = ggml_fp32_to_fp16(-INFINITY);
  if (!row) fail("out of memory", "mask");
  for (int64_t query = 0; query < tokens; query++) {
    for (int64_t key = 0; key < tokens; key++) row[key] = llabs(query - key) <= WINDOW ? shown : hidden;
    ggml_backend_tensor_set(mask, row, query * tokens * sizeof *row, tokens * sizeof *row);
  }
  free(row);
}

// writeOutput writes the output to a file; ggml's attention gives [tokens, heads, dim].
static void writeOutput(const Problem *p, const char *path) {
  const struct ggml_tensor *t = p->output;
  size_t count = ggml_nelements(t);
  float *x = malloc(count * sizeof *x), *y = malloc(count * sizeof *y);
  if (!x || !y) fail("out of memory", path);
  ggml_backend_tensor_get(t, x, 0, ggml_nbytes(t));
  int64_t dim = t->ne[0], heads = p->attention ? t->ne[1] : 1, rows = p->attention ? t->ne[2] : t->ne[1];
  for (int64_t row = 0; row < rows; row++)
    for (int64_t head = 0; head < heads; head++)
      memcpy(y + (head * rows + row) * dim, x + (row * heads + head) * dim, dim * sizeof *y);
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(y, sizeof *y, count, file) != count || fclose(file) != 0) fail("cannot write", path);
  free(x);
  free(y);
}

static char library[2][256];  // file names of the CPU's and the GPU's backend

// heed passes a line of ggml's log on and notes which library a backend comes from.
static void heed(enum ggml_log_level level, const char *text, void *data) {
  (void)level, (void)data;
  fputs(text, stderr);
  char name[64], path[4096];
  if (sscanf(text, "load_backend: loaded %63s backend from %4095s", name, path) != 2) return;
  const char *slash = strrchr(path, '/');
  snprintf(library[strcmp(name, "CPU") != 0], sizeof library[0], "%s", slash ? slash + 1 : path);
}

// openBackend opens the first GPU, or the CPU with so many threads.
static ggml_backend_t openBackend(bool gpu, int threads) {
  for (size_t i = 0; i < ggml_backend_dev_count(); i++) {
    ggml_backend_dev_t device = ggml_backend_dev_get(i);
    if ((ggml_backend_dev_type(device) == GGML_BACKEND_DEVICE_TYPE_CPU) == gpu) continue;
    ggml_backend_t backend = ggml_backend_dev_init(device, NULL);
    if (!backend) fail("cannot open", ggml_backend_dev_description(device));
    ggml_backend_set_n_threads_t set = (ggml_backend_set_n_threads_t)ggml_backend_reg_get_proc_address(
        ggml_backend_dev_backend_reg(device), "ggml_backend_set_n_threads");
    if (!gpu && set) set(backend, threads);
    printf("{\"device\": \"%s\", \"backend\": \"%s of %s\"}\n", ggml_backend_dev_description(device), ggml_backend_name(backend), library[gpu]);
    fflush(stdout);
    return backend;
  }
  fail("no such backend", gpu ? "gpu" : "cpu");
  return NULL;
}

int main(int argc, char **argv) {
  if (argc != 4) fail("usage", "kernels BACKENDS gpu|cpu THREADS");
  ggml_log_set(heed, NULL);
  ggml_backend_load_all_from_path(argv[1]);
  ggml_backend_t backend = openBackend(strcmp(argv[2], "gpu") == 0, atoi(argv[3]));

  char line[MAX_LINE], last[MAX_LINE] = "";
  Problem p = {0};
  while (fgets(line, sizeof line, stdin)) {
    char kind[16], type[8], in[4096], out[4096];
    long size[3];
    if (sscanf(line, "%15s %7s %ld %ld %ld %4095s %4095s", kind, type, &size[0], &size[1], &size[2], in, out) != 7)
      fail("not a request", line);
    if (strcmp(line, last) != 0) {
      release(&p);
      p = build(kind, parseType(type), (int64_t[]){size[0], size[1], size[2]});
      if (ggml_backend_supports_op(backend, p.output)) {
        p.buffer = ggml_backend_alloc_ctx_tensors(p.context, backend);
        if (!p.buffer) fail("out of device memory", line);
        fill(&p, in);
        if (p.mask) fillMask(p.mask);
      }
      strcpy(last, line);
    }
    if (!p.buffer) {
      printf("{\"missing\": \"not supported\"}\n");
      fflush(stdout);
      continue;
    }
    double start = milliseconds();
    enum ggml_status status = ggml_backend_graph_compute(backend, p.graph);
    double took = milliseconds() - start;
    if (status != GGML_STATUS_SUCCESS) fail(ggml_status_to_string(status), line);
    writeOutput(&p, out);
    printf("{\"ms\": %.4f}\n", took);
    fflush(stdout);
  }
  release(&p);
  ggml_backend_free(backend);
  return 0;
}
