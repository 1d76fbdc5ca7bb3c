"""The lines of the made-up trainer that places of the sample speak of.

Rules of this file: paths and lines are used by the other parts of the sample; columns there count in these lines.
"""

from typing import Any

Entry = dict[str, Any]

TRAINER, POOL, SHARED, HEADER = "src/trainer.c", "src/pool.c", "src/shared.c", "include/trainer.h"

SOURCES: dict[str, dict[int, str]] = {
    HEADER: {
        14: "#define NUM_THREADS 12",
        31: "    pthread_barrier_t batch_barrier;",
        32: "    pthread_barrier_t epoch_barrier;",
        33: "    pthread_mutex_t model_lock;",
        36: "    volatile int running;",
        38: "    float *gradients;",
        39: "    float *segments;",
        40: "    SharedRegion *shared;",
        51: "    pthread_cond_t wake;",
        52: "    pthread_mutex_t lock;",
        53: "    int has_work;",
        54: "    int complete;",
    },
    TRAINER: {
        71: "    trainer->segments = alloc_floats(trainer->num_parameters / trainer->num_threads * NUM_THREADS);",
        84: "    pthread_barrier_init(&trainer->batch_barrier, NULL, trainer->num_threads + 1);",
        85: "    pthread_barrier_init(&trainer->epoch_barrier, NULL, trainer->num_threads + 1);",
        86: "    pthread_mutex_init(&trainer->model_lock, NULL);",
        92: "        pthread_create(&trainer->workers[i].thread, NULL, worker_thread, &trainer->workers[i]);",
        95: "    pthread_create(&trainer->control_thread, NULL, control_thread, trainer);",
        120: "        hand_out(&trainer->workers[i], &batch->slots[i]);",
        127: "        await_worker(&trainer->workers[i]);",
        133: "    apply_gradients(trainer->model, trainer->gradients, trainer->learning_rate);",
        150: "    if (trainer->num_threads == 1) return train_sequential(trainer, batch);",
        188: "    trainer->running = 0;",
        190: "        pthread_join(trainer->workers[i].thread, NULL);",
        193: "    pthread_join(trainer->control_thread, NULL);",
        196: "    pthread_mutex_destroy(&trainer->model_lock);",
    },
    POOL: {
        41: "        pthread_mutex_lock(&worker->lock);",
        43: "            pthread_cond_wait(&worker->wake, &worker->lock);",
        48: "        process_batch(worker, worker->slot);",
        66: "    pthread_mutex_lock(&trainer->model_lock);",
        67: "    forward(trainer->model, slot);",
        68: "    backward(trainer->model, slot, trainer->gradients);",
        69: "    pthread_mutex_unlock(&trainer->model_lock);",
        77: "        share[k] += worker->local[k];",
        90: "    worker->has_work = 1;",
        91: "    pthread_cond_signal(&worker->wake);",
        101: "        pthread_cond_wait(&worker->wake, &worker->lock);",
        113: "    while (trainer->running) {",
        114: "        usleep(1000);",
    },
    SHARED: {
        22: "    region->base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);",
        30: "void shared_publish(SharedRegion *region, const float *values, size_t count) {",
    },
}


def at(path: str, line: int, **more: Any) -> Entry:
    return {"path": path, "line": line, **more}
