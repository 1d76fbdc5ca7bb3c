/* Odd-even transposition sort: one barrier ends the odd and the even phase alike, every thread crosses it in both.
 *
 * clean: yes
 * bind: work=exchange_pairs
 * check: holds
 * run: ok
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define SORTERS 4
#define LENGTH 64

static int numbers[LENGTH];
static pthread_barrier_t phase_end;

static void exchange_pairs(int sorter, int parity)
{
    const int pairs = LENGTH / 2;
    int first = sorter * pairs / SORTERS;
    int last = (sorter + 1) * pairs / SORTERS;

    for (int pair = first; pair < last; pair++) {
        int left = 2 * pair + parity;
        if (left + 1 < LENGTH && numbers[left] > numbers[left + 1]) {
            int swap = numbers[left];
            numbers[left] = numbers[left + 1];
            numbers[left + 1] = swap;
        }
    }
}

static void *sort_share(void *argument)
{
    int sorter = *(int *)argument;
    for (int step = 0; step < LENGTH / 2; step++) {
        exchange_pairs(sorter, 0);
        pthread_barrier_wait(&phase_end);
        exchange_pairs(sorter, 1);
        pthread_barrier_wait(&phase_end);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[SORTERS];
    int sorters[SORTERS];

    for (int i = 0; i < LENGTH; i++)
        numbers[i] = (i * 37 + 11) % LENGTH;
    if (pthread_barrier_init(&phase_end, NULL, SORTERS) != 0)
        return EXIT_FAILURE;
    for (int i = 0; i < SORTERS; i++) {
        sorters[i] = i;
        pthread_create(&threads[i], NULL, sort_share, &sorters[i]);
    }
    for (int i = 0; i < SORTERS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&phase_end);

    for (int i = 1; i < LENGTH; i++)
        if (numbers[i - 1] > numbers[i]) {
            printf("not sorted at %d\n", i);
            return EXIT_FAILURE;
        }
    printf("sorted %d numbers, %d..%d\n", LENGTH, numbers[0], numbers[LENGTH - 1]);
    return EXIT_SUCCESS;
}
