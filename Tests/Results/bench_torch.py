"""Times the same calibration in surgeon and in PyTorch, in turns, and prints the ratios of the medians.

usage: bench_torch.py SURGEON [--rounds N] [--threads N] [--only SHAPE]

Both in float32 on the same threads: forward, gradients of the inputs of all linear layers, A and G; no
gradients of weights. PyTorch once with the attention that is written out and once with the fused one,
and with the number of windows at once that was fastest. Of surgeon the whole command is timed, with
reading the model and writing the statistics; of PyTorch the calibration alone.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from safetensors.torch import save_file

HERE = Path(__file__).parent
# Blocks, windows, tokens of each, vocabulary, windows at once in PyTorch.
CASES = {"tiny-opt": (6, 64, 256, 4096, 8), "opt-125m": (12, 4, 2048, 50272, 1)}


def seconds_of_surgeon(surgeon, model, tokens, threads, output):
    start = time.monotonic()
    subprocess.run(
        [surgeon, "calibrate", model, "--tokens", tokens, "--output", output, "--overwrite",
         "--threads", str(threads), "--quiet"],
        check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - start


def seconds_of_torch(model, tokens, threads, at_once, attention):
    command = [sys.executable, HERE / "torch_calibration.py", model, tokens, str(threads), str(at_once),
               attention]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    result = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return float(result.stdout)


def compare(surgeon, shape, work, rounds, threads):
    blocks, windows, length, vocabulary, at_once = CASES[shape]
    model, tokens = work / shape, work / f"{shape}.safetensors"
    subprocess.run([sys.executable, HERE / "random_model.py", shape, str(blocks), model], check=True)
    torch.manual_seed(1)
    save_file({"tokens": torch.randint(4, vocabulary, (windows, length), dtype=torch.int32)}, tokens)
    runs = {
        "surgeon": lambda: seconds_of_surgeon(surgeon, model, tokens, threads, work / "statistics"),
        "PyTorch, eager": lambda: seconds_of_torch(model, tokens, threads, at_once, "eager"),
        "PyTorch, sdpa": lambda: seconds_of_torch(model, tokens, threads, at_once, "sdpa"),
    }
    times = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            times[name].append(run())
    print(f"{shape}: {windows} windows of {length} tokens, {threads} threads, {rounds} rounds")
    ours = statistics.median(times["surgeon"])
    for name, taken in times.items():
        median = statistics.median(taken)
        rate = windows * length / median
        print(f"  {name:15} {median:8.2f} s  {rate:8.0f} tokens/s  {median / ours:5.2f} x  "
              f"({min(taken):.2f} to {max(taken):.2f} s)", flush=True)


parser = argparse.ArgumentParser()
parser.add_argument("surgeon")
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
parser.add_argument("--only", choices=CASES, action="append")
options = parser.parse_args()
with tempfile.TemporaryDirectory() as folder:
    for shape in options.only or CASES:
        compare(options.surgeon, shape, Path(folder), options.rounds, options.threads)
