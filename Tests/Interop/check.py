"""Loads checkpoints in transformers and compares their logits with surgeon's own forward.

usage: check.py TOKENS CHECKPOINT,LOGITS,STRUCTURE…
"""
import json
import sys

import torch
import transformers
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

transformers.logging.disable_progress_bar()


def check(tokens_file, checkpoint, logits_file, structure):
    with open(f"{checkpoint}/config.json") as file:
        remote = "auto_map" in json.load(file)
    assert not remote or structure == "per-layer", f"{checkpoint} needs remote code"
    model, information = AutoModelForCausalLM.from_pretrained(
        checkpoint,
        dtype=torch.float32,
        attn_implementation="eager",
        output_loading_info=True,
        trust_remote_code=remote,
    )
    for key in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        assert not information[key], f"{key}: {information[key]}"
    ours = load_file(logits_file)["logits"]
    tokens = load_file(tokens_file)["tokens"][: ours.shape[0]]
    with torch.no_grad():
        theirs = model(input_ids=tokens).logits
    difference = (ours - theirs).abs().max().item()
    worst = difference / theirs.abs().max().item()
    assert worst < 1e-4 and difference < 1e-3, f"{checkpoint}: logits differ by {difference}"
    linears = {
        name: module.weight
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and ".layers." in name
    }
    size = sum(weight.numel() for weight in linears.values())
    zeros = sum((weight == 0).sum().item() for weight in linears.values()) / size
    if structure == "2:4":
        for name, weight in linears.items():
            assert ((weight.reshape(weight.shape[0], -1, 4) == 0).sum(-1) >= 2).all(), name
    print(
        f"{transformers.__version__} {checkpoint.rsplit('/', 1)[-1]:28s} {type(model).__name__:22s}"
        f" logits within {worst:.1e}, {size} weights, {100 * zeros:.2f} % zeros"
    )


for case in sys.argv[2:]:
    check(sys.argv[1], *case.split(","))
