// Runs on every processor: 16-byte vectors.
#define KEEPSET_VARIANT baseline
#define KEEPSET_VARIANT_NAME "baseline"
#include "kernels/select/select_row.h"
