"""Makes mixed.gguf with the reference implementation.

Run in this directory with Python 3.11, gguf 0.19.0 and numpy:
    python make_golden.py
"""
import numpy
from gguf import GGMLQuantizationType, GGUFValueType, GGUFWriter, quants

writer = GGUFWriter("mixed.gguf", "deci")
writer.add_key_value("a.uint8", 200, GGUFValueType.UINT8)
writer.add_key_value("a.int8", -100, GGUFValueType.INT8)
writer.add_key_value("a.uint16", 60000, GGUFValueType.UINT16)
writer.add_key_value("a.int16", -30000, GGUFValueType.INT16)
writer.add_uint32("a.uint32", 4_000_000_000)
writer.add_int32("a.int32", -2_000_000_000)
writer.add_float32("a.float32", 0.1)
writer.add_bool("a.true", True)
writer.add_bool("a.false", False)
writer.add_string("a.text", "größe ▁ 東京")
writer.add_key_value("a.uint64", 2**63 + 5, GGUFValueType.UINT64)
writer.add_key_value("a.int64", -(2**62), GGUFValueType.INT64)
writer.add_key_value("a.float64", 0.1, GGUFValueType.FLOAT64)
writer.add_array("a.integers", [1, -2, 3])
writer.add_array("a.numbers", [0.5, -0.25])
writer.add_array("a.texts", ["", "a b", "é"])
# Ties in half precision, ties in bfloat16, a subnormal half, the largest half.
values = numpy.array(
    [[1, -2, 1 + 2**-11, 1 + 3 * 2**-11], [1 + 2**-8, 1 + 3 * 2**-8, 3 * 2**-26, 65504]],
    dtype=numpy.float32,
)
writer.add_tensor("matrix.f32", values)
writer.add_tensor("matrix.f16", values.astype(numpy.float16))
rounded = quants.quantize(values, GGMLQuantizationType.BF16)
writer.add_tensor("matrix.bf16", rounded, raw_dtype=GGMLQuantizationType.BF16)
writer.add_tensor("vector", numpy.arange(5, dtype=numpy.float32))
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
