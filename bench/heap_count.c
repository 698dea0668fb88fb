/* A library to be preloaded: counts the calls of malloc, calloc, realloc and free of the whole process, by the object that
 * makes them, and writes the counts to the file $HEAP_COUNT when the process ends.
 * It keeps no memory of its own, and does not see what the loader and the C library do within themselves.
 * Use: LD_PRELOAD=heap_count.so HEAP_COUNT=file program. Lines: "calls object", calls of free(NULL) not counted.
 * A program may find heap_count_begin() and heap_count_end() by dlsym(): then what lies between them is counted. */
#include <dlfcn.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* glibc's own names for the same functions: no look-up that would itself allocate. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *ptr, size_t size);
extern void __libc_free(void *ptr);

void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void *realloc(void *ptr, size_t size);
void free(void *ptr);
void heap_count_begin(void);
void heap_count_end(void);

/* The objects of the process as they were when it began: first the program itself, last whatever came later. */
enum { MAX_OBJECTS = 64 };
static struct {
    uintptr_t begin, end;
    char name[64];
    atomic_ullong calls;
} objects[MAX_OBJECTS];
static int n_objects;
static atomic_bool is_over;

static int add_object(struct dl_phdr_info *info, size_t size, void *user)
{
    const char *slash = strrchr(info->dlpi_name, '/');

    (void)size;
    (void)user;
    if (n_objects == MAX_OBJECTS - 1)
        return 1;
    objects[n_objects].begin = UINTPTR_MAX;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t begin = info->dlpi_addr + segment->p_vaddr, end = begin + segment->p_memsz;

        if (segment->p_type != PT_LOAD)
            continue;
        if (begin < objects[n_objects].begin)
            objects[n_objects].begin = begin;
        if (end > objects[n_objects].end)
            objects[n_objects].end = end;
    }
    snprintf(objects[n_objects].name, sizeof objects[n_objects].name, "%s",
             n_objects == 0 ? "program" : (slash ? slash + 1 : info->dlpi_name));
    n_objects++;
    return 0;
}

__attribute__((constructor)) static void find_objects(void)
{
    dl_iterate_phdr(add_object, NULL);
    snprintf(objects[n_objects].name, sizeof objects[n_objects].name, "other");
    objects[n_objects].end = UINTPTR_MAX;
    n_objects++;
}

__attribute__((destructor)) static void write_counts(void)
{
    const char *path = getenv("HEAP_COUNT");
    FILE *file = path ? fopen(path, "w") : NULL;
    unsigned long long counts[MAX_OBJECTS];

    for (int i = 0; i < n_objects; i++)
        counts[i] = objects[i].calls;
    if (!file)
        return;
    for (int i = 0; i < n_objects; i++)
        if (counts[i] > 0)
            fprintf(file, "%llu %s\n", counts[i], objects[i].name);
    fclose(file);
}

void heap_count_begin(void)
{
    for (int i = 0; i < n_objects; i++)
        objects[i].calls = 0;
}

void heap_count_end(void)
{
    is_over = true;
}

static void count(const void *caller)
{
    uintptr_t at = (uintptr_t)caller;

    if (is_over)
        return;
    for (int i = 0; i < n_objects; i++) {
        if (at >= objects[i].begin && at < objects[i].end) {
            atomic_fetch_add_explicit(&objects[i].calls, 1, memory_order_relaxed);
            return;
        }
    }
}

void *malloc(size_t size)
{
    count(__builtin_return_address(0));
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    count(__builtin_return_address(0));
    return __libc_calloc(n, size);
}

void *realloc(void *ptr, size_t size)
{
    count(__builtin_return_address(0));
    return __libc_realloc(ptr, size);
}

void free(void *ptr)
{
    if (ptr)
        count(__builtin_return_address(0));
    __libc_free(ptr);
}
