/* A wall clock that is wrong and a disk that is slow, by the two numbers of 8 bytes in the file LIQ_CHAOS_CLOCK: nanoseconds
   added to CLOCK_REALTIME and to nothing else, and nanoseconds that each write and sync of a file takes longer.
   libfaketime does not do: with it clock_nanosleep, which Python sleeps with, fails on the clock that must not be shifted. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *offset;
static int (*real)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("LIQ_CHAOS_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *shared = file < 0 ? MAP_FAILED : mmap(NULL, 16, PROT_READ, MAP_SHARED, file, 0);
    offset = shared == MAP_FAILED ? NULL : shared;
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, at);
    if (!failed && offset && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        int64_t ns = (int64_t)at->tv_sec * 1000000000 + at->tv_nsec + *offset;
        at->tv_sec = ns / 1000000000;
        at->tv_nsec = ns % 1000000000;
    }
    return failed;
}

int gettimeofday(struct timeval *at, void *zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}

static void late(int file) {
    struct stat found;
    int64_t ns = offset ? offset[1] : 0;
    if (ns > 0 && !fstat(file, &found) && S_ISREG(found.st_mode)) {
        struct timespec wait = {ns / 1000000000, ns % 1000000000};
        nanosleep(&wait, NULL);
    }
}

#define REAL(name, type) static type found; if (!found) found = (type)dlsym(RTLD_NEXT, name)

ssize_t write(int file, const void *from, size_t count) {
    REAL("write", __typeof__(write) *);
    late(file);
    return found(file, from, count);
}

ssize_t pwrite(int file, const void *from, size_t count, off_t at) {
    REAL("pwrite", __typeof__(pwrite) *);
    late(file);
    return found(file, from, count, at);
}

ssize_t pwrite64(int file, const void *from, size_t count, off64_t at) {
    REAL("pwrite64", __typeof__(pwrite64) *);
    late(file);
    return found(file, from, count, at);
}

int fsync(int file) {
    REAL("fsync", __typeof__(fsync) *);
    late(file);
    return found(file);
}

int fdatasync(int file) {
    REAL("fdatasync", __typeof__(fdatasync) *);
    late(file);
    return found(file);
}
