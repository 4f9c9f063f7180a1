// Package checkpoint reads and writes tensors in the safetensors format
// (https://huggingface.co/docs/safetensors): 8 bytes that give the length of a
// JSON header, the header, then the tensors' bytes without gaps.
//
// It has a reader of its own because the Go modules there are neither map the
// file nor notice a name that is given twice, and some refuse headers whose
// order is not that of the data.
//
// A file is not trusted: [Open] checks the whole header before it returns, so
// that nothing a [File] hands out reaches past its bytes.
package checkpoint
