"""The same calibration in plain PyTorch, for comparison of time: A and G of every linear layer.

usage: torch_calibration.py MODEL TOKENS THREADS [WINDOWS [ATTENTION]]

float32, eager attention unless ATTENTION names another, WINDOWS windows at once (one unless stated), one
A for layers that share their input, no gradients of weights; prints seconds, loading not counted.
"""
import sys
import time

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

model_path, tokens_path, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
at_once = int(sys.argv[4]) if len(sys.argv) > 4 else 1
attention = sys.argv[5] if len(sys.argv) > 5 else "eager"
torch.set_num_threads(threads)
model = AutoModelForCausalLM.from_pretrained(
    model_path, dtype=torch.float32, attn_implementation=attention
).eval()
for parameter in model.parameters():
    parameter.requires_grad_(False)
tokens = load_file(tokens_path)["tokens"].long()
sums = {}
shared = ("k_proj", "v_proj", "up_proj")


def hook(name):
    def forward(module, inputs, output):
        if not name.endswith(shared):
            x = inputs[0].detach().flatten(0, -2)
            if module.bias is not None:
                x = torch.cat([x, torch.ones(len(x), 1)], 1)
            sums["A." + name] = sums.get("A." + name, 0) + x.T @ x
        output.register_hook(backward)

    def backward(gradient):
        g = gradient.detach().flatten(0, -2)
        sums["G." + name] = sums.get("G." + name, 0) + g.T @ g

    return forward


for name, module in model.named_modules():
    if isinstance(module, torch.nn.Linear) and ".layers." in name:
        module.register_forward_hook(hook(name))

start = time.monotonic()
for first in range(0, len(tokens), at_once):
    window = tokens[first : first + at_once]
    embedded = model.get_input_embeddings()(window).detach().requires_grad_(True)
    logits = model(inputs_embeds=embedded).logits[:, :-1]
    torch.nn.functional.cross_entropy(
        logits.reshape(-1, logits.size(-1)), window[:, 1:].reshape(-1), reduction="sum"
    ).backward()
print(f"{time.monotonic() - start:.2f}")
