/* The byte of flags in front of a range in binary, for the two files that read and write it: rangetypes.h. What is kept beside these inside of an
 * index is never sent. */
#ifndef TUSK_LIB_CODEC_RANGE_FLAGS_H
#define TUSK_LIB_CODEC_RANGE_FLAGS_H

#define EMPTY 0x01
#define LOWER_INCLUSIVE 0x02
#define UPPER_INCLUSIVE 0x04
#define NO_LOWER 0x08
#define NO_UPPER 0x10

#endif
