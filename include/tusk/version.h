/* The version of the headers, and that of the library that was linked.
 * Semantic versions; while it begins with 0 the interface may still change.
 * Read first: CHANGELOG.md. */
#ifndef TUSK_VERSION_H
#define TUSK_VERSION_H

#ifdef __cplusplus
extern "C" {
#endif

#define TUSK_VERSION_MAJOR 0
#define TUSK_VERSION_MINOR 1
#define TUSK_VERSION_PATCH 0
#define TUSK_VERSION "0.1.0"

/** The version of the library, as TUSK_VERSION was when it was built. Static. */
const char *tusk_version(void);

#ifdef __cplusplus
}
#endif

#endif
