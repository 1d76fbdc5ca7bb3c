#include "future.h"

#include <pthread.h>
#include <stdlib.h>

struct future {
    pthread_t runner;
    pthread_mutex_t mutex;
    pthread_cond_t kept;
    future_body body;
    void *body_ctx;
    future_hook hook;
    void *hook_ctx;
    long value;
    unsigned done : 1;
};

static void promise_keep(future *f, long value)
{
    future_hook hook;
    void *ctx;

    pthread_mutex_lock(&f->mutex);
    f->value = value;
    f->done = 1;
    hook = f->hook;
    ctx = f->hook_ctx;
    pthread_cond_broadcast(&f->kept);
    pthread_mutex_unlock(&f->mutex);
    if (hook)
        hook(ctx, value);
}

static void *run(void *arg)
{
    future *f = arg;

    promise_keep(f, f->body(f->body_ctx));
    return NULL;
}

future *future_start(future_body body, void *ctx)
{
    future *f = calloc(1, sizeof *f);

    if (!f)
        return NULL;
    f->body = body;
    f->body_ctx = ctx;
    pthread_mutex_init(&f->mutex, NULL);
    pthread_cond_init(&f->kept, NULL);
    if (pthread_create(&f->runner, NULL, run, f) == 0)
        return f;
    pthread_cond_destroy(&f->kept);
    pthread_mutex_destroy(&f->mutex);
    free(f);
    return NULL;
}

void future_then(future *f, future_hook hook, void *ctx)
{
    long value = 0;
    int late;

    pthread_mutex_lock(&f->mutex);
    late = f->done;
    if (late) {
        value = f->value;
    } else {
        f->hook = hook;
        f->hook_ctx = ctx;
    }
    pthread_mutex_unlock(&f->mutex);
    if (late)
        hook(ctx, value);
}

long future_get(future *f)
{
    long value;

    pthread_mutex_lock(&f->mutex);
    while (!f->done)
        pthread_cond_wait(&f->kept, &f->mutex);
    value = f->value;
    pthread_mutex_unlock(&f->mutex);
    return value;
}

void future_drop(future **f)
{
    pthread_join((*f)->runner, NULL);
    pthread_cond_destroy(&(*f)->kept);
    pthread_mutex_destroy(&(*f)->mutex);
    free(*f);
    *f = NULL;
}
