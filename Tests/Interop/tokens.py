"""Writes pseudo-random token windows for a model: tokens.py CONFIG OUTPUT. Standard library only."""
import json
import random
import struct
import sys

config = json.load(open(sys.argv[1]))
length = min(64, config["max_position_embeddings"])
generator = random.Random(7)
tokens = [generator.randrange(4, config["vocab_size"]) for _ in range(8 * length)]
header = json.dumps(
    {"tokens": {"dtype": "I64", "shape": [8, length], "data_offsets": [0, 8 * len(tokens)]}}
).encode()
header += b" " * (-len(header) % 8)
with open(sys.argv[2], "wb") as file:
    file.write(struct.pack("<Q", len(header)) + header + struct.pack(f"<{len(tokens)}q", *tokens))
