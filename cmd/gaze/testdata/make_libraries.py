"""Makes libraries/outputs.json: what transformers and sentence-transformers answer for the checkpoints of
libraries/cases.json, in the form that gaze prints with --json. Offsets are bytes, not characters, and the white space
at the ends of an answer or of joined tokens is no part of it.

    python -m venv venv && venv/bin/pip install torch transformers sentence-transformers
    venv/bin/python make_libraries.py
    python -m venv old && old/bin/pip install torch transformers==4.57.3
    old/bin/python make_libraries.py

transformers 5 has no pipeline for questions any more, so those cases are of version 4, and all others of what is
current. That pipeline's align_to_words is off: gaze answers in tokens.
"""

import json
import os
import pathlib
import subprocess
import tempfile

os.environ["ATEN_CPU_CAPABILITY"] = "default"  # see make_goldens.py of engine/modernbert

import torch
import transformers

old = transformers.__version__.startswith("4.")
if not old:
    import sentence_transformers

here = pathlib.Path(__file__).parent
transformers.logging.set_verbosity_error()


def at_bytes(text, start, end):
    while start < end and text[end - 1].isspace():
        end -= 1
    while start < end and text[start].isspace():
        start += 1
    return untrimmed(text, start, end)


def untrimmed(text, start, end):
    return {"text": text[start:end], "start": len(text[:start].encode()), "end": len(text[:end].encode())}


def pipe(case, directory, task, auto, **options):
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    model = auto.from_pretrained(directory, dtype=torch.float32, attn_implementation="eager")
    return transformers.pipeline(task, model=model, tokenizer=tokenizer, device="cpu", **options)


def answer(case, directory):
    run = pipe(case, directory, "question-answering", transformers.AutoModelForQuestionAnswering)
    results = []
    for text in case["texts"]:
        a = run(question=case["question"], context=text, align_to_words=False, max_answer_len=case.get("max_tokens", 4),
                max_seq_len=case.get("window", 64), doc_stride=case.get("stride"))
        results.append(at_bytes(text, a["start"], a["end"]) | {"score": a["score"]})
    return {"results": results}


def fill_mask(case, directory):
    run = pipe(case, directory, "fill-mask", transformers.AutoModelForMaskedLM, top_k=3)
    results = []
    for text in case["texts"]:
        masks = run(text)
        masks = masks if isinstance(masks[0], list) else [masks]
        results.append({"masks": [{"predictions": [{"token_id": p["token"], "token": p["token_str"], "score": p["score"]} for p in mask]}
                                  for mask in masks]})
    return {"results": results}


def classify(case, directory):
    run = pipe(case, directory, "text-classification", transformers.AutoModelForSequenceClassification, top_k=None)
    results = []
    for scores in run(case["texts"]):
        best = scores[0]
        scores.sort(key=lambda s: case["config"]["label2id"][s["label"]])
        results.append({"label": best["label"], "score": best["score"], "scores": scores})
    return {"results": results}


def tokens(case, directory):
    joined = "--aggregate" in case.get("flags", [])
    run = pipe(case, directory, "token-classification", transformers.AutoModelForTokenClassification,
               **({"aggregation_strategy": "simple"} if joined else {"ignore_labels": []}))
    where, label = (at_bytes, "entity_group") if joined else (untrimmed, "entity")
    return {"results": [[where(text, t["start"], t["end"]) | {"label": t[label], "score": float(t["score"])} for t in run(text)]
                        for text in case["texts"]]}


def embed(case, directory):
    model = sentence_transformers.SentenceTransformer(str(directory), device="cpu", truncate_dim=case.get("dimensions"))
    prompt = case.get("prompt")
    vectors = model.encode(case["texts"], prompt_name=prompt, normalize_embeddings="dimensions" in case)
    texts = [model.prompts[prompt] + text if prompt else text for text in case["texts"]]
    return {"embeddings": [[round(float(x), 7) for x in v] for v in vectors],
            "tokens": [len(model.tokenizer(text, truncation=True, max_length=model.max_seq_length)["input_ids"]) for text in texts]}


def rerank(case, directory):
    model = sentence_transformers.CrossEncoder(str(directory), device="cpu")
    scores = model.predict([(case["question"], text) for text in case["texts"]])
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    return {"query": case["question"], "results": [{"index": i, "score": float(scores[i]), "text": case["texts"][i]} for i in order]}


with tempfile.TemporaryDirectory() as directory, torch.no_grad():
    # The test writes its checkpoints; it may well fail while outputs.json is as it was.
    subprocess.run(["go", "test", "-run", "TestLikeLibraries", "-checkpoints", directory, "."], cwd=here.parent, stdout=subprocess.DEVNULL)
    outputs = json.loads((here / "libraries" / "outputs.json").read_text())
    for case in json.loads((here / "libraries" / "cases.json").read_text()):
        if (case["command"] == "answer") != old:
            continue
        outputs[case["name"]] = globals()[case["command"].replace("-", "_")](case, pathlib.Path(directory) / case["name"])
        print(case["name"])
(here / "libraries" / "outputs.json").write_text(json.dumps(outputs, ensure_ascii=False, separators=(",", ":")) + "\n")
