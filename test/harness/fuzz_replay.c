/*
 * main() that hands stored inputs to a fuzz target: replay FILE-OR-FOLDER…  Any compiler can build it, libFuzzer is not needed.
 * Each input lies in a block of exactly its size, so that the address sanitizer sees a read past its end.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

static unsigned n_inputs;

static void die(const char *what, const char *path)
{
    fprintf(stderr, "fuzz_replay: %s: %s\n", what, path);
    exit(EXIT_FAILURE);
}

static void replay_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(size > 0 ? size : 1);

    if (file == NULL || data == NULL || fread(data, 1, size, file) != size)
        die("cannot read", path);
    fclose(file);
    fprintf(stderr, "%s\n", path); /* the last one named is the one that broke */
    LLVMFuzzerTestOneInput(data, size);
    n_inputs++;
    free(data);
}

static void replay(const char *path);

static void replay_folder(const char *path)
{
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, alphasort);

    if (n < 0)
        die("cannot list", path);
    for (int i = 0; i < n; i++) {
        char child[4096];

        if (entries[i]->d_name[0] != '.') {
            snprintf(child, sizeof(child), "%s/%s", path, entries[i]->d_name);
            replay(child);
        }
        free(entries[i]);
    }
    free(entries);
}

static void replay(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        die("not there", path);
    if (S_ISDIR(st.st_mode))
        replay_folder(path);
    else
        replay_file(path, (size_t)st.st_size);
}

/* Named by targets with a mutator of their own; nothing is mutated here. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
    (void)data;
    return size < max_size ? size : max_size;
}

int main(int argc, char **argv)
{
    uint8_t *nothing = calloc(1, 1);

    LLVMFuzzerTestOneInput(nothing, 0);
    free(nothing);
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    printf("%u inputs\n", n_inputs);
    return EXIT_SUCCESS;
}
