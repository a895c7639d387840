"""Exports models as GGUF and compares llama.cpp with transformers and the `tokenizers` library.

usage: check_gguf.py SURGEON WORK TOKENIZERS
  WORK        the folder that gguf_models.py filled
  TOKENIZERS  Tests/TokenizationTests/Golden
"""
import json
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy
from gguf import GGUFReader
from llama_cpp import Llama
from safetensors.numpy import load_file
from tokenizers import Tokenizer

surgeon, work, golden = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
F32 = 0  # GGML_TYPE_F32, for the cache of keys and values
texts = json.loads((golden / "cases/texts.json").read_text())["texts"]


def export(folder, *options):
    output = work / f"{folder.name}.gguf"
    has_tokenizer = any((folder / n).is_file() for n in ("tokenizer.json", "merges.txt"))
    subprocess.run(
        [surgeon, "export", folder, "--format", "gguf", "--output", output, "--overwrite", "--quiet"]
        + ([] if has_tokenizer else ["--no-tokenizer"]) + list(options),
        check=True, stdout=subprocess.DEVNULL,
    )
    return output


def load(path):
    return Llama(str(path), n_ctx=128, logits_all=True, type_k=F32, type_v=F32, n_threads=2,
                 verbose=False)


def check_logits(folder, architecture, precision, tolerance):
    path = export(folder, "--architecture", architecture, "--precision", precision)
    reader = GGUFReader(path)
    name = reader.get_field("general.architecture").contents()
    expected = load_file(folder / "expected.safetensors")
    model = load(path)
    model.eval(expected["tokens"].tolist())
    ours = model.scores[: len(expected["tokens"])]
    worst = numpy.abs(ours - expected["logits"]).max() / max(1, numpy.abs(expected["logits"]).max())
    assert worst < tolerance, f"{folder.name}: logits differ by {worst}"
    sizes = reader.get_field(f"{name}.feed_forward_length").contents()
    parameters = sum(int(t.n_elements) for t in reader.tensors)
    print(f"llama.cpp {folder.name:18s} {name:6s} {precision:4s} logits within {worst:.1e}, "
          f"{parameters} parameters, feed-forward {sizes}")
    return parameters


def is_plain(text, added):
    """Added tokens are matched under conditions that llama.cpp does not know."""
    return not any(token in text for token in added)


def check_tokens(path, name, cases):
    model = load(path)
    for text, ids in cases:
        found = model.tokenize(text.encode(), add_bos=False, special=False)
        assert found == ids, f"{name}: {text!r} became {found}, not {ids}"
    print(f"llama.cpp {name:18s} tokenises {len(cases)} texts alike")


for folder in sorted((work / "models").iterdir()):
    automatic = check_logits(folder, "auto", "f32", 1e-4)
    own = check_logits(folder, "own", "f32", 1e-4)
    assert automatic <= own
    if not folder.name.endswith("-masked"):
        assert check_logits(folder, "deci", "f32", 1e-4) == own
        # The roundings of weights and activations add up: forty times that of one number.
        check_logits(folder, "auto", "f16", 40 * 2**-11)
        check_logits(folder, "auto", "bf16", 40 * 2**-8)
    if (folder / "tokenizer.json").is_file():
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        cases = [(t, tokenizer.encode(t, add_special_tokens=False).ids) for t in texts
                 if is_plain(t, ["<s>", "</s>", "<unk>", "<pad>"])]
        check_tokens(export(folder), folder.name, cases)

for folder in sorted((work / "tokenizers").iterdir()):
    name = folder.name
    if (folder / "tokenizer.json").is_file():
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        added = [t.content for t in tokenizer.get_added_tokens_decoder().values()]
        cases = [(t, tokenizer.encode(t, add_special_tokens=False).ids) for t in texts]
    else:
        added = ["<s>", "</s>", "<unk>", "<pad>"]
        ids = json.loads((golden / f"cases/{name}.json").read_text())["plain"]
        cases = list(zip(texts, ids))
    cases = [(t, ids) for t, ids in cases if is_plain(t, added)]
    if name == "qwen2":
        cases = [(t, ids) for t, ids in cases if unicodedata.is_normalized("NFC", t)]
    if name == "metaspace-first":
        cases = [(t, ids) for t, ids in cases if not t.startswith((" ", "\u2581"))]
    check_tokens(export(folder), name, cases)
print("interop: llama.cpp gives the logits of transformers and the tokens of `tokenizers`")
