// x86-64-v3 (AVX2 and FMA): 12 of the 16 registers are sums.
#define KEEPSET_VARIANT avx2
#define KEEPSET_VARIANT_NAME "avx2"
#define KEEPSET_LANES 8
#define KEEPSET_PANEL_VECTORS 2
#define KEEPSET_QUERY_ROWS 6
#include "kernels/importance/importance_tile.h"
