"""Continues texts in llama.cpp and in surgeon, the most likely token each time, and compares the tokens.

usage: check_greedy.py SURGEON WORK MODEL,CALIBRATION…
  WORK         an empty folder
  CALIBRATION  a text, or a safetensors file with token windows, to prune MODEL with

Each model is taken dense, pruned to the same widths everywhere, and pruned block by block.
"""
import json
import subprocess
import sys
from pathlib import Path

import numpy
from llama_cpp import Llama

surgeon, work = sys.argv[1], Path(sys.argv[2])
F32 = 0  # GGML_TYPE_F32, for the cache of keys and values
NEW = 256
TIE = 1e-4  # Logits this near may change places by rounding.
PROMPTS = ["The castle was built in", "In 1998 , the band", " = = Reception = = \n", "He"]


def run(*arguments):
    command = [surgeon, *map(str, arguments), "--quiet"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def variants(model, calibration):
    """The model and its prunings, as name and directory."""
    yield "dense", model
    data = ["--tokens" if calibration.suffix == ".safetensors" else "--text", calibration]
    for profile, allocation in (("uniform", "uniform"), ("per-layer", "global")):
        output = work / f"{model.name}-{profile}"
        run("prune", model, *data, "--structure", "neurons,heads", "--target", 0.3,
            "--allocation", allocation, "--profile", profile, "--output", output)
        yield profile, output


def next_logits(llama, tokens):
    llama.eval(tokens)
    return llama.scores[llama.n_tokens - 1]


def compare(llama, prompt, tokens):
    """The number of ties; ends the program at another difference.

    At a tie llama.cpp goes on with surgeon's token: from there on both have the same text again.
    """
    llama.reset()
    ties, logits = 0, next_logits(llama, prompt)
    for position, token in enumerate(tokens):
        best = int(numpy.argmax(logits))
        gap = float(logits[best] - logits[token])
        assert best == token or gap < TIE, (
            f"token {position}: llama.cpp takes {best}, surgeon {token}, whose logit is {gap} less")
        ties += best != token
        logits = next_logits(llama, [token])
    return ties


def check(name, directory):
    file = work / f"{name}.gguf"
    run("export", directory, "--format", "gguf", "--precision", "f32", "--output", file)
    llama = Llama(str(file), n_ctx=512, logits_all=True, type_k=F32, type_v=F32, n_threads=2,
                  verbose=False)
    ties, distinct = 0, set()
    for text in PROMPTS:
        ours = json.loads(run("generate", directory, "--prompt", text, "--tokens", NEW,
                              "--ignore-eos", "--json"))
        assert len(ours["tokens"]) == NEW
        theirs = llama.tokenize(text.encode(), special=False)
        assert theirs == ours["promptTokens"], f"{text!r} became {theirs}, not {ours['promptTokens']}"
        ties += compare(llama, theirs, ours["tokens"])
        distinct |= set(ours["tokens"])
    print(f"llama.cpp {name:28s} continues {len(PROMPTS)} texts by the same {NEW} tokens,"
          f" {len(distinct)} different ones, {ties} ties")


for case in sys.argv[3:]:
    model, calibration = map(Path, case.split(","))
    for profile, directory in variants(model, calibration):
        check(f"{model.name}-{profile}", directory)
