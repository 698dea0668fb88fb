/* The most memory that the process has had at once. */
#ifndef TUSK_BENCH_PEAK_H
#define TUSK_BENCH_PEAK_H

#include <stdio.h>

/* VmHWM in KiB; -1 where there is no such file. */
static long peak_kib(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long kib = -1;

    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %ld kB", &kib) == 1)
            break;
    if (file)
        fclose(file);
    return kib;
}

#endif
