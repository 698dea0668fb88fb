/* From a member that somebody calls back with to the struct in which it lies. */
#ifndef TUSK_LIB_OWNER_H
#define TUSK_LIB_OWNER_H

#include <stddef.h>

#define OWNER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
