// Package hub downloads models of the Hugging Face hub into the cache that
// Python's huggingface_hub keeps, so that either finds what the other has
// fetched. [Pull] is all of it.
//
// One request asks the hub which commit a revision is, and which files it has,
// of which sizes and hashes. A file becomes a blob named by its hash:
//
//	CACHE/models--organization--model/blobs/HASH              a file's contents
//	                                  blobs/HASH.incomplete   what there is of them yet
//	                                  snapshots/COMMIT/FILE   links to blobs
//	                                  refs/REVISION           holds a commit
//	CACHE/.locks/models--organization--model/HASH.lock        held while a blob is written
//
// A blob gets its name only when its size and hash are right, the links are made
// only when all blobs are there, and the reference is moved last: a pull that
// ends early changes nothing that could be opened.
//
// HF_ENDPOINT, HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_TOKEN_PATH and HF_HUB_OFFLINE
// mean what they mean in Python, and proxies are those of HTTPS_PROXY.
package hub
