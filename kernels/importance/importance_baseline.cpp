// Runs on every processor: 16-byte vectors.
#define KEEPSET_VARIANT baseline
#define KEEPSET_VARIANT_NAME "baseline"
#define KEEPSET_LANES 4
#define KEEPSET_PANEL_VECTORS 2
#define KEEPSET_QUERY_ROWS 6
#include "kernels/importance/importance_tile.h"
