/* One block: the structs, then the lists, then the texts, a password among them perhaps. The same walk measures and fills it.
 * Read first: lib/config_copy.h, lib/config_json_reader.h. */
#include "lib/config_copy.h"

#include "lib/config_json_reader.h"
#include "lib/crypto.h"

/* Beside those that stand in for a parameter or a setting of the session: what lib/gather.c asks for by name. */
static const char *const other_variables[] = {"HOME",          "PGREQUIRESSL",  "PGSERVICEFILE", "PGSYSCONFDIR",
                                              "SSLKEYLOGFILE", "SSL_CERT_FILE", "SSL_CERT_DIR"};

#define N_OTHERS (sizeof other_variables / sizeof other_variables[0])
#define N_SETTINGS 3 /* of tusk__env_settings */
#define N_VARIABLES (TUSK__N_PARAMS + N_SETTINGS + N_OTHERS)

struct tusk__config_copy {
    size_t size; /* of the block */
    tusk_config config;
    tusk_config_document document;
    tusk__sources sources;
    const char *variables[N_VARIABLES]; /* by name_of(); NULL: not set */
};

/* Where the next text goes; NULL while the room for all of them is measured. */
typedef struct walk {
    char *out;
    size_t room;
} walk;

static const char *name_of(size_t i)
{
    if (i < TUSK__N_PARAMS)
        return tusk__params[i].env;
    i -= TUSK__N_PARAMS;
    return i < N_SETTINGS ? tusk__env_settings[i].env : other_variables[i - N_SETTINGS];
}

static const char *put(walk *w, const char *text)
{
    size_t size = text ? strlen(text) + 1 : 0;
    char *to = w->out;

    w->room += size;
    if (!text || !to)
        return text;
    memcpy(to, text, size);
    w->out += size;
    return to;
}

static void *put_list(walk *w, const void *list, size_t n, size_t size_of_one)
{
    char *to = w->out;

    w->room += n * size_of_one;
    if (!to || n == 0)
        return NULL;
    memcpy(to, list, n * size_of_one);
    w->out += n * size_of_one;
    return to;
}

/* ---- lists: first, as they want to be aligned ------------------------------------------------------------------------------ */

static size_t n_texts(const char *const *pairs)
{
    size_t n = 0;

    while (pairs[n] && pairs[n + 1])
        n += 2;
    return n + (pairs[n] ? 2 : 1); /* a name without a value behind it is the judge's to refuse */
}

static void walk_lists(walk *w, const tusk_config *from, tusk_config *to)
{
    size_t n = 0;

    if (from->server_settings)
        to->server_settings =
            put_list(w, from->server_settings, n_texts(from->server_settings), sizeof *from->server_settings);
    while (from->auth_mechanisms && from->auth_mechanisms[n])
        n++;
    if (from->auth_mechanisms)
        to->auth_mechanisms = put_list(w, from->auth_mechanisms, n + 1, sizeof(tusk_auth_mechanism *));
}

/* ---- texts ------------------------------------------------------------------------------------------------------------------- */

static void walk_settings(walk *w, const tusk_config *from, const tusk_config *to)
{
    const char **list = (const char **)(uintptr_t)to->server_settings;

    for (size_t i = 0; from->server_settings && from->server_settings[i]; i++) {
        const char *text = put(w, from->server_settings[i]);

        if (list)
            list[i] = text;
    }
}

static const char *field_of(const tusk_config *config, size_t i)
{
    const char *text = NULL;

    if (tusk__params[i].config_offset != TUSK__NO_FIELD)
        memcpy(&text, (const char *)config + tusk__params[i].config_offset, sizeof text);
    return text;
}

/* Which value is the document's is told by its pointer: so it has to be here, too. */
static void walk_param(walk *w, size_t i, const tusk_config *from, tusk_config *to, tusk_config_document *document)
{
    const char *field = field_of(from, i), *text = put(w, field);
    const char *documents = from->document ? from->document->text[i] : NULL;

    if (tusk__params[i].config_offset != TUSK__NO_FIELD) {
        memcpy((char *)to + tusk__params[i].config_offset, &text, sizeof text);
        document->text[i] = documents == field ? text : NULL;
    } else {
        document->text[i] = put(w, documents);
    }
}

static void walk_texts(walk *w, const tusk_config *from, tusk_config *to, tusk_config_document *document)
{
    to->dsn = put(w, from->dsn);
    to->sslkeylogfile = put(w, from->sslkeylogfile);
    walk_settings(w, from, to);
    for (size_t i = 0; i < TUSK__N_PARAMS; i++)
        walk_param(w, i, from, to, document);
    if (!from->document)
        return;
    document->dsn = from->document->dsn == from->dsn ? to->dsn : NULL;
    document->server_settings = from->document->server_settings == from->server_settings ? to->server_settings : NULL;
}

static void walk_variables(walk *w, const tusk__sources *sources, const char **variables)
{
    for (size_t i = 0; i < N_VARIABLES; i++)
        variables[i] = name_of(i) ? put(w, sources->variable(sources->user, name_of(i))) : NULL;
}

/* ---- the copy ------------------------------------------------------------------------------------------------------------------- */

static const char *variable(void *user, const char *name)
{
    const tusk__config_copy *copy = user;

    for (size_t i = 0; i < N_VARIABLES; i++)
        if (name_of(i) && strcmp(name_of(i), name) == 0)
            return copy->variables[i];
    return NULL;
}

static void walk_all(walk *w, const tusk__sources *sources, const tusk_config *config, tusk__config_copy *copy)
{
    copy->config = *config;
    if (config->document) {
        copy->document = *config->document;
        copy->config.document = &copy->document;
    }
    walk_lists(w, config, &copy->config);
    walk_texts(w, config, &copy->config, &copy->document);
    if (!config->ignore_environment)
        walk_variables(w, sources, copy->variables);
}

tusk__config_copy *tusk__config_copy_new(const tusk_allocator *allocator, const tusk__sources *sources,
                                         const tusk_config *config)
{
    tusk__config_copy scratch = {0}, *copy;
    walk w = {NULL, sizeof *copy};

    walk_all(&w, sources, config, &scratch);
    copy = allocator->malloc(w.room, allocator->user);
    if (!copy)
        return NULL;
    *copy = (tusk__config_copy){.size = w.room, .sources = *sources};
    copy->sources.user = copy;
    copy->sources.variable = variable;
    copy->sources.has_any = NULL;
    copy->sources.never_waits = false;
    w = (walk){(char *)(copy + 1), sizeof *copy};
    walk_all(&w, sources, config, copy);
    return copy;
}

void tusk__config_copy_free(tusk__config_copy *copy, const tusk_allocator *allocator)
{
    if (!copy)
        return;
    tusk__crypto_openssl()->wipe(copy, copy->size);
    allocator->free(copy, allocator->user);
}

const tusk_config *tusk__config_copy_config(const tusk__config_copy *copy)
{
    return &copy->config;
}

const tusk__sources *tusk__config_copy_sources(const tusk__config_copy *copy)
{
    return &copy->sources;
}
