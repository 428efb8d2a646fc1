// x86-64-v3 (AVX2).
#define KEEPSET_VARIANT avx2
#define KEEPSET_VARIANT_NAME "avx2"
#include "kernels/select/select_row.h"
