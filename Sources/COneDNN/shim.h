// One product of oneDNN. Its descriptors are structures and its strides arrays of fixed size, which Swift
// would have to build by hand for each call.
#include <oneapi/dnnl/dnnl.h>
#include <stdint.h>

#if DNNL_VERSION_MAJOR != 2 || DNNL_CPU_RUNTIME != DNNL_RUNTIME_OMP
#error "surgeon needs version 2 of oneDNN, built with OpenMP, as Debian 12 has it (libdnnl-dev)"
#endif

// OpenMP has no header of its own with every compiler.
extern void omp_set_num_threads(int count);

// What the processor can do, as oneDNN sees it.
enum surgeon_bfloat16 { surgeon_bfloat16_absent, surgeon_bfloat16_emulated, surgeon_bfloat16_native };

static inline enum surgeon_bfloat16 surgeon_bfloat16_support(void) {
  const unsigned isa = (unsigned)dnnl_get_effective_cpu_isa();
  const unsigned emulating = dnnl_cpu_isa_avx512_core, native = dnnl_cpu_isa_avx512_core_bf16;
  if ((isa & native) == native) return surgeon_bfloat16_native;
  return (isa & emulating) == emulating ? surgeon_bfloat16_emulated : surgeon_bfloat16_absent;
}

// The processor; nothing if there is no memory for it.
static inline dnnl_engine_t surgeon_bfloat16_engine(void) {
  dnnl_engine_t engine = 0;
  return dnnl_engine_create(&engine, dnnl_cpu, 0) == dnnl_success ? engine : 0;
}

// A factor of a product, or its result: the distances between neighbours of a row and of a column.
struct surgeon_extent {
  int64_t rows, columns, row_stride, column_stride;
};

static inline dnnl_status_t surgeon_describe(
    dnnl_memory_desc_t *description, struct surgeon_extent extent, dnnl_data_type_t type) {
  dnnl_dims_t sizes = {extent.rows, extent.columns};
  dnnl_dims_t strides = {extent.row_stride, extent.column_stride};
  return dnnl_memory_desc_init_by_strides(description, 2, sizes, type, strides);
}

// Everything that one product needs; what is not zero is to be destroyed.
struct surgeon_product {
  dnnl_primitive_attr_t attributes;
  dnnl_post_ops_t operations;
  dnnl_primitive_desc_t description;
  dnnl_primitive_t primitive;
  dnnl_stream_t stream;
  dnnl_memory_t left, right, result;
};

static inline dnnl_status_t surgeon_bfloat16_run(
    struct surgeon_product *product, dnnl_engine_t engine,
    const uint16_t *left, struct surgeon_extent left_extent,
    const uint16_t *right, struct surgeon_extent right_extent,
    float keeping, float *result, struct surgeon_extent result_extent) {
  dnnl_memory_desc_t left_md, right_md, result_md;
  dnnl_matmul_desc_t matmul;
  dnnl_status_t status;
  // The caller's thread computes alone: whoever wants several, calls from several.
  omp_set_num_threads(1);
  if ((status = surgeon_describe(&left_md, left_extent, dnnl_bf16))) return status;
  if ((status = surgeon_describe(&right_md, right_extent, dnnl_bf16))) return status;
  if ((status = surgeon_describe(&result_md, result_extent, dnnl_f32))) return status;
  if ((status = dnnl_matmul_desc_init(&matmul, &left_md, &right_md, 0, &result_md))) return status;
  if ((status = dnnl_primitive_attr_create(&product->attributes))) return status;
  if (keeping != 0) {
    if ((status = dnnl_post_ops_create(&product->operations))) return status;
    if ((status = dnnl_post_ops_append_sum(product->operations, keeping))) return status;
    if ((status = dnnl_primitive_attr_set_post_ops(product->attributes, product->operations)))
      return status;
  }
  if ((status = dnnl_primitive_desc_create(
           &product->description, &matmul, product->attributes, engine, 0)))
    return status;
  if ((status = dnnl_primitive_create(&product->primitive, product->description))) return status;
  if ((status = dnnl_stream_create(&product->stream, engine, dnnl_stream_default_flags)))
    return status;
  if ((status = dnnl_memory_create(&product->left, &left_md, engine, (void *)left))) return status;
  if ((status = dnnl_memory_create(&product->right, &right_md, engine, (void *)right))) return status;
  if ((status = dnnl_memory_create(&product->result, &result_md, engine, result))) return status;
  dnnl_exec_arg_t arguments[3] = {
      {DNNL_ARG_SRC, product->left},
      {DNNL_ARG_WEIGHTS, product->right},
      {DNNL_ARG_DST, product->result},
  };
  if ((status = dnnl_primitive_execute(product->primitive, product->stream, 3, arguments)))
    return status;
  return dnnl_stream_wait(product->stream);
}

// Computes result = left · right + keeping · result, with sums in single precision, on the calling
// thread. Not zero if oneDNN fails.
static inline int surgeon_bfloat16_multiply(
    dnnl_engine_t engine, const uint16_t *left, struct surgeon_extent left_extent,
    const uint16_t *right, struct surgeon_extent right_extent,
    float keeping, float *result, struct surgeon_extent result_extent) {
  struct surgeon_product product = {0};
  const dnnl_status_t status = surgeon_bfloat16_run(
      &product, engine, left, left_extent, right, right_extent, keeping, result, result_extent);
  if (product.result) dnnl_memory_destroy(product.result);
  if (product.right) dnnl_memory_destroy(product.right);
  if (product.left) dnnl_memory_destroy(product.left);
  if (product.stream) dnnl_stream_destroy(product.stream);
  if (product.primitive) dnnl_primitive_destroy(product.primitive);
  if (product.description) dnnl_primitive_desc_destroy(product.description);
  if (product.operations) dnnl_post_ops_destroy(product.operations);
  if (product.attributes) dnnl_primitive_attr_destroy(product.attributes);
  return (int)status;
}
