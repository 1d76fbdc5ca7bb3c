/* A thread pool with a shutdown flag: destroy sets the flag under the lock but signals one sleeper only, and joins all.
 *
 * clean: no
 * check: deadlock
 * run: hang
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define POOL_THREADS 3
#define TASKS 9

typedef void (*task_fn)(void *ctx);

struct task {
    task_fn fn;
    void *ctx;
    struct task *next;
};

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    pthread_cond_t idle;
    struct task *first;
    int open;
    bool shutdown;
    pthread_t threads[POOL_THREADS];
};

static struct task *pool_pop(struct pool *p)
{
    struct task *t;

    while (!p->first && !p->shutdown)
        pthread_cond_wait(&p->work, &p->lock); /* expect: CT002 #exit */
    t = p->first;
    if (t)
        p->first = t->next;
    return t;
}

static void *pool_main(void *arg)
{
    struct pool *p = arg;
    struct task *t;

    pthread_mutex_lock(&p->lock);
    while ((t = pool_pop(p)) != NULL) {
        pthread_mutex_unlock(&p->lock);
        t->fn(t->ctx);
        free(t);
        pthread_mutex_lock(&p->lock);
        if (--p->open == 0)
            pthread_cond_signal(&p->idle);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static void pool_add(struct pool *p, task_fn fn, void *ctx)
{
    struct task *t = malloc(sizeof *t);

    if (!t)
        abort();
    t->fn = fn;
    t->ctx = ctx;
    pthread_mutex_lock(&p->lock);
    t->next = p->first;
    p->first = t;
    p->open++;
    pthread_cond_signal(&p->work);
    pthread_mutex_unlock(&p->lock);
}

static void pool_quiesce(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    while (p->open > 0)
        pthread_cond_wait(&p->idle, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

static void pool_destroy(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->shutdown = true;            /* expect: CT002 #exit */
    pthread_cond_signal(&p->work); /* expect: CT002 #exit */
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < POOL_THREADS; i++)
        pthread_join(p->threads[i], NULL); /* expect: CT002 #exit */ /* allow: CT001 */
    pthread_cond_destroy(&p->idle);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
}

static void triangle(void *ctx)
{
    long *cell = ctx, n = *cell;

    *cell = n * (n + 1) / 2;
}

int main(void)
{
    static struct pool pool = {
        .lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER, .idle = PTHREAD_COND_INITIALIZER};
    long cell[TASKS], sum = 0;

    for (int i = 0; i < POOL_THREADS; i++)
        pthread_create(&pool.threads[i], NULL, pool_main, &pool);
    for (int i = 0; i < TASKS; i++) {
        cell[i] = 10 + i;
        pool_add(&pool, triangle, &cell[i]);
    }
    pool_quiesce(&pool);
    for (int i = 0; i < TASKS; i++)
        sum += cell[i];
    printf("sum %ld\n", sum);
    usleep(100000);
    pool_destroy(&pool);
    return EXIT_SUCCESS;
}
