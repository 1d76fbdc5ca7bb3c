/* A heat simulation: each thread still holds the residual's mutex when it arrives at the step barrier, so nobody else arrives.
 *
 * clean: no
 * check: deadlock
 * run: hang
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>

#define THREADS 3
#define CELLS 90
#define STEPS 10

static double heat[2][CELLS];
static double residual;
static pthread_mutex_t residual_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t step_done;

static double advance(int from, int first, int last)
{
    double change = 0;

    for (int i = first; i < last; i++) {
        double left = i > 0 ? heat[from][i - 1] : 1.0;
        double right = i < CELLS - 1 ? heat[from][i + 1] : 0.0;

        heat[!from][i] = 0.5 * (left + right);
        change += fabs(heat[!from][i] - heat[from][i]);
    }
    return change;
}

static void *simulate(void *argument)
{
    int id = *(int *)argument;

    for (int step = 0; step < STEPS; step++) {
        double change = advance(step % 2, id * CELLS / THREADS, (id + 1) * CELLS / THREADS);

        pthread_mutex_lock(&residual_mutex); /* expect: CL003 #1 */
        residual += change;
        pthread_barrier_wait(&step_done); /* expect: CL003 #1 */
        pthread_mutex_unlock(&residual_mutex);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    int id[THREADS];

    pthread_barrier_init(&step_done, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        id[i] = i;
        pthread_create(&threads[i], NULL, simulate, &id[i]);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL); /* allow: CT001 */
    pthread_barrier_destroy(&step_done);
    pthread_mutex_destroy(&residual_mutex);
    printf("residual %.4f, last cell %.4f\n", residual, heat[STEPS % 2][CELLS - 1]);
    return 0;
}
