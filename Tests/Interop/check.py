"""Loads a checkpoint in transformers and compares its logits with surgeon's own forward.

usage: check.py CHECKPOINT LOGITS TOKENS STRUCTURE
"""
import sys

import torch
import transformers
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

checkpoint, logits_file, tokens_file, structure = sys.argv[1:5]
model, information = AutoModelForCausalLM.from_pretrained(
    checkpoint, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
)
for key in ("missing_keys", "unexpected_keys", "mismatched_keys"):
    assert not information[key], f"{key}: {information[key]}"
ours = load_file(logits_file)["logits"]
tokens = load_file(tokens_file)["tokens"][: ours.shape[0]]
with torch.no_grad():
    theirs = model(input_ids=tokens).logits
worst = (ours - theirs).abs().max().item() / theirs.abs().max().item()
assert worst < 1e-4, f"logits differ by {worst}"
linears = {
    name: module.weight
    for name, module in model.named_modules()
    if isinstance(module, torch.nn.Linear) and ".layers." in name
}
zeros = sum((w == 0).sum().item() for w in linears.values()) / sum(w.numel() for w in linears.values())
if structure == "2:4":
    for name, weight in linears.items():
        assert ((weight.reshape(weight.shape[0], -1, 4) == 0).sum(-1) >= 2).all(), name
print(
    f"{transformers.__version__} {checkpoint.rsplit('/', 1)[-1]:28s} logits within {worst:.1e}, "
    f"{100 * zeros:.2f} % zeros"
)
