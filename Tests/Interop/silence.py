"""Zeroes neurons and heads of a copy of a model, as a pruning would leave them.

usage: silence.py MODEL OUTPUT even|uneven|sparse

even: the same number in every block; uneven: another in each; sparse: single weights, two of four.
"""
import json
import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

model, output, kind = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
config = json.loads((model / "config.json").read_text())
if (model / "model.safetensors").exists():
    tensors = load_file(model / "model.safetensors")
else:
    tensors = torch.load(model / "pytorch_model.bin", weights_only=True)
is_opt = config["model_type"] == "opt"
width = config["ffn_dim" if is_opt else "intermediate_size"]
heads = config["num_attention_heads"]
groups = config.get("num_key_value_heads") or heads
size = config.get("head_dim") or config["hidden_size"] // heads
down, attention = ("fc2", "self_attn.out_proj") if is_opt else ("mlp.down_proj", "self_attn.o_proj")
generator = torch.Generator().manual_seed(3)
for name, tensor in tensors.items():
    if ".layers." not in name or not name.endswith(".weight") or tensor.dim() != 2:
        continue
    block = int(name.split(".layers.")[1].split(".")[0])
    if kind == "sparse":
        order = torch.rand(tensor.shape[0], tensor.shape[1] // 4, 4, generator=generator).argsort(-1)
        tensor[(order < 2).reshape(tensor.shape)] = 0
        continue
    step = block % 3 if kind == "uneven" else 0
    if name.endswith(f"{down}.weight"):
        gone = width // 4 + step * (width // 8)
        tensor[:, torch.randperm(width, generator=generator)[:gone]] = 0
    elif name.endswith(f"{attention}.weight"):
        # Whole groups of the heads that share keys and values.
        for group in torch.randperm(groups, generator=generator)[: min(groups - 1, 1 + step)].tolist():
            each = heads // groups * size
            tensor[:, group * each : (group + 1) * each] = 0
output.mkdir()
for file in model.iterdir():
    if file.suffix == ".json":
        shutil.copy(file, output)
tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
if config.get("tie_word_embeddings", is_opt):
    tensors.pop("lm_head.weight", None)
save_file(tensors, output / "model.safetensors", metadata={"format": "pt"})
