// Calls that Glibc's Swift overlay does not show: hidden without _GNU_SOURCE, variadic, or typed by private enums.
#define _GNU_SOURCE
#include "CKernel.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int daybook_syncfs(int descriptor) { return syncfs(descriptor); }

int daybook_write_out(int descriptor, int64_t offset, int64_t byteCount, int waits) {
    unsigned int flags = SYNC_FILE_RANGE_WRITE;
    if (waits) flags |= SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER;
    return sync_file_range(descriptor, offset, byteCount, flags);
}

int daybook_open_at(int directory, const char *path, int flags, unsigned int mode) {
    return openat(directory, path, flags, mode);
}

int daybook_lock(int descriptor) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int result = fcntl(descriptor, F_OFD_SETLK, &whole);
    if (result != 0 && errno == EACCES) errno = EAGAIN;
    return result;
}

int daybook_unlock(int descriptor) {
    struct flock whole = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
    return fcntl(descriptor, F_OFD_SETLK, &whole);
}

int daybook_lock_is_held(int descriptor) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(descriptor, F_OFD_GETLK, &whole) != 0) return -1;
    return whole.l_type != F_UNLCK;
}

ssize_t daybook_random(void *target, size_t byteCount) { return getrandom(target, byteCount, 0); }

void daybook_thread_name(const char *name) {
    char kept[16] = {0};
    strncpy(kept, name, sizeof kept - 1);
    pthread_setname_np(pthread_self(), kept);
}

int daybook_thread_niceness(int niceness) {
    return setpriority(PRIO_PROCESS, (id_t)gettid(), niceness);
}

// As the kernel lays it out (its first version); the C library of Debian 12 has neither the type nor the calls.
typedef struct {
    uint32_t byteCount;
    uint32_t policy;
    uint64_t flags;
    int32_t niceness;
    uint32_t priority;
    uint64_t sliceNanoseconds;
    uint64_t deadlineNanoseconds;
    uint64_t periodNanoseconds;
} scheduling;

int daybook_thread_slice(uint64_t nanoseconds) {
    scheduling current;
    if (syscall(SYS_sched_getattr, 0, &current, sizeof current, 0) != 0) return -1;
    current.sliceNanoseconds = nanoseconds;
    return (int)syscall(SYS_sched_setattr, 0, &current, 0);
}

int daybook_map_large_blocks(int byteCount, int keptByteCount) {
    return mallopt(M_MMAP_THRESHOLD, byteCount) == 1 && mallopt(M_TRIM_THRESHOLD, keptByteCount) == 1;
}

int64_t daybook_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
    return limit.rlim_cur > INT64_MAX ? INT64_MAX : (int64_t)limit.rlim_cur;
}

int daybook_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_CLOEXEC); }

int daybook_pipe(int *ends) { return pipe2(ends, O_CLOEXEC); }

char *const *daybook_environment(void) { return environ; }

int daybook_poll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int daybook_poll_change(int poller, int operation, int descriptor, uint64_t token, uint32_t interest) {
    struct epoll_event event = {.data.u64 = token};
    if (interest & 1) event.events |= EPOLLIN | EPOLLRDHUP;
    if (interest & 2) event.events |= EPOLLOUT;
    return epoll_ctl(poller, operation, descriptor, &event);
}

// The kernel packs its events differently on each processor; ours are unpacked, a stack's worth at a time.
int daybook_poll_wait(int poller, daybook_poll_event *events, int capacity, int64_t microseconds) {
    struct epoll_event found[256];
    int limit = capacity < 256 ? capacity : 256;
    struct timespec timeout = {.tv_sec = microseconds / 1000000, .tv_nsec = microseconds % 1000000 * 1000};
    int count = epoll_pwait2(poller, found, limit, microseconds < 0 ? NULL : &timeout, NULL);
    // Kernels before 5.11 know whole milliseconds only: rounded up, so that waiting never becomes spinning.
    if (count == -1 && errno == ENOSYS) {
        int64_t milliseconds = microseconds < 0 ? -1 : (microseconds + 999) / 1000;
        count = epoll_wait(poller, found, limit, milliseconds > INT_MAX ? INT_MAX : (int)milliseconds);
    }
    for (int i = 0; i < count; i++) {
        uint32_t bits = found[i].events;
        uint32_t ready = 0;
        if (bits & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP)) ready |= 1;
        if (bits & (EPOLLOUT | EPOLLERR | EPOLLHUP)) ready |= 2;
        events[i] = (daybook_poll_event){.token = found[i].data.u64, .ready = ready};
    }
    return count;
}
