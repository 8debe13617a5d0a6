#pragma once
#include <stdint.h>

/// Allocations of the calling thread so far, reallocations included.
uint64_t daybook_allocation_count(void);
