/* Gradient averaging in threads: after one barrier two of them accumulate into the same total and everybody reads it.
 *
 * clean: no
 * check: race
 * run: race
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define WORKERS 4
#define LENGTH 200
#define STEPS 50

static pthread_barrier_t gradients_ready;
static pthread_barrier_t step_done;
static float gradient[WORKERS][LENGTH];
static float total[LENGTH];
static float weights[WORKERS][LENGTH];

static void compute_gradient(int worker, int step)
{
    for (int i = 0; i < LENGTH; i++)
        gradient[worker][i] = weights[worker][i] - 0.01f * (float)((i + step + worker) % 13);
}

static void accumulate(int first, int last)
{
    for (int w = first; w < last; w++)
        for (int i = 0; i < LENGTH; i++)
            total[i] += gradient[w][i]; /* expect: CR001 #1 */
}

static void apply_total(int worker)
{
    for (int i = 0; i < LENGTH; i++)
        weights[worker][i] -= 0.001f * total[i]; /* expect: CR001 #1 */
}

static void *worker_main(void *argument)
{
    int worker = *(int *)argument;
    for (int step = 0; step < STEPS; step++) {
        compute_gradient(worker, step);
        if (worker == 0)
            memset(total, 0, sizeof total);
        pthread_barrier_wait(&gradients_ready);
        if (worker < 2)
            accumulate(worker * WORKERS / 2, (worker + 1) * WORKERS / 2);
        apply_total(worker);
        pthread_barrier_wait(&step_done);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[WORKERS];
    int numbers[WORKERS];

    pthread_barrier_init(&gradients_ready, NULL, WORKERS);
    pthread_barrier_init(&step_done, NULL, WORKERS);
    for (int w = 0; w < WORKERS; w++) {
        numbers[w] = w;
        pthread_create(&threads[w], NULL, worker_main, &numbers[w]);
    }
    for (int w = 0; w < WORKERS; w++)
        pthread_join(threads[w], NULL);
    pthread_barrier_destroy(&step_done);
    pthread_barrier_destroy(&gradients_ready);
    printf("weights %f %f, total %f\n", weights[0][0], weights[1][0], total[0]);
    return 0;
}
