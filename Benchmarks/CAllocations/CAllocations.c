// Stands before the allocator of glibc and counts. Linked into the benchmarks only.
#include "CAllocations.h"
#include <errno.h>
#include <stddef.h>

extern void *__libc_malloc(size_t byteCount);
extern void *__libc_calloc(size_t count, size_t byteCount);
extern void *__libc_realloc(void *memory, size_t byteCount);
extern void *__libc_memalign(size_t alignment, size_t byteCount);

static _Thread_local uint64_t allocationCount;

uint64_t daybook_allocation_count(void) { return allocationCount; }

void *malloc(size_t byteCount) {
    allocationCount++;
    return __libc_malloc(byteCount);
}

void *calloc(size_t count, size_t byteCount) {
    allocationCount++;
    return __libc_calloc(count, byteCount);
}

void *realloc(void *memory, size_t byteCount) {
    allocationCount++;
    return __libc_realloc(memory, byteCount);
}

void *memalign(size_t alignment, size_t byteCount) {
    allocationCount++;
    return __libc_memalign(alignment, byteCount);
}

void *aligned_alloc(size_t alignment, size_t byteCount) { return memalign(alignment, byteCount); }

int posix_memalign(void **target, size_t alignment, size_t byteCount) {
    void *memory = memalign(alignment, byteCount);
    if (memory == NULL) return ENOMEM;
    *target = memory;
    return 0;
}
