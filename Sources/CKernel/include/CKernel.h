#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// `syncfs(2)`: writes back everything of the file system that holds `descriptor`. 0 or -1 with errno.
int daybook_syncfs(int descriptor);

/// `openat(2)`, which Swift cannot call because it is variadic.
int daybook_open_at(int directory, const char *path, int flags, unsigned int mode);

/// `sync_file_range(2)`: starts writing dirty pages of the range to the device, and waits for them when `waits` is not 0.
/// Nothing is durable by that. 0 or -1 with errno; an error that a waiting call has told is not told again by `fdatasync`.
int daybook_write_out(int descriptor, int64_t offset, int64_t byteCount, int waits);

/// Takes an exclusive lock on the whole file, owned by the open file description: it goes when the last copy of the
/// descriptor is closed, by whatever way the process ends. 0, or -1 with errno (`EAGAIN` while somebody holds it).
int daybook_lock(int descriptor);

/// Gives back what `daybook_lock` took, for all copies of the descriptor. 0 or -1 with errno.
int daybook_unlock(int descriptor);

/// Asks whether `daybook_lock` would be refused, and takes nothing. 1 held, 0 free, -1 with errno.
int daybook_lock_is_held(int descriptor);

/// `getrandom(2)`: up to `byteCount` random bytes. How many, or -1 with errno.
ssize_t daybook_random(void *target, size_t byteCount);

/// Names the calling thread; more than 15 bytes are cut off.
void daybook_thread_name(const char *name);

/// Sets the niceness of the calling thread only (Linux keeps it per thread). 0 or -1 with errno.
int daybook_thread_niceness(int niceness);

/// Sets the time slice of the calling thread, its policy and niceness as they are: from 100,000 to 100,000,000
/// nanoseconds, 0 for the kernel's own. Kernels before 6.12 take it and do nothing. 0 or -1 with errno.
int daybook_thread_slice(uint64_t nanoseconds);

/// Raises the soft limit of open descriptors to the hard one. The limit that now holds, or -1 with errno.
int64_t daybook_raise_descriptor_limit(void);

/// `mallopt(3)`: blocks of at least `byteCount` are mapped one by one, so that they go back to the system when they are
/// freed; of the others up to `keptByteCount` stay with the process. 1, or 0 when the allocator does not take it.
int daybook_map_large_blocks(int byteCount, int keptByteCount);

/// `accept4(2)`, closed on `exec`. The descriptor, or -1 with errno.
int daybook_accept(int listener);

/// `pipe2(2)` with close-on-exec: the end to read, then the end to write. 0 or -1 with errno.
int daybook_pipe(int *ends);

/// The environment as the C library keeps it: null-terminated `NAME=value` strings.
char *const *daybook_environment(void);

/// `epoll_create1(2)`, closed on `exec`. The descriptor, or -1 with errno.
int daybook_poll_create(void);

enum { DAYBOOK_POLL_ADD = 1, DAYBOOK_POLL_REMOVE = 2, DAYBOOK_POLL_MODIFY = 3 };

/// `epoll_ctl(2)`. `interest`: 1 to read, 2 to write. 0 or -1 with errno.
int daybook_poll_change(int poller, int operation, int descriptor, uint64_t token, uint32_t interest);

/// `ready`: 1 to read, 2 to write; both after an error or a hang-up.
typedef struct {
    uint64_t token;
    uint32_t ready;
} daybook_poll_event;

/// `epoll_pwait2(2)` for at most `microseconds`, -1 for ever. How many events it wrote, or -1 with errno.
int daybook_poll_wait(int poller, daybook_poll_event *events, int capacity, int64_t microseconds);
