"""Writes adamw.json: what torch.optim.AdamW makes of some values in double precision."""
import json
import sys

import torch

torch.manual_seed(0)
steps, count = 7, 5
start = torch.randn(count, dtype=torch.float64).float().double()
slopes = torch.randn(steps, count, dtype=torch.float64).float().double()
runs = []
for decay, clip in [(0.0, None), (0.1, None), (0.01, 0.5)]:
    values = torch.nn.Parameter(start.clone())
    optimizer = torch.optim.AdamW([values], lr=0.03, weight_decay=decay)
    for slope in slopes:
        values.grad = slope.clone()
        if clip is not None:
            norm = slope.norm()
            values.grad *= min(1.0, clip / norm)
        optimizer.step()
    runs.append({"decay": decay, "clip": clip, "end": values.tolist()})
document = {"torch": torch.__version__, "rate": 0.03, "start": start.tolist(),
            "gradients": slopes.tolist(), "runs": runs}
json.dump(document, open(sys.argv[1], "w"), indent=1)
