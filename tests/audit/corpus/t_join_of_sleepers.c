/* Thread pool for thumbnails: the stop flag is set under the lock but no sleeper is woken, so the joins never return.
 *
 * clean: no
 * allow: CT002
 * run: hang
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#define POOL_THREADS 3
#define POOL_DEPTH 16
#define IMAGES 12

typedef struct {
    int image;
    int scale;
} task_t;

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t work_ready;
    pthread_cond_t all_done;
    task_t tasks[POOL_DEPTH];
    int head;
    int queued;
    int pending;
    bool stopping;
    long pixels;
    pthread_t threads[POOL_THREADS];
} pool_t;

static long shrink(task_t task)
{
    long pixels = 0;
    for (int y = 0; y < 64; y += task.scale)
        for (int x = 0; x < 64; x += task.scale)
            pixels += (x ^ y ^ task.image) & 1;
    return pixels;
}

static void *pool_thread(void *argument)
{
    pool_t *pool = argument;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (pool->queued == 0 && !pool->stopping)
            pthread_cond_wait(&pool->work_ready, &pool->lock);
        if (pool->queued == 0)
            break;
        task_t task = pool->tasks[pool->head];
        pool->head = (pool->head + 1) % POOL_DEPTH;
        pool->queued--;
        pthread_mutex_unlock(&pool->lock);
        long pixels = shrink(task);
        pthread_mutex_lock(&pool->lock);
        pool->pixels += pixels;
        if (--pool->pending == 0)
            pthread_cond_broadcast(&pool->all_done);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static void pool_submit(pool_t *pool, task_t task)
{
    pthread_mutex_lock(&pool->lock);
    pool->tasks[(pool->head + pool->queued) % POOL_DEPTH] = task;
    pool->queued++;
    pool->pending++;
    pthread_cond_signal(&pool->work_ready);
    pthread_mutex_unlock(&pool->lock);
}

static long pool_drain(pool_t *pool)
{
    pthread_mutex_lock(&pool->lock);
    while (pool->pending > 0)
        pthread_cond_wait(&pool->all_done, &pool->lock);
    long pixels = pool->pixels;
    pthread_mutex_unlock(&pool->lock);
    return pixels;
}

static void pool_stop(pool_t *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true; /* expect: CT001 #1 */
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < POOL_THREADS; i++)
        pthread_join(pool->threads[i], NULL); /* expect: CT001 #1 */
    pthread_cond_destroy(&pool->all_done);
    pthread_cond_destroy(&pool->work_ready);
    pthread_mutex_destroy(&pool->lock);
}

int main(void)
{
    static pool_t pool;

    pthread_mutex_init(&pool.lock, NULL);
    pthread_cond_init(&pool.work_ready, NULL);
    pthread_cond_init(&pool.all_done, NULL);
    for (int i = 0; i < POOL_THREADS; i++)
        pthread_create(&pool.threads[i], NULL, pool_thread, &pool);
    for (int image = 0; image < IMAGES; image++)
        pool_submit(&pool, (task_t){.image = image, .scale = 1 + image % 4});
    printf("%ld pixels set\n", pool_drain(&pool));
    fflush(stdout);
    pool_stop(&pool);
    return 0;
}
