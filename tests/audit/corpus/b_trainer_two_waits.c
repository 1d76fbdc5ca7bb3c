/* Trainer of a linear regression: a control and its workers cross one barrier twice per batch, nobody takes a lock.
 *
 * clean: yes
 * check: holds
 * run: ok
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>

#define FEATURES 6
#define ROWS 48
#define EPOCHS 3
#define BATCHES 4

enum order { ORDER_NONE, ORDER_BATCH, ORDER_STOP };

static const int num_workers = 3;

static struct {
    pthread_barrier_t step;
    enum order order;
    int batch;
    double weights[FEATURES];
    double gradients[3][FEATURES];
} shared;

static double row_value(int row, int feature)
{
    return ((row * 31 + feature * 17) % 23) / 23.0;
}

static void process_batch(int worker, int batch)
{
    double *gradient = shared.gradients[worker];
    int rows = ROWS / BATCHES;

    for (int f = 0; f < FEATURES; f++)
        gradient[f] = 0.0;
    for (int row = batch * rows + worker; row < (batch + 1) * rows; row += num_workers) {
        double error = -1.0;
        for (int f = 0; f < FEATURES; f++)
            error += shared.weights[f] * row_value(row, f);
        for (int f = 0; f < FEATURES; f++)
            gradient[f] += error * row_value(row, f);
    }
}

static void *worker_thread(void *argument)
{
    const int worker = *(const int *)argument;
    for (;;) {
        pthread_barrier_wait(&shared.step);
        if (shared.order == ORDER_STOP)
            return NULL;
        process_batch(worker, shared.batch);
        pthread_barrier_wait(&shared.step);
    }
}

static void update_weights(void)
{
    for (int f = 0; f < FEATURES; f++) {
        double sum = 0.0;
        for (int w = 0; w < num_workers; w++)
            sum += shared.gradients[w][f];
        if (isfinite(sum))
            shared.weights[f] -= 0.05 * sum;
    }
}

static void *control_thread(void *argument)
{
    (void)argument;
    for (int epoch = 0; epoch < EPOCHS; epoch++)
        for (int batch = 0; batch < BATCHES; batch++) {
            shared.order = ORDER_BATCH;
            shared.batch = batch;
            pthread_barrier_wait(&shared.step);
            pthread_barrier_wait(&shared.step);
            update_weights();
        }
    shared.order = ORDER_STOP;
    pthread_barrier_wait(&shared.step);
    return NULL;
}

int main(void)
{
    pthread_t control, workers[3];
    int ids[3];

    pthread_barrier_init(&shared.step, NULL, num_workers + 1);
    pthread_create(&control, NULL, control_thread, NULL);
    for (int w = 0; w < num_workers; w++) {
        ids[w] = w;
        pthread_create(&workers[w], NULL, worker_thread, &ids[w]);
    }
    pthread_join(control, NULL);
    for (int w = 0; w < num_workers; w++)
        pthread_join(workers[w], NULL);
    pthread_barrier_destroy(&shared.step);
    for (int f = 0; f < FEATURES; f++)
        printf("w[%d] = %.4f\n", f, shared.weights[f]);
    return 0;
}
