/* A signal smoother: the loop bound of each thread's segment includes the first sample of the next thread's segment.
 *
 * clean: no
 * bind: work=smooth
 * run: race
 */
#include <pthread.h>
#include <stdio.h>

#define SAMPLES 40000
#define THREADS 4

static float noisy[SAMPLES + 2];
static float smoothed[SAMPLES + 2];

static void *smooth(void *argument)
{
    int id = *(int *)argument;
    int share = SAMPLES / THREADS;
    int first = 1 + id * share;
    int last = first + share;

    for (int i = first; i <= last; i++) /* expect: CS001 #1 */
        smoothed[i] = (noisy[i - 1] + noisy[i] + noisy[i < SAMPLES ? i + 1 : i]) / 3.0f; /* expect: CS001 #1 */ /* allow: CR001 */
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    int id[THREADS];
    double energy = 0;

    for (int i = 0; i < SAMPLES + 2; i++)
        noisy[i] = (float)((i * 37) % 101) / 101.0f;
    for (int i = 0; i < THREADS; i++) {
        id[i] = i;
        pthread_create(&threads[i], NULL, smooth, &id[i]);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 1; i <= SAMPLES; i++)
        energy += smoothed[i] * smoothed[i];
    printf("energy %.2f\n", energy);
    return 0;
}
