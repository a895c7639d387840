"""Measures two GGUF files in llama.cpp, in turns.

usage: llama_speed.py DENSE PRUNED PROMPT NEW RUNS

Prints for each run the tokens a second of the prompt and of what follows, of both files, as JSON. As
in `surgeon generate --speed`, logits are computed for the last position of the prompt and for each
new token but the last, and one run that is not counted comes first. One thread: threads that wait for
each other after every small matrix would measure how busy the machine is.
"""
import json
import sys
import time

from llama_cpp import Llama, llama_synchronize

F32 = 0  # GGML_TYPE_F32, for the cache of keys and values
files, (prompt, new, runs) = sys.argv[1:3], map(int, sys.argv[3:6])


def load(path):
    return Llama(path, n_ctx=prompt + new, type_k=F32, type_v=F32, n_threads=1,
                 n_threads_batch=1, verbose=False)


def timed(model, batches):
    """The time to read some batches of tokens, one after the other."""
    start = time.perf_counter()
    for batch in batches:
        model.eval(batch)
        llama_synchronize(model.ctx)
    return time.perf_counter() - start


def rates(model):
    vocabulary = model.n_vocab()
    tokens = [i % vocabulary * 7919 % vocabulary for i in range(prompt + new - 1)]
    model.reset()
    reading = timed(model, [tokens[:prompt]])
    writing = timed(model, [[token] for token in tokens[prompt:]])
    return prompt / reading, (new - 1) / writing


models = [load(path) for path in files]
pairs = [[rates(model) for model in models] for _ in range(runs + 1)]
print(json.dumps(pairs[1:]))
