// x86-64-v4 (AVX-512): 24 of the 32 registers are sums.
#define KEEPSET_VARIANT avx512
#define KEEPSET_VARIANT_NAME "avx512"
#define KEEPSET_LANES 16
#define KEEPSET_PANEL_VECTORS 4
#define KEEPSET_QUERY_ROWS 6
#include "kernels/importance/importance_tile.h"
