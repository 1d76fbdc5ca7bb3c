/* A logger thread drains a ring of tagged records (union and bit-fields) and leaves when it is closed and empty.
 *
 * clean: yes
 * run: ok
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define RING_SIZE 8
#define TALKERS 3
#define LINES 60

enum kind { KIND_COUNT, KIND_RATIO, KIND_MAX };

struct record {
    unsigned kind : 2;
    unsigned from : 6;
    union {
        long count;
        double ratio;
    } u;
};

typedef struct tagLOGGER {
    pthread_t thread;
    pthread_mutex_t mtx;
    pthread_cond_t more, room;
    struct record ring[RING_SIZE];
    unsigned rd, wr;
    unsigned closed : 1;
    long lines[KIND_MAX];
    long spoke[TALKERS];
    double total;
} LOGGER, *HLOGGER;

static void absorb(HLOGGER log, const struct record *r)
{
    switch (r->kind) {
    case KIND_COUNT:
        log->total += (double)r->u.count;
        break;
    case KIND_RATIO:
        log->total += r->u.ratio;
        break;
    default:
        abort();
    }
    log->lines[r->kind]++;
    log->spoke[r->from]++;
}

static void *log_main(void *p)
{
    HLOGGER log = p;
    struct record r;

    pthread_mutex_lock(&log->mtx);
    for (;;) {
        while (log->rd == log->wr && !log->closed)
            pthread_cond_wait(&log->more, &log->mtx);
        if (log->rd == log->wr)
            break;
        r = log->ring[log->rd++ % RING_SIZE];
        pthread_cond_signal(&log->room);
        pthread_mutex_unlock(&log->mtx);
        absorb(log, &r);
        pthread_mutex_lock(&log->mtx);
    }
    pthread_mutex_unlock(&log->mtx);
    return NULL;
}

static void log_put(HLOGGER log, const struct record *r)
{
    pthread_mutex_lock(&log->mtx);
    while (log->wr - log->rd == RING_SIZE)
        pthread_cond_wait(&log->room, &log->mtx);
    log->ring[log->wr++ % RING_SIZE] = *r;
    pthread_cond_signal(&log->more);
    pthread_mutex_unlock(&log->mtx);
}

static int log_open(HLOGGER *out)
{
    HLOGGER log = calloc(1, sizeof *log);

    if (!log)
        return -1;
    pthread_mutex_init(&log->mtx, NULL);
    pthread_cond_init(&log->more, NULL);
    pthread_cond_init(&log->room, NULL);
    if (pthread_create(&log->thread, NULL, log_main, log))
        abort();
    *out = log;
    return 0;
}

static void log_close(HLOGGER *plog)
{
    HLOGGER log = *plog;

    pthread_mutex_lock(&log->mtx);
    log->closed = 1;
    pthread_cond_signal(&log->more);
    pthread_mutex_unlock(&log->mtx);
    pthread_join(log->thread, NULL);
    printf("%ld counts, %ld ratios, total %.1f\n", log->lines[KIND_COUNT], log->lines[KIND_RATIO], log->total);
    for (int i = 0; i < TALKERS; i++)
        printf("talker %d: %ld\n", i, log->spoke[i]);
    pthread_cond_destroy(&log->room);
    pthread_cond_destroy(&log->more);
    pthread_mutex_destroy(&log->mtx);
    free(log);
    *plog = NULL;
}

struct talker {
    HLOGGER log;
    unsigned nr;
};

static void *talk(void *p)
{
    struct talker *t = p;

    for (int i = 0; i < LINES; i++) {
        struct record r = {.kind = i % 2 ? KIND_RATIO : KIND_COUNT, .from = t->nr};

        if (r.kind == KIND_COUNT)
            r.u.count = i;
        else
            r.u.ratio = i / 2.0;
        log_put(t->log, &r);
    }
    return NULL;
}

int main(void)
{
    HLOGGER log;
    struct talker talkers[TALKERS];
    pthread_t threads[TALKERS];

    if (log_open(&log))
        return EXIT_FAILURE;
    for (unsigned i = 0; i < TALKERS; i++) {
        talkers[i].log = log;
        talkers[i].nr = i;
        pthread_create(&threads[i], NULL, talk, &talkers[i]);
    }
    for (unsigned i = 0; i < TALKERS; i++)
        pthread_join(threads[i], NULL);
    log_close(&log);
    return EXIT_SUCCESS;
}
