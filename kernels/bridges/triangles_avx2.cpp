// x86-64-v3: an instruction counts the bits of a word.
#define KEEPSET_VARIANT avx2
#define KEEPSET_VARIANT_NAME "avx2"
#include "kernels/bridges/triangles_count.h"
