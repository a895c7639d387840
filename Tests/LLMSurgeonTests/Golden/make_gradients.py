"""Writes gradients-NAME.safetensors: what PyTorch computes as the gradient of every parameter.

usage: make_gradients.py FOLDER   (the folder that holds the models and expected.safetensors)

The loss is the cross entropy summed over the predicted positions, in double precision; the output
projection is a matrix of its own.
"""
import sys

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

folder = sys.argv[1]
for name in ["opt", "llama"]:
    tokens = load_file(f"{folder}/{name}/expected.safetensors")["tokens"]
    model = AutoModelForCausalLM.from_pretrained(
        f"{folder}/{name}", dtype=torch.float64, attn_implementation="eager")
    model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())
    logits = model(tokens).logits[:, :-1]
    loss = torch.nn.functional.cross_entropy(
        logits.reshape(-1, logits.shape[-1]), tokens[:, 1:].reshape(-1), reduction="sum")
    loss.backward()
    gradients = {key: value.grad.float().contiguous()
                 for key, value in model.named_parameters() if value.grad is not None}
    save_file(gradients, f"{folder}/gradients-{name}.safetensors")
