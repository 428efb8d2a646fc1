// x86-64-v4 with VPOPCNTDQ: an instruction counts the bits of eight words.
#define KEEPSET_VARIANT avx512
#define KEEPSET_VARIANT_NAME "avx512"
#include "kernels/bridges/triangles_count.h"
