/* Service files (~/.pg_service.conf, pg_service.conf): the parameters of one section.
 * It opens no file and judges no value.
 * Read first: PostgreSQL docs, libpq, "The Connection Service File". */
#ifndef TUSK_LIB_SERVICEFILE_H
#define TUSK_LIB_SERVICEFILE_H

#include <tusk/error.h>

#include "lib/config_table.h"

#define TUSK__SERVICE_FILE_MAX (1 << 20) /* beyond it the file is something else */
#define TUSK__SERVICE_LINE_MAX 1022      /* libpq's, line end included */

/*
 * Read the section [service] into `values`, as views into `text`, where nothing is given yet; of a parameter that is there twice
 * the first counts, as in libpq. Other sections are not looked at. *found says whether there is such a section.
 *
 * path    for origins and errors; borrowed as long as the values are
 * Errors  TUSK_ERR_CONFIG with the line; never a byte of it (D31)
 */
TUSK_MUST_CHECK
tusk_code tusk__servicefile_read(tusk_str text, const char *path, tusk_str service, tusk__param_values *values, bool *found,
                                 tusk_error *err);

#endif
