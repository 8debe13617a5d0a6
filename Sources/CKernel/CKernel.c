// Calls that Glibc's Swift overlay does not show: hidden without _GNU_SOURCE, variadic, or typed by private enums.
#define _GNU_SOURCE
#include "CKernel.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

int daybook_syncfs(int descriptor) { return syncfs(descriptor); }

int daybook_open_at(int directory, const char *path, int flags, unsigned int mode) {
    return openat(directory, path, flags, mode);
}

int daybook_lock(int descriptor) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int result = fcntl(descriptor, F_OFD_SETLK, &whole);
    if (result != 0 && errno == EACCES) errno = EAGAIN;
    return result;
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

int64_t daybook_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
    return limit.rlim_cur > INT64_MAX ? INT64_MAX : (int64_t)limit.rlim_cur;
}

char *const *daybook_environment(void) { return environ; }
