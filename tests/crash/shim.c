/* Loaded into a node's process by LD_PRELOAD: writes down each change of the files below one folder, in
   order, and kills the process before the n-th of them. What was durable is worked out from the journal.

   Journal: records of {u8 kind, i32 serial, i64 offset, i64 size} and then `size` bytes. Kinds:
   O open (offset = flags, bytes = path), W write, T truncate (offset = new length), S sync,
   R rename (bytes = old \0 new), U unlink, M mkdir, D rmdir, K a seal written at the kill. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 65536

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static size_t root_size;
static int journal = -1;
static long kill_at, count;
static int32_t serials;
static struct { int32_t serial; int append; } files[FILES];

#define REAL(result, name, ...) \
    static result (*real_##name)(__VA_ARGS__); \
    if (!real_##name) real_##name = dlsym(RTLD_NEXT, #name);

static int tracked(int fd) { return journal >= 0 && fd >= 0 && fd < FILES && files[fd].serial; }

static void out(const void *data, size_t size) {
    while (size) {
        ssize_t done = syscall(SYS_write, journal, data, size);
        if (done <= 0) abort();
        data = (const char *)data + done;
        size -= done;
    }
}

static void note(char kind, int32_t serial, int64_t offset, const void *data, int64_t size) {
    struct __attribute__((packed)) { char kind; int32_t serial; int64_t offset, size; } head = {
        kind, serial, offset, size};
    out(&head, sizeof head);
    if (size) out(data, size);
}

/* One more change is about to happen: the n-th never does. */
static void point(void) {
    if (++count == kill_at) {
        note('K', 0, count, "", 0);
        syscall(SYS_kill, getpid(), SIGKILL);
        for (;;) pause();
    }
}

/* Absolute path of `path` when it is below the folder, else NULL. RocksDB's diary is left out. */
static const char *inside(int directory, const char *path, char *buffer) {
    if (journal < 0 || !path) return NULL;
    if (path[0] == '/') {
        snprintf(buffer, PATH_MAX, "%s", path);
    } else {
        char link[64], base[PATH_MAX];
        ssize_t size;
        if (directory == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
        else snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
        size = readlink(link, base, sizeof base - 1);
        if (size < 0) return NULL;
        base[size] = 0;
        if (snprintf(buffer, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) return NULL;
    }
    size_t size = strlen(buffer);
    while (size > 1 && buffer[size - 1] == '/') buffer[--size] = 0;
    if (strncmp(buffer, root, root_size) || (buffer[root_size] && buffer[root_size] != '/')) return NULL;
    const char *name = strrchr(buffer, '/');
    if (name && !strncmp(name, "/LOG", 4)) return NULL;
    return buffer;
}

/* Begin: `folder` is an absolute path without links; `n` 0 never kills. */
void hansa_shim_start(const char *folder, const char *journal_path, long n) {
    snprintf(root, sizeof root, "%s", folder);
    root_size = strlen(root);
    kill_at = n;
    count = 0;
    journal = syscall(SYS_openat, AT_FDCWD, journal_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (journal < 0) abort();
}

long hansa_shim_count(void) { return count; }

static int opened(int fd, const char *path, int flags) {
    if (fd >= 0 && fd < FILES) {
        files[fd].serial = ++serials;
        files[fd].append = (flags & O_APPEND) != 0;
        note('O', serials, flags, path, strlen(path));
    }
    return fd;
}

typedef int (*open_function)(int, const char *, int, mode_t);

static int open_through(open_function real, int directory, const char *path, int flags, mode_t mode) {
    char buffer[PATH_MAX];
    const char *where = inside(directory, path, buffer);
    if (!where) {
        int fd = real(directory, path, flags, mode);
        if (fd >= 0 && fd < FILES) files[fd].serial = 0;
        return fd;
    }
    pthread_mutex_lock(&lock);
    struct stat found;
    if ((flags & O_TRUNC) || ((flags & O_CREAT) && stat(where, &found))) point();
    int fd = opened(real(directory, path, flags, mode), where, flags);
    pthread_mutex_unlock(&lock);
    return fd;
}

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { \
        va_list more; \
        va_start(more, flags); \
        mode = va_arg(more, mode_t); \
        va_end(more); \
    }

int openat(int directory, const char *path, int flags, ...) {
    REAL(int, openat, int, const char *, int, mode_t)
    MODE(flags)
    return open_through(real_openat, directory, path, flags, mode);
}

int openat64(int directory, const char *path, int flags, ...) {
    REAL(int, openat64, int, const char *, int, mode_t)
    MODE(flags)
    return open_through(real_openat64, directory, path, flags, mode);
}

int open(const char *path, int flags, ...) {
    REAL(int, openat, int, const char *, int, mode_t)
    MODE(flags)
    return open_through(real_openat, AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    REAL(int, openat64, int, const char *, int, mode_t)
    MODE(flags)
    return open_through(real_openat64, AT_FDCWD, path, flags, mode);
}

int close(int fd) {
    REAL(int, close, int)
    if (fd >= 0 && fd < FILES) files[fd].serial = 0;
    return real_close(fd);
}

static int64_t place(int fd) {
    return lseek(fd, 0, files[fd].append ? SEEK_END : SEEK_CUR);
}

ssize_t write(int fd, const void *data, size_t size) {
    REAL(ssize_t, write, int, const void *, size_t)
    if (!tracked(fd)) return real_write(fd, data, size);
    pthread_mutex_lock(&lock);
    point();
    int64_t offset = place(fd);
    ssize_t done = real_write(fd, data, size);
    if (done > 0) note('W', files[fd].serial, offset, data, done);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
    REAL(ssize_t, pwrite, int, const void *, size_t, off_t)
    if (!tracked(fd)) return real_pwrite(fd, data, size, offset);
    pthread_mutex_lock(&lock);
    point();
    ssize_t done = real_pwrite(fd, data, size, offset);
    if (done > 0) note('W', files[fd].serial, offset, data, done);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) { return pwrite(fd, data, size, offset); }

/* Pieces one after the other: as the kernel may well do it. */
ssize_t pwritev(int fd, const struct iovec *parts, int number, off_t offset) {
    REAL(ssize_t, pwritev, int, const struct iovec *, int, off_t)
    if (!tracked(fd)) return real_pwritev(fd, parts, number, offset);
    ssize_t sum = 0;
    for (int index = 0; index < number; index++) {
        ssize_t done = pwrite(fd, parts[index].iov_base, parts[index].iov_len, offset + sum);
        if (done < 0) return sum ? sum : done;
        sum += done;
        if ((size_t)done < parts[index].iov_len) break;
    }
    return sum;
}

ssize_t pwritev64(int fd, const struct iovec *parts, int number, off64_t offset) {
    return pwritev(fd, parts, number, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int number) {
    REAL(ssize_t, writev, int, const struct iovec *, int)
    if (!tracked(fd)) return real_writev(fd, parts, number);
    ssize_t sum = 0;
    for (int index = 0; index < number; index++) {
        ssize_t done = write(fd, parts[index].iov_base, parts[index].iov_len);
        if (done < 0) return sum ? sum : done;
        sum += done;
        if ((size_t)done < parts[index].iov_len) break;
    }
    return sum;
}

static int synced(int fd, int (*real)(int)) {
    if (!tracked(fd)) return real(fd);
    pthread_mutex_lock(&lock);
    point();
    int failed = real(fd);
    if (!failed) note('S', files[fd].serial, 0, "", 0);
    pthread_mutex_unlock(&lock);
    return failed;
}

int fsync(int fd) {
    REAL(int, fsync, int)
    return synced(fd, real_fsync);
}

int fdatasync(int fd) {
    REAL(int, fdatasync, int)
    return synced(fd, real_fdatasync);
}

int ftruncate(int fd, off_t size) {
    REAL(int, ftruncate, int, off_t)
    if (!tracked(fd)) return real_ftruncate(fd, size);
    pthread_mutex_lock(&lock);
    point();
    int failed = real_ftruncate(fd, size);
    if (!failed) note('T', files[fd].serial, size, "", 0);
    pthread_mutex_unlock(&lock);
    return failed;
}

int ftruncate64(int fd, off64_t size) { return ftruncate(fd, size); }

static int renamed(int from_directory, const char *from, int to_directory, const char *to) {
    REAL(int, renameat, int, const char *, int, const char *)
    char old_buffer[PATH_MAX], new_buffer[PATH_MAX], both[2 * PATH_MAX];
    const char *old = inside(from_directory, from, old_buffer);
    const char *new = inside(to_directory, to, new_buffer);
    if (!old && !new) return real_renameat(from_directory, from, to_directory, to);
    if (!old || !new) abort(); /* a file that enters or leaves the folder: the journal cannot say it */
    pthread_mutex_lock(&lock);
    point();
    int failed = real_renameat(from_directory, from, to_directory, to);
    if (!failed) {
        size_t size = strlen(old) + 1;
        memcpy(both, old, size);
        memcpy(both + size, new, strlen(new));
        note('R', 0, 0, both, size + strlen(new));
    }
    pthread_mutex_unlock(&lock);
    return failed;
}

int rename(const char *from, const char *to) { return renamed(AT_FDCWD, from, AT_FDCWD, to); }

int renameat(int from_directory, const char *from, int to_directory, const char *to) {
    return renamed(from_directory, from, to_directory, to);
}

static int removed(int directory, const char *path, int flags) {
    REAL(int, unlinkat, int, const char *, int)
    char buffer[PATH_MAX];
    const char *where = inside(directory, path, buffer);
    if (!where) return real_unlinkat(directory, path, flags);
    pthread_mutex_lock(&lock);
    point();
    int failed = real_unlinkat(directory, path, flags);
    if (!failed) note(flags & AT_REMOVEDIR ? 'D' : 'U', 0, 0, where, strlen(where));
    pthread_mutex_unlock(&lock);
    return failed;
}

int unlink(const char *path) { return removed(AT_FDCWD, path, 0); }
int unlinkat(int directory, const char *path, int flags) { return removed(directory, path, flags); }
int rmdir(const char *path) { return removed(AT_FDCWD, path, AT_REMOVEDIR); }

static int made(int directory, const char *path, mode_t mode) {
    REAL(int, mkdirat, int, const char *, mode_t)
    char buffer[PATH_MAX];
    const char *where = inside(directory, path, buffer);
    if (!where) return real_mkdirat(directory, path, mode);
    pthread_mutex_lock(&lock);
    point();
    int failed = real_mkdirat(directory, path, mode);
    if (!failed) note('M', 0, mode, where, strlen(where));
    pthread_mutex_unlock(&lock);
    return failed;
}

int mkdir(const char *path, mode_t mode) { return made(AT_FDCWD, path, mode); }
int mkdirat(int directory, const char *path, mode_t mode) { return made(directory, path, mode); }
