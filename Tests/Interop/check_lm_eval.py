"""Opens checkpoints in lm-eval's model `hf` and compares log-likelihoods with surgeon's own logits.

usage: check_lm_eval.py SURGEON WORK CHECKPOINT…
  WORK  an existing folder

What lm-eval adds on its own (tokenising, batching, cutting) is the same for all models; this shows that
nothing but the directory is needed.
"""
import json
import subprocess
import sys
from pathlib import Path

import torch
import transformers
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from safetensors.torch import load_file, save_file

surgeon, work = sys.argv[1], Path(sys.argv[2])
transformers.logging.disable_progress_bar()
TEXTS = [("The castle was built in", " the 12th century"), ("He was born in", " London")]


def own_likelihood(checkpoint, context, continuation):
    """The sum of the log-probabilities of a continuation's tokens, from surgeon's own logits."""
    tokens, logits = work / "window.safetensors", work / "logits.safetensors"
    logits.unlink(missing_ok=True)
    window = torch.tensor([context + continuation])
    save_file({"tokens": window}, tokens)
    command = [surgeon, "evaluate", checkpoint, "--tokens", tokens, "--logits", logits, "--quiet"]
    command += ["--length", str(window.shape[1])]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    table = load_file(logits)["logits"][0].double().log_softmax(-1)
    first = len(context) - 1
    return sum(table[first + i, token].item() for i, token in enumerate(continuation))


def check(checkpoint):
    config = json.loads(Path(checkpoint, "config.json").read_text())
    assert "auto_map" not in config, f"{checkpoint} needs remote code"
    model = HFLM(pretrained=checkpoint, device="cpu", dtype="float32", batch_size=1)
    requests = [Instance("loglikelihood", {}, text, i) for i, text in enumerate(TEXTS)]
    found = model.loglikelihood(requests, disable_tqdm=True)
    for (context, continuation), (theirs, _) in zip(TEXTS, found):
        ours = own_likelihood(checkpoint, *model._encode_pair(context, continuation))
        assert abs(ours - theirs) < 1e-3, f"{continuation!r}: {theirs} in lm-eval, {ours} in surgeon"
    print(f"lm-eval {Path(checkpoint).name:28s} log-likelihoods "
          + ", ".join(f"{theirs:.4f}" for theirs, _ in found))


for checkpoint in sys.argv[3:]:
    check(checkpoint)
