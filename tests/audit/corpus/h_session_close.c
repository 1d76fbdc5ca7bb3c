/* A session with a refresher thread behind an opaque handle: close destroys the lock and frees the memory, then joins.
 *
 * clean: no
 * run: may fail
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct session *session_h;
typedef void (*on_refresh)(void *ctx, int generation);

struct session {
    pthread_mutex_t lock;
    atomic_bool leaving;
    int generation;
    on_refresh notify;
    void *notify_ctx;
};

static void *refresher(void *arg)
{
    session_h s = arg;

    while (!atomic_load(&s->leaving)) { /* expect: CD001 #gone */
        pthread_mutex_lock(&s->lock); /* expect: CD001 #gone */
        s->generation++;              /* expect: CD001 #gone */
        pthread_mutex_unlock(&s->lock);
        usleep(300);
        s->notify(s->notify_ctx, 1); /* expect: CD001 #gone */
    }
    return NULL;
}

static int session_open(session_h *out, pthread_t *thread, on_refresh notify, void *ctx)
{
    session_h s = calloc(1, sizeof *s);

    if (s == NULL)
        return -1;
    pthread_mutex_init(&s->lock, NULL);
    s->notify = notify;
    s->notify_ctx = ctx;
    if (pthread_create(thread, NULL, refresher, s) != 0)
        goto fail;
    *out = s;
    return 0;
fail:
    pthread_mutex_destroy(&s->lock);
    free(s);
    return -1;
}

static int session_generation(session_h s)
{
    int generation;

    pthread_mutex_lock(&s->lock);
    generation = s->generation;
    pthread_mutex_unlock(&s->lock);
    return generation;
}

static void session_close(session_h *ps, pthread_t thread)
{
    session_h s = *ps;

    atomic_store(&s->leaving, true);
    pthread_mutex_destroy(&s->lock); /* expect: CD001 #gone */
    free(s);                         /* expect: CD001 #gone */
    *ps = NULL;
    pthread_join(thread, NULL);
}

static void count_refresh(void *ctx, int step)
{
    atomic_fetch_add((atomic_int *)ctx, step);
}

int main(void)
{
    session_h session;
    pthread_t thread;
    atomic_int refreshes = 0;

    if (session_open(&session, &thread, count_refresh, &refreshes) != 0)
        return EXIT_FAILURE;
    while (session_generation(session) < 10)
        usleep(200);
    session_close(&session, thread);
    printf("%s\n", atomic_load(&refreshes) > 0 ? "refreshed" : "never refreshed");
    return EXIT_SUCCESS;
}
