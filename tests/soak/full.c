/* Loaded into processes by LD_PRELOAD: a disk that is full below FULL_ROOT while the file FULL_FLAG is
   there, and has room again when it is not. Nothing is written, nothing grows, and statvfs says so. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(result, name, ...) \
    static result (*real_##name)(__VA_ARGS__); \
    if (!real_##name) real_##name = dlsym(RTLD_NEXT, #name);

static int is_full(void) {
    const char *flag = getenv("FULL_FLAG");
    return flag && syscall(SYS_faccessat, AT_FDCWD, flag, F_OK) == 0;
}

static int below(const char *path) {
    const char *root = getenv("FULL_ROOT");
    return root && strncmp(path, root, strlen(root)) == 0;
}

/* Whether the disk of an open file is full: pipes, sockets and other folders never are. */
static int full(int fd) {
    char link[64], path[PATH_MAX];
    if (!is_full()) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size <= 0) return 0;
    path[size] = 0;
    return below(path);
}

#define REFUSE(fd) if (full(fd)) { errno = ENOSPC; return -1; }

ssize_t write(int fd, const void *data, size_t size) {
    REAL(ssize_t, write, int, const void *, size_t);
    REFUSE(fd);
    return real_write(fd, data, size);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(ssize_t, writev, int, const struct iovec *, int);
    REFUSE(fd);
    return real_writev(fd, parts, count);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
    REFUSE(fd);
    return real_pwrite64(fd, data, size, at);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return pwrite64(fd, data, size, at); }
int fallocate64(int fd, int mode, off64_t at, off64_t size) {
    REAL(int, fallocate64, int, int, off64_t, off64_t);
    REFUSE(fd);
    return real_fallocate64(fd, mode, at, size);
}
int fallocate(int fd, int mode, off_t at, off_t size) { return fallocate64(fd, mode, at, size); }

int statvfs64(const char *path, struct statvfs64 *found) {
    REAL(int, statvfs64, const char *, struct statvfs64 *);
    int done = real_statvfs64(path, found);
    if (!done && is_full() && below(path)) found->f_bfree = found->f_bavail = 0;
    return done;
}
int statvfs(const char *path, struct statvfs *found) { return statvfs64(path, (struct statvfs64 *)found); }
