/*
 * http.c: functions behind a URL: the event is the body of a POST, the body of a 2xx answer the
 * result.
 *
 * Each call has a slot with a handle of libcurl's; connections are shared by the slots and used
 * again. A call that is ended is given up at once, with its connection.
 */
#include "fn/http.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"
#include "fn/http_answer.h"
#include "fn/http_multi.h"
#include "fn/http_request.h"
#include "fn/http_url.h"
#include "fn/http_validators.h"
#include "fn/kind.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    HTTP_CONNECT = 30, /* seconds that connecting may take, TLS included; then it has failed */
    HTTP_HOPS = 5,     /* redirects of a GET that are followed; more fail it */
};

struct run { /* a call under way; one for each slot, made when the slot is first used */
    struct http_transfer transfer;
    struct fn *fn;
    struct fn_call *call; /* NULL: the slot is free */
    unsigned slot;
    struct http_request request;
    struct http_answer answer;
    struct loop_timer timer; /* the timeout, or the crash */
    unsigned hops;
    int no_socket; /* errno: why none could be made; 0: the last one was */
    char error[CURL_ERROR_SIZE];
    struct run *next_free;
};

struct http {
    const struct http_curl *curl;
    struct http_multi *multi;
    struct http_url *url;
    struct environment *environment;
    struct run **runs;
    unsigned made;
    struct run *free;
};

static bool is_get(const struct fn *fn)
{
    return fn->settings.http && fn->settings.http->get;
}

static bool http_has_slot(const struct fn *fn)
{
    const struct http *http = fn->state;
    return http->free || http->made < fn->settings.jobs;
}

/* ---- the end of a call ---- */

static void drop_handle(struct run *run)
{
    struct http *http = run->fn->state;
    http_multi_drop(http->multi, &run->transfer);
    if (run->transfer.easy)
        http->curl->easy_cleanup(run->transfer.easy);
    run->transfer.easy = NULL;
}

static void give_back(struct run *run)
{
    struct http *http = run->fn->state;
    drop_handle(run);
    loop_timer_clear(run->fn->context->loop, &run->timer);
    run->call = NULL;
    run->next_free = http->free;
    http->free = run;
}

static void end(struct run *run, struct failure *failure)
{
    struct fn_call *call = run->call;
    struct attempt_report report = {
        .slot = run->slot, .bytes_in = run->request.body.len, .bytes_out = run->answer.received};
    give_back(run);
    http_answer_clear(&run->answer);
    attempt_end(call, failure, &report);
}

/* CURLOPT_OPENSOCKETFUNCTION: libcurl does not tell a server that is not reached from a want of
 * descriptors. An address of a family that is not there is one that is not reached. */
static curl_socket_t open_socket(void *owner, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct run *run = owner;
    (void)purpose;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    run->no_socket = fd < 0 && errno != EAFNOSUPPORT ? errno : 0;
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

/* The options that are the same for all calls. */
static void set_up(struct run *run)
{
    const struct http_curl *curl = ((struct http *)run->fn->state)->curl;
    CURL *easy = run->transfer.easy;
    curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
    curl->easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)HTTP_CONNECT);
    curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, run->error);
    curl->easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE); /* none to a proxy */
    curl->easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl->easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl->easy_setopt(easy, CURLOPT_OPENSOCKETDATA, run);
    curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, http_answer_header);
    curl->easy_setopt(easy, CURLOPT_HEADERDATA, &run->answer);
    curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, http_answer_body);
    curl->easy_setopt(easy, CURLOPT_WRITEDATA, &run->answer);
    curl->easy_setopt(easy, is_get(run->fn) ? CURLOPT_HTTPGET : CURLOPT_POST, 1L);
    if (run->fn->settings.http && run->fn->settings.http->cacert)
        curl->easy_setopt(easy, CURLOPT_CAINFO, run->fn->settings.http->cacert);
#if LIBCURL_VERSION_NUM >= 0x075700 /* else an end waits for names that are being looked up */
    curl->easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
}

/*
 * Send what the request is. Each time over a handle of its own: one that is used again counts the
 * connections that were found dead over all calls, and fails every sixth for good; and even when it
 * is reset, libcurl before 8.0 follows a pointer to the answer before where a head begins with the
 * continuation of a line. Connections and addresses belong to the multi handle.
 */
static int send_to(struct run *run, const char *url, struct err *err)
{
    struct http *http = run->fn->state;
    const struct str *body = &run->request.body;
    drop_handle(run);
    CURL *easy = run->transfer.easy = http->curl->easy_init();
    if (!easy)
        return err_set(err, ERR_SYSTEM, "libcurl: out of memory");
    set_up(run);
    http->curl->easy_setopt(easy, CURLOPT_URL, url);
    http->curl->easy_setopt(easy, CURLOPT_HTTPHEADER, http_request_fields(&run->request));
    http->curl->easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->len);
    if (!is_get(run->fn))
        http->curl->easy_setopt(easy, CURLOPT_POSTFIELDS, body->len ? body->data : "");
    run->error[0] = '\0';
    run->no_socket = 0;
    return http_multi_start(http->multi, &run->transfer, err);
}

/* Where a redirect leads to, or NULL. */
static const char *redirect_of(struct run *run)
{
    const struct http *http = run->fn->state;
    char *place = NULL;
    int status = run->answer.status;
    if (status == 301 || status == 302 || status == 303 || status == 307 || status == 308)
        http->curl->easy_getinfo(run->transfer.easy, CURLINFO_REDIRECT_URL, &place);
    return place;
}

/* A GET is sent on to the same server. */
static bool follow(struct run *run, const char *place)
{
    const struct http *http = run->fn->state;
    char *from = NULL;
    struct err err;
    http->curl->easy_getinfo(run->transfer.easy, CURLINFO_EFFECTIVE_URL, &from);
    if (!is_get(run->fn) || !place || !from || run->hops == HTTP_HOPS ||
        !http_url_may_follow(from, place))
        return false;
    run->hops++;
    http_answer_clear(&run->answer);
    char *url = mem_strdup(place); /* it is the handle's */
    int status = send_to(run, url, &err);
    free(url);
    return status == 0;
}

/* What libcurl says of an error. With an @ it may hold the password of a proxy. */
static const char *error_of(const struct run *run, CURLcode result)
{
    const struct http *http = run->fn->state;
    if (result == CURLE_ABORTED_BY_CALLBACK) /* http_multi.c's own */
        return "its socket cannot be watched";
    return run->error[0] && !strchr(run->error, '@') ? run->error
                                                     : http->curl->easy_strerror(result);
}

static void ended(struct http_transfer *transfer, CURLcode result)
{
    struct run *run = CONTAINER_OF(transfer, struct run, transfer);
    struct fn *fn = run->fn;
    const char *place = result == CURLE_OK ? redirect_of(run) : NULL;
    if (place && follow(run, place))
        return;
    struct failure *failure =
        run->no_socket && result != CURLE_OK
            ? failure_new(FAILURE_SPAWN, FAILURE_TEMPORARY, "make a socket: %s",
                          strerror(run->no_socket))
            : http_answer_end(&run->answer, result, error_of(run, result), place, run->call);
    if (!failure && is_get(fn))
        http_validators_note(fn->settings.http->validators, &run->answer);
    end(run, failure);
    attempt_pump(fn);
}

static void timed_out(struct loop_timer *timer)
{
    struct run *run = CONTAINER_OF(timer, struct run, timer);
    struct fn *fn = run->fn;
    char after[NUM_TEXT];
    end(run, failure_new(FAILURE_TIMEOUT, FAILURE_ORDINARY, "not done after %s",
                         num_format_duration(fn->settings.timeout, after)));
    attempt_pump(fn);
}

static void crashed(struct loop_timer *timer)
{
    struct run *run = CONTAINER_OF(timer, struct run, timer);
    struct fn *fn = run->fn;
    end(run, failure_new(FAILURE_CONNECTION, FAILURE_ORDINARY,
                         "the connection was closed on purpose (--fault)"));
    attempt_pump(fn);
}

/* ---- a call ---- */

static struct run *take_run(struct fn *fn)
{
    struct http *http = fn->state;
    struct run *run = http->free;
    if (run) {
        http->free = run->next_free;
        return run;
    }
    run = mem_zalloc(sizeof *run);
    run->fn = fn;
    run->transfer.ended = ended;
    http_answer_init(&run->answer, fn);
    http->runs[http->made++] = run;
    run->slot = http->made;
    return run;
}

static int start(struct run *run, const char *url, struct err *err)
{
    struct http *http = run->fn->state;
    run->hops = 0;
    if (http_request_make(&run->request, run->call, http->environment, err) < 0)
        return -1;
    return send_to(run, url, err);
}

static void refuse(struct fn_call *call, enum failure_reason reason, enum failure_class class,
                   const char *text)
{
    attempt_end(call, failure_new(reason, class, "%s", text), &(struct attempt_report){0});
}

static struct run *begin(struct fn *fn, struct fn_call *call)
{
    struct http *http = fn->state;
    struct loop *loop = fn->context->loop;
    struct err err;
    const char *url = http_url_for(http->url, slice_str(call->event), &err);
    if (!url) {
        refuse(call, FAILURE_BAD_EVENT, FAILURE_PERMANENT, err.text);
        return NULL;
    }
    struct run *run = take_run(fn);
    run->call = call;
    call->run = run;
    call->started = clock_now();
    if (start(run, url, &err) < 0) {
        give_back(run);
        if (err.kind == ERR_INPUT)
            refuse(call, FAILURE_BAD_EVENT, FAILURE_PERMANENT, err.text);
        else
            refuse(call, FAILURE_CONNECTION, FAILURE_TEMPORARY, err.text);
        return NULL;
    }
    run->timer.fire = timed_out;
    if (fn->settings.timeout)
        loop_timer_set(loop, &run->timer, loop_now(loop) + fn->settings.timeout);
    return run;
}

static void http_begin(struct fn *fn, struct fn_call *call)
{
    begin(fn, call);
}

static void http_crash(struct fn *fn, struct fn_call *call)
{
    struct run *run = begin(fn, call);
    if (!run)
        return;
    run->timer.fire = crashed;
    loop_timer_set(fn->context->loop, &run->timer, loop_now(fn->context->loop));
}

static void http_forsake(struct fn *fn, struct fn_call *call, struct fn_call *instead,
                         enum failure_reason reason)
{
    struct run *run = call->run;
    (void)fn;
    run->call = instead;
    end(run, failure_new(reason, FAILURE_PERMANENT, "%s", failure_name(reason)));
}

static void http_cancel(struct fn *fn, enum failure_reason reason, bool now)
{
    struct http *http = fn->state;
    (void)now;
    for (unsigned i = 0; i < http->made; i++) {
        if (http->runs[i]->call)
            end(http->runs[i], failure_new(reason, FAILURE_PERMANENT,
                                           "ended before it was done: %s", failure_name(reason)));
    }
}

/* ---- opening and closing ---- */

static int check_settings(const struct fn *fn, struct err *err)
{
    const struct fn_http *http = fn->settings.http;
    if (fn->word_count > 1)
        return err_set(err, ERR_USAGE, "'%s': takes no further words", fn->words[0]);
    if (http && http->ce && fn->settings.raw)
        return err_set(err, ERR_USAGE, "'%s': --raw and --ce do not go together", fn->words[0]);
    return 0;
}

static int http_open(struct fn *fn, struct err *err)
{
    struct http_url *url = http_url_new(fn->words[0], fn->settings.literal, err);
    if (!url)
        return -1;
    struct http *http = mem_zalloc(sizeof *http);
    http->url = url;
    if (check_settings(fn, err) < 0)
        goto fail;
    http->curl = http_curl_load(err);
    http->multi =
        http->curl ? http_multi_new(http->curl, fn->context->loop, fn->settings.jobs, err) : NULL;
    if (!http->multi)
        goto fail;
    http->environment = environment_new(fn->context);
    http->runs = mem_array(fn->settings.jobs, sizeof *http->runs);
    fn->state = http;
    return 0;

fail:
    http_url_free(url);
    free(http);
    return -1;
}

static void http_close(struct fn *fn)
{
    fn_closed(fn);
}

static void http_free(struct fn *fn)
{
    struct http *http = fn->state;
    for (unsigned i = 0; i < http->made; i++) {
        struct run *run = http->runs[i];
        give_back(run);
        http_request_free(&run->request);
        http_answer_free(&run->answer);
        free(run);
    }
    http_multi_free(http->multi);
    environment_free(http->environment);
    http_url_free(http->url);
    free(http->runs);
    free(http);
}

#define HTTP_KIND(word)                                                                        \
    {                                                                                          \
        .scheme = word, .whole = true, .wants_id = true, .open = http_open,                    \
        .has_slot = http_has_slot, .begin = http_begin, .crash = http_crash,                   \
        .forsake = http_forsake, .cancel = http_cancel, .close = http_close, .free = http_free \
    }

const struct fn_kind http_kind = HTTP_KIND("http://");
const struct fn_kind https_kind = HTTP_KIND("https://");
