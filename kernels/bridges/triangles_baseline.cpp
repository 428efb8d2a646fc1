// Runs on every processor.
#define KEEPSET_VARIANT baseline
#define KEEPSET_VARIANT_NAME "baseline"
#include "kernels/bridges/triangles_count.h"
