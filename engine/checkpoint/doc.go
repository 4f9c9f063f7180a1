// Package checkpoint reads ModernBERT checkpoints in Hugging Face form, and
// reads and writes the safetensors files that hold their tensors.
//
// [OpenModel] opens a directory, or a model of the hub that the Hugging Face
// cache has: config.json in any form that transformers wrote, weights in one
// file or several, and what sentence-transformers keeps beside them. Nothing is
// trusted and nothing guessed: a key that would change the result is honoured
// or refused by name, with the defaults and precedences of transformers 5, and
// the tensors must be exactly those that follow from the configuration.
//
// [Open] reads one file of tensors in the safetensors format
// (https://huggingface.co/docs/safetensors): 8 bytes that give the length of a
// JSON header, the header, then the tensors' bytes without gaps. It has a
// reader of its own because the Go modules there are neither map the file nor
// notice a name that is given twice, and some refuse headers whose order is not
// that of the data. It checks the whole header before it returns, so that
// nothing a [File] hands out reaches past its bytes.
package checkpoint
