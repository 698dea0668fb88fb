/* OpenSSL's view of the socket: two runs of bytes in memory lent by the loop. So one kernel call serves all records at hand,
 * where OpenSSL's own BIO reads five bytes, then the rest of the record, then five bytes …
 * It never waits and never calls the kernel from inside OpenSSL.
 * Read first: lib/tls.h. */
#include "lib/tls.h"

/* ---- chunks ------------------------------------------------------------------------------------------------------ */

void tusk__tls_flow_clear(tusk__tls_flow *flow)
{
    tusk__chunk_unref(flow->chunk);
    *flow = (tusk__tls_flow){0};
}

static bool flow_lend(tusk_loop *loop, tusk__tls_flow *flow)
{
    if (!flow->chunk)
        *flow = (tusk__tls_flow){.chunk = tusk__chunk_get(loop, 0)};
    return flow->chunk != NULL;
}

static void flow_drop(tusk__tls_flow *flow, size_t n)
{
    flow->start += n;
    if (flow->start == flow->end)
        tusk__tls_flow_clear(flow);
}

size_t tusk__tls_out_room(tusk__tls_flows *flows)
{
    tusk__tls_flow *out = &flows->out;

    return flow_lend(flows->loop, out) ? out->chunk->cap - out->end : 0;
}

/* ---- the kernel -------------------------------------------------------------------------------------------------- */

tusk_code tusk__tls_fill(tusk__tls_flows *flows, int fd, bool *is_full, tusk_error *err)
{
    tusk__tls_flow *in = &flows->in;
    tusk_code code;
    size_t n;

    *is_full = false;
    if (!flow_lend(flows->loop, in))
        return TUSK_ERR_NOMEM;
    code = tusk__socket_recv(flows->loop, fd, in->chunk->data, in->chunk->cap, &n, err);
    in->end = n;
    *is_full = n == in->chunk->cap;
    if (n == 0)
        tusk__tls_flow_clear(in);
    return code;
}

tusk_code tusk__tls_flush(tusk__tls_flows *flows, int fd, tusk_error *err)
{
    tusk__tls_flow *out = &flows->out;
    size_t n = 0;
    tusk_code code = TUSK_OK;

    if (tusk__tls_flow_len(out) > 0)
        code = tusk__socket_send(flows->loop, fd, out->chunk->data + out->start, tusk__tls_flow_len(out), &n, err);
    if (out->chunk)
        flow_drop(out, n);
    return code == TUSK_AGAIN ? TUSK_OK : code;
}

/* ---- the BIO ----------------------------------------------------------------------------------------------------- */

static int bio_read(BIO *bio, char *buf, int len)
{
    tusk__tls_flows *flows = BIO_get_data(bio);
    tusk__tls_flow *in = &flows->in;
    size_t n = tusk__tls_flow_len(in);

    BIO_clear_retry_flags(bio);
    if (len <= 0)
        return 0;
    if (n == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    if (n > (size_t)len)
        n = (size_t)len;
    memcpy(buf, in->chunk->data + in->start, n);
    flow_drop(in, n);
    return (int)n;
}

/* Takes what there is room for; the rest is asked for again after a flush. */
static int bio_write(BIO *bio, const char *buf, int len)
{
    tusk__tls_flows *flows = BIO_get_data(bio);
    size_t room = tusk__tls_out_room(flows), n = len > 0 ? (size_t)len : 0;

    BIO_clear_retry_flags(bio);
    if (!flows->out.chunk) {
        flows->no_memory = true;
        return -1;
    }
    if (n > room)
        n = room;
    if (n == 0) {
        BIO_set_retry_write(bio);
        return -1;
    }
    memcpy(flows->out.chunk->data + flows->out.end, buf, n);
    flows->out.end += n;
    return (int)n;
}

/* Flushing is our caller's business, after OpenSSL has returned: all that it has to say leaves at once. */
static long bio_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
    const tusk__tls_flows *flows = BIO_get_data(bio);

    (void)num;
    (void)ptr;
    switch (cmd) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_PENDING:
        return (long)tusk__tls_flow_len(&flows->in);
    case BIO_CTRL_WPENDING:
        return (long)tusk__tls_flow_len(&flows->out);
    default:
        return 0;
    }
}

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

/* One per context and not one per process: that would be global state. The type needs no index of OpenSSL's, which has only
 * 127 to give: nobody looks for this BIO by its type. */
BIO_METHOD *tusk__tls_bio_method_new(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "tusk");

    if (method && BIO_meth_set_read(method, bio_read) == 1 && BIO_meth_set_write(method, bio_write) == 1 &&
        BIO_meth_set_ctrl(method, bio_ctrl) == 1 && BIO_meth_set_create(method, bio_create) == 1)
        return method;
    BIO_meth_free(method);
    return NULL;
}
