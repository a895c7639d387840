"""Writes mixed.bin and mixed.safetensors (PyTorch 2.13.0, safetensors 0.8.0)."""
import torch
from safetensors.torch import save_file

torch.manual_seed(0)
base = torch.randn(6, 10)
module = torch.nn.Linear(3, 2)
state = module.state_dict()  # Carries versions of modules, which the pickle stores with BUILD.
state.update({
    "whole": base,
    "tied": base,
    "transposed": base.t(),
    "slice": base[1:5:2, 3:9:3],
    "permuted": torch.randn(2, 3, 4).permute(2, 0, 1),
    "scalar": torch.tensor(3.5),
    "empty": torch.empty(0, 4),
    "one_row": base.t()[:, :1].t(),
    "half": torch.tensor([1.0, -0.0, 65504.0, 6e-8, float("inf")]).half(),
    "bfloat16": torch.randn(7).bfloat16(),
    "double": torch.randn(3, dtype=torch.float64),
    "int64": torch.tensor([[-1, 2**40]]),
    "int32": torch.arange(-2, 3, dtype=torch.int32).t(),
    "int16": torch.tensor([-300], dtype=torch.int16),
    "int8": torch.tensor([-3, 3], dtype=torch.int8),
    "uint8": torch.tensor([200], dtype=torch.uint8),
    "bool": torch.tensor([True, False, True]),
})
torch.save(state, "mixed.bin")
contiguous = {name: value.detach().contiguous().clone() for name, value in state.items()}
save_file(contiguous, "mixed.safetensors", metadata={"format": "pt"})
