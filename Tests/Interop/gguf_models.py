"""Makes models with the logits of transformers, for check_gguf.py.

usage: gguf_models.py WORK MATERIAL TOKENIZERS
  WORK        an empty folder; models go to WORK/models, tokenizers with a random model to WORK/tokenizers
  MATERIAL    folder with models and fixtures; those that are missing are left out
  TOKENIZERS  Tests/TokenizationTests/Golden
"""
import json
import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig

work, material, tokenizers = map(Path, sys.argv[1:4])
generator = torch.Generator().manual_seed(7)


def finish(name, model):
    """Writes a model with its logits of 48 tokens."""
    folder = work / "models" / name
    model.save_pretrained(folder)
    tokens = torch.randint(4, model.config.vocab_size, (48,), generator=generator)
    with torch.no_grad():
        logits = model(input_ids=tokens[None]).logits[0]
    save_file({"tokens": tokens, "logits": logits.contiguous()}, folder / "expected.safetensors")


def load(folder):
    return AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    )


def random_model(config):
    """Weights large enough that every part of a block matters."""
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            scale = 1.0 if name.endswith("norm.weight") else 0.3
            shift = 1.0 if name.endswith("norm.weight") else 0.0
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(shift + (0.2 if shift else scale) * noise)
    return model


def mask(model):
    """Zeroes other units in every block: in the first all heads, in the second all neurons."""
    config = model.config
    size = model.model.layers[0].self_attn.head_dim
    with torch.no_grad():
        for index, layer in enumerate(model.model.layers):
            share = torch.rand(1, generator=generator).item()
            dead = torch.rand(config.intermediate_size, generator=generator) < share
            if index == 1:
                dead[:] = True
            layer.mlp.down_proj.weight[:, dead] = 0
            half = dead & (torch.rand(dead.shape, generator=generator) < 0.5)
            layer.mlp.up_proj.weight[half] = 0
            heads = torch.rand(config.num_attention_heads, generator=generator) < 0.5
            if index == 0:
                heads[:] = True
            layer.self_attn.o_proj.weight[:, heads.repeat_interleave(size)] = 0
    return model


sizes = dict(vocab_size=96, hidden_size=48, intermediate_size=64, num_hidden_layers=4,
             num_attention_heads=6, num_key_value_heads=3, head_dim=16, max_position_embeddings=128)
bases = {
    "biased": lambda: random_model(LlamaConfig(
        **sizes, attention_bias=True, mlp_bias=True,
        rope_parameters={"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0})),
    "mistral": lambda: random_model(MistralConfig(**sizes, sliding_window=None)),
}
folders = {"demo": Path("calibration/demo")}
for name in ("fixtures/llama", "fixtures/llama3", "models/tiny-llama"):
    folders[name.split("/")[1]] = material / name
for name, folder in folders.items():
    if folder.is_dir():
        bases[name] = lambda folder=folder: load(folder)

for name, make in bases.items():
    for suffix, change in (("", lambda model: model), ("-masked", mask)):
        finish(name + suffix, change(make()))
        for file in ("tokenizer.json", "tokenizer_config.json"):
            if name in folders and (folders[name] / file).is_file():
                shutil.copy(folders[name] / file, work / "models" / (name + suffix) / file)

small = dict(sizes, vocab_size=1200, num_hidden_layers=1)
for name in ("gpt2", "opt", "llama3", "llama3-merging", "qwen2", "llama2", "metaspace-first"):
    folder = work / "tokenizers" / name
    random_model(LlamaConfig(**small)).save_pretrained(folder)
    for file in (tokenizers / name.removesuffix("-merging")).iterdir():
        shutil.copy(file, folder / file.name)
    if name == "llama3-merging":
        document = json.loads((folder / "tokenizer.json").read_text())
        document["model"]["ignore_merges"] = False
        (folder / "tokenizer.json").write_text(json.dumps(document))
