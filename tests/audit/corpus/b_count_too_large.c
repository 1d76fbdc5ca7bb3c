/* Trainer of a linear model: control and workers cross one barrier, whose count names one party too many.
 *
 * clean: no
 * check: deadlock
 * run: hang
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#define WORKERS 3
#define EPOCHS 2
#define BATCHES 4
#define FEATURES 8

static pthread_barrier_t gate;
static bool stop;
static int batch_number;
static double weights[FEATURES];
static double gradients[WORKERS][FEATURES];

static void compute_gradient(int worker, int batch)
{
    for (int f = 0; f < FEATURES; f++)
        gradients[worker][f] = 0.01 * (worker + 1) * (batch + f) - 0.001 * weights[f];
}

static void *worker_main(void *argument)
{
    int worker = *(int *)argument;
    for (;;) {
        pthread_barrier_wait(&gate);
        if (stop)
            break;
        compute_gradient(worker, batch_number);
        pthread_barrier_wait(&gate);
    }
    return NULL;
}

static void apply_gradients(void)
{
    for (int w = 0; w < WORKERS; w++)
        for (int f = 0; f < FEATURES; f++)
            weights[f] -= gradients[w][f];
}

int main(void)
{
    pthread_t threads[WORKERS];
    int numbers[WORKERS];

    /* the workers, the control, and "the main thread" - but the control is the main thread */
    pthread_barrier_init(&gate, NULL, WORKERS + 2); /* expect: CB002 */
    for (int w = 0; w < WORKERS; w++) {
        numbers[w] = w;
        pthread_create(&threads[w], NULL, worker_main, &numbers[w]);
    }
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        for (int batch = 0; batch < BATCHES; batch++) {
            batch_number = epoch * BATCHES + batch;
            pthread_barrier_wait(&gate);
            pthread_barrier_wait(&gate);
            apply_gradients();
        }
        printf("epoch %d: w[0] = %f\n", epoch, weights[0]);
    }
    stop = true;
    pthread_barrier_wait(&gate);
    for (int w = 0; w < WORKERS; w++)
        pthread_join(threads[w], NULL);
    pthread_barrier_destroy(&gate);
    return 0;
}
