// x86-64-v4 (AVX-512).
#define KEEPSET_VARIANT avx512
#define KEEPSET_VARIANT_NAME "avx512"
#include "kernels/select/select_row.h"
