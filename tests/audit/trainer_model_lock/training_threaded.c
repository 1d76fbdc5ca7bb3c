#include "control_process.h"
#include "shared_memory.h"
#include "training.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct worker {
    struct thread_pool *pool;
    pthread_t thread;
    int started;

    pthread_mutex_t lock;
    pthread_cond_t work_ready;
    pthread_cond_t work_done;
    int has_work;
    int work_complete;
    int stop;

    size_t shard_first;
    size_t shard_count;
    size_t batch_first;
    size_t batch_count;
    int in_round;

    float *gradients;
    size_t segment_offset;
    size_t segment_length;
    double loss;
};

struct thread_pool {
    struct model *model;
    struct corpus *corpus;
    const struct training_options *options;

    int num_threads;
    int workers_ready;
    struct worker *workers;

    pthread_t control_thread;
    int control_started;
    volatile int control_running;
    struct control_process *node_zero;

    pthread_barrier_t batch_barrier;
    pthread_barrier_t epoch_barrier;
    pthread_mutex_t model_lock;

    struct shared_region *gradient_region;
    float *accumulated;
    unsigned long batches_processed;
};

static void *control_thread_main(void *argument)
{
    struct thread_pool *pool = argument;
    const struct timespec pause = {.tv_sec = 0, .tv_nsec = 1000000};

    while (pool->control_running)
        nanosleep(&pause, NULL);
    return NULL;
}

static void process_batch(struct thread_pool *pool, struct worker *worker)
{
    double loss = 0.0;

    memset(worker->gradients, 0, PARAMETER_COUNT * sizeof *worker->gradients);
    pthread_mutex_lock(&pool->model_lock);
    for (size_t i = 0; i < worker->batch_count; i++) {
        const unsigned char *window = corpus_window(pool->corpus, worker->batch_first + i);

        loss += model_forward(pool->model, window);
        model_backward(pool->model, window, worker->gradients);
    }
    pthread_mutex_unlock(&pool->model_lock);
    worker->loss = loss;
    pool->batches_processed++;
}

static void *worker_thread_main(void *argument)
{
    struct worker *worker = argument;

    for (;;) {
        pthread_mutex_lock(&worker->lock);
        while (!worker->has_work && !worker->stop)
            pthread_cond_wait(&worker->work_ready, &worker->lock);
        if (worker->stop) {
            pthread_mutex_unlock(&worker->lock);
            break;
        }
        worker->has_work = 0;
        pthread_mutex_unlock(&worker->lock);

        process_batch(worker->pool, worker);

        pthread_mutex_lock(&worker->lock);
        worker->work_complete = 1;
        pthread_cond_signal(&worker->work_done);
        pthread_mutex_unlock(&worker->lock);
    }
    return NULL;
}

/* ------------------------------------------------------------------ one round */

static void give_batch(struct worker *worker, size_t first, size_t count)
{
    pthread_mutex_lock(&worker->lock);
    worker->batch_first = first;
    worker->batch_count = count;
    worker->work_complete = 0;
    worker->has_work = 1;
    pthread_cond_signal(&worker->work_ready);
    pthread_mutex_unlock(&worker->lock);
}

static void await_batch(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    while (!worker->work_complete)
        pthread_cond_wait(&worker->work_done, &worker->lock);
    pthread_mutex_unlock(&worker->lock);
}

/* Returns the number of windows handed out; 0 when the epoch is over. */
static size_t distribute_batches(struct thread_pool *pool, size_t round)
{
    size_t done = round * pool->options->batch_size;
    size_t windows = 0;

    for (int i = 0; i < pool->num_threads; i++) {
        struct worker *worker = &pool->workers[i];
        size_t count;

        worker->in_round = worker->shard_count > done;
        if (!worker->in_round)
            continue;
        count = worker->shard_count - done;
        if (count > pool->options->batch_size)
            count = pool->options->batch_size;
        give_batch(worker, worker->shard_first + done, count);
        windows += count;
    }
    return windows;
}

static double wait_for_workers(struct thread_pool *pool)
{
    double loss = 0.0;

    for (int i = 0; i < pool->num_threads; i++) {
        if (!pool->workers[i].in_round)
            continue;
        await_batch(&pool->workers[i]);
        loss += pool->workers[i].loss;
    }
    return loss;
}

static void accumulate_gradients(struct thread_pool *pool)
{
    memset(pool->accumulated, 0, PARAMETER_COUNT * sizeof *pool->accumulated);
    for (int s = 0; s < pool->num_threads; s++) {
        size_t first = pool->workers[s].segment_offset;
        size_t last = first + pool->workers[s].segment_length;

        for (int i = 0; i < pool->num_threads; i++) {
            const struct worker *worker = &pool->workers[i];

            if (!worker->in_round)
                continue;
            for (size_t k = first; k < last; k++)
                pool->accumulated[k] += worker->gradients[k];
        }
    }
}

static double train_epoch(struct thread_pool *pool, struct training_report *report)
{
    const struct training_options *options = pool->options;
    double loss = 0.0;
    size_t windows;

    corpus_shuffle(pool->corpus);
    for (size_t round = 0; (windows = distribute_batches(pool, round)) > 0; round++) {
        loss += wait_for_workers(pool);
        accumulate_gradients(pool);
        model_update(pool->model, pool->accumulated, 1.0f / (float)windows, options->learning_rate,
                     options->gradient_limit);
        report->updates++;
    }
    return loss / (double)pool->corpus->windows;
}

/* ------------------------------------------------------------------ building the pool */

static void assign_shards(struct thread_pool *pool)
{
    size_t share = pool->corpus->windows / (size_t)pool->num_threads;
    size_t extra = pool->corpus->windows % (size_t)pool->num_threads;
    size_t first = 0;

    for (int i = 0; i < pool->num_threads; i++) {
        struct worker *worker = &pool->workers[i];

        worker->shard_first = first;
        worker->shard_count = share + ((size_t)i < extra ? 1 : 0);
        first += worker->shard_count;
    }
}

static void assign_segments(struct thread_pool *pool)
{
    size_t length = PARAMETER_COUNT / (size_t)pool->num_threads;

    for (int i = 0; i < pool->num_threads; i++) {
        pool->workers[i].segment_offset = (size_t)i * length;
        pool->workers[i].segment_length = length;
    }
}

static int worker_init(struct worker *worker, struct thread_pool *pool)
{
    int error;

    worker->pool = pool;
    worker->gradients = calloc(PARAMETER_COUNT, sizeof *worker->gradients);
    if (!worker->gradients)
        return ENOMEM;
    error = pthread_mutex_init(&worker->lock, NULL);
    if (error)
        goto fail_gradients;
    error = pthread_cond_init(&worker->work_ready, NULL);
    if (error)
        goto fail_lock;
    error = pthread_cond_init(&worker->work_done, NULL);
    if (error)
        goto fail_ready;
    return 0;

fail_ready:
    pthread_cond_destroy(&worker->work_ready);
fail_lock:
    pthread_mutex_destroy(&worker->lock);
fail_gradients:
    free(worker->gradients);
    return error;
}

static void worker_destroy(struct worker *worker)
{
    pthread_cond_destroy(&worker->work_done);
    pthread_cond_destroy(&worker->work_ready);
    pthread_mutex_destroy(&worker->lock);
    free(worker->gradients);
}

static int build_control_tree(struct thread_pool *pool)
{
    pool->node_zero = control_process_create(0, NULL);
    if (!pool->node_zero)
        return ENOMEM;
    for (int i = 0; i < pool->num_threads && i < CONTROL_CHILDREN_MAX; i++)
        if (!control_process_create(i + 1, pool->node_zero))
            return ENOMEM;
    return 0;
}

static int create_region(struct thread_pool *pool)
{
    char name[64];

    snprintf(name, sizeof name, "/trainer-gradients-%ld", (long)getpid());
    pool->gradient_region = shared_region_create(name, PARAMETER_COUNT * sizeof(float), SHARED_READ_WRITE);
    return pool->gradient_region ? 0 : errno;
}

static void stop_threads(struct thread_pool *pool)
{
    for (int i = 0; i < pool->workers_ready; i++) {
        struct worker *worker = &pool->workers[i];

        if (!worker->started)
            continue;
        pthread_mutex_lock(&worker->lock);
        worker->stop = 1;
        pthread_cond_signal(&worker->work_ready);
        pthread_mutex_unlock(&worker->lock);
        pthread_join(worker->thread, NULL);
    }
    if (pool->control_started) {
        pool->control_running = 0;
        pthread_join(pool->control_thread, NULL);
    }
}

static int start_threads(struct thread_pool *pool)
{
    int error;

    pool->control_running = 1;
    error = pthread_create(&pool->control_thread, NULL, control_thread_main, pool);
    if (error)
        return error;
    pool->control_started = 1;
    for (int i = 0; i < pool->num_threads; i++) {
        struct worker *worker = &pool->workers[i];

        error = pthread_create(&worker->thread, NULL, worker_thread_main, worker);
        if (error)
            return error;
        worker->started = 1;
    }
    return 0;
}

static int pool_init_barriers(struct thread_pool *pool)
{
    int error = pthread_barrier_init(&pool->batch_barrier, NULL, (unsigned)pool->num_threads + 1);

    if (error)
        return error;
    error = pthread_barrier_init(&pool->epoch_barrier, NULL, (unsigned)pool->num_threads + 1);
    if (error)
        pthread_barrier_destroy(&pool->batch_barrier);
    return error;
}

static void pool_release(struct thread_pool *pool)
{
    for (int i = 0; i < pool->workers_ready; i++)
        worker_destroy(&pool->workers[i]);
    shared_region_destroy(pool->gradient_region);
    control_process_destroy(pool->node_zero);
    free(pool->accumulated);
    free(pool->workers);
    free(pool);
}

static void pool_destroy(struct thread_pool *pool)
{
    stop_threads(pool);
    pthread_barrier_destroy(&pool->epoch_barrier);
    pthread_barrier_destroy(&pool->batch_barrier);
    pthread_mutex_destroy(&pool->model_lock);
    pool_release(pool);
}

static int pool_create(struct thread_pool **result, struct model *model, struct corpus *corpus,
                       const struct training_options *options)
{
    struct thread_pool *pool = calloc(1, sizeof *pool);
    int error = ENOMEM;

    if (!pool)
        return ENOMEM;
    pool->model = model;
    pool->corpus = corpus;
    pool->options = options;
    pool->num_threads = options->num_threads;
    pool->workers = calloc((size_t)pool->num_threads, sizeof *pool->workers);
    pool->accumulated = calloc(PARAMETER_COUNT, sizeof *pool->accumulated);
    if (!pool->workers || !pool->accumulated)
        goto fail;
    for (; pool->workers_ready < pool->num_threads; pool->workers_ready++) {
        error = worker_init(&pool->workers[pool->workers_ready], pool);
        if (error)
            goto fail;
    }
    assign_shards(pool);
    assign_segments(pool);
    error = build_control_tree(pool);
    if (error)
        goto fail;
    error = create_region(pool);
    if (error)
        goto fail;
    error = pthread_mutex_init(&pool->model_lock, NULL);
    if (error)
        goto fail;
    error = pool_init_barriers(pool);
    if (error)
        goto fail_lock;
    error = start_threads(pool);
    if (error) {
        pool_destroy(pool);
        return error;
    }
    *result = pool;
    return 0;

fail_lock:
    pthread_mutex_destroy(&pool->model_lock);
fail:
    pool_release(pool);
    return error;
}

int train_threaded(struct model *model, struct corpus *corpus, const struct training_options *options,
                   struct training_report *report)
{
    struct thread_pool *pool = NULL;
    int error = pool_create(&pool, model, corpus, options);

    if (error)
        return error;
    for (int epoch = 0; epoch < options->epochs; epoch++) {
        report->loss[epoch] = train_epoch(pool, report);
        report->epochs = epoch + 1;
        printf("epoch %d: loss %.4f, %lu batches so far\n", epoch + 1, report->loss[epoch],
               pool->batches_processed);
    }
    pool_destroy(pool);
    return 0;
}
