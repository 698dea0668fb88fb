/* Ways of logging in that a program names to have them: what it does not name is not linked, nor is a library below it.
 * Passwords, SCRAM and certificates need no naming.
 * Read first: docs/guide.md, "Other ways of logging in". */
#ifndef TUSK_AUTH_H
#define TUSK_AUTH_H

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A mechanism for tusk_config.auth_mechanisms. Its function returns always the same one, which is nobody's to free; naming the
 * function is what makes the linker take the mechanism out of libtusk.a.
 */
typedef struct tusk_auth_mechanism tusk_auth_mechanism;

#ifdef __cplusplus
}
#endif

#endif
