"""Writes distillation-NAME.safetensors: what PyTorch computes for a model without its first block that
the whole model teaches.

usage: make_distillation.py FOLDER   (the folder that holds the models and expected.safetensors)

The loss is the cross entropy summed over the predicted positions, plus LOGITS times the sum of the
Kullback-Leibler divergences there, plus HIDDEN times their number times the mean square, over all
entries, of the difference of the last block's outputs; in double precision. A tied head stays tied.
"""
import sys

import torch
from safetensors.torch import load_file, save_file
from torch.nn.functional import cross_entropy, log_softmax
from transformers import AutoModelForCausalLM

LOGITS, HIDDEN = 0.7, 0.3
folder = sys.argv[1]


def load(name):
    return AutoModelForCausalLM.from_pretrained(
        f"{folder}/{name}", dtype=torch.float64, attn_implementation="eager")


def layers(model):
    return model.model.decoder if hasattr(model.model, "decoder") else model.model


def run(model, tokens):
    """The logits, and what the last block hands on."""
    seen = []
    hook = layers(model).layers[-1].register_forward_hook(
        lambda _, __, output: seen.append(output[0] if isinstance(output, tuple) else output))
    logits = model(tokens, use_cache=False).logits[:, :-1]
    hook.remove()
    return logits.reshape(-1, logits.shape[-1]), seen[0]


for name in ["opt", "llama"]:
    tokens = load_file(f"{folder}/{name}/expected.safetensors")["tokens"]
    with torch.no_grad():
        wanted, wanted_hidden = run(load(name), tokens)
    student = load(name)
    layers(student).layers = torch.nn.ModuleList([layers(student).layers[1]])
    for layer in layers(student).layers:
        layer.self_attn.layer_idx = 0
    student.config.num_hidden_layers = 1
    logits, hidden = run(student, tokens)
    labels = tokens[:, 1:].reshape(-1)
    entropies = cross_entropy(logits, labels, reduction="sum")
    target = log_softmax(wanted, dim=-1)
    divergences = (target.exp() * (target - log_softmax(logits, dim=-1))).sum(-1)
    error = ((hidden - wanted_hidden) ** 2).mean()
    (entropies + LOGITS * divergences.sum() + HIDDEN * labels.numel() * error).backward()
    values = {key: value.grad.float().contiguous()
              for key, value in student.named_parameters() if value.grad is not None}
    values["divergences"] = divergences.reshape(tokens.shape[0], -1).mean(-1).detach().float()
    values["hiddenError"] = error.detach().float().reshape(1)
    save_file(values, f"{folder}/distillation-{name}.safetensors")
