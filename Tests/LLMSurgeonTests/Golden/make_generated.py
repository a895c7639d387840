"""Makes generated.json: what transformers generates from the models of this directory and the demo.

Run in this directory with Python 3.11, PyTorch 2.13.0 and transformers 5.23.0:
    python make_generated.py
The most likely token follows each time, whether it ends the text or not, in double precision.
`margin` is the smallest distance between the best and the second-best logit.
"""

import json
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

HERE = Path(__file__).parent
DEMO = HERE.parents[2] / "calibration" / "demo"


def continue_(model, prompt, count):
    ids = torch.tensor([prompt])
    output = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        max_new_tokens=count,
        eos_token_id=None,
    )[0]
    logits = model(output[None]).logits[0, len(prompt) - 1 : -1]
    best = logits.topk(2).values
    return output[len(prompt) :].tolist(), (best[:, 0] - best[:, 1]).min().item()


def main():
    records = []
    for name, count in [("opt", 56), ("llama", 80), ("llama3", 80)]:
        model = AutoModelForCausalLM.from_pretrained(HERE / name, dtype=torch.float64)
        prompt = [1, 17, 80, 3, 42, 9, 9, 60]
        tokens, margin = continue_(model, prompt, count)
        records.append({"model": name, "prompt": prompt, "tokens": tokens, "margin": margin})
    tokenizer = AutoTokenizer.from_pretrained(DEMO)
    model = AutoModelForCausalLM.from_pretrained(DEMO, dtype=torch.float64)
    for text in ["The castle was built in", "É 世界,"]:
        prompt = tokenizer(text)["input_ids"]
        tokens, margin = continue_(model, prompt, 72)
        records.append(
            {
                "model": "demo",
                "prompt": prompt,
                "promptText": text,
                "tokens": tokens,
                "text": tokenizer.decode(tokens, skip_special_tokens=True),
                "margin": margin,
            }
        )
    file = HERE / "generated.json"
    lines = ",\n".join(json.dumps(record, ensure_ascii=False) for record in records)
    file.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


main()
