/* A sorter of blocks that records how many swaps each thread made in a shared array which nobody ever looks at.
 *
 * clean: no
 * run: ok
 */
#include <pthread.h>
#include <stdio.h>

#define THREADS 3
#define BLOCK 200

static int numbers[THREADS][BLOCK];
static unsigned swap_counts[THREADS]; /* expect: CS003 #1 */

static void *sort_block(void *argument)
{
    int id = *(int *)argument;
    int *block = numbers[id];
    unsigned swaps = 0;

    for (int i = 1; i < BLOCK; i++) {
        for (int j = i; j > 0 && block[j - 1] > block[j]; j--) {
            int held = block[j];

            block[j] = block[j - 1];
            block[j - 1] = held;
            swaps++;
        }
    }
    swap_counts[id] = swaps; /* expect: CS003 #1 */
    return NULL;
}

/* Takes the smallest front element of the sorted blocks; -1 when all of them are used up. */
static int take_smallest(int *front)
{
    int best = -1, value;

    for (int i = 0; i < THREADS; i++)
        if (front[i] < BLOCK && (best < 0 || numbers[i][front[i]] < numbers[best][front[best]]))
            best = i;
    if (best < 0)
        return -1;
    value = numbers[best][front[best]];
    front[best]++;
    return value;
}

int main(void)
{
    pthread_t threads[THREADS];
    int id[THREADS], front[THREADS] = { 0 };
    int previous = 0, value, ordered = 1;

    for (int i = 0; i < THREADS * BLOCK; i++)
        numbers[i % THREADS][i / THREADS] = i * 7919 % 1009;
    for (int i = 0; i < THREADS; i++) {
        id[i] = i;
        pthread_create(&threads[i], NULL, sort_block, &id[i]);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    while ((value = take_smallest(front)) >= 0) {
        ordered = ordered && previous <= value;
        previous = value;
    }
    printf("sorted: %s, largest %d\n", ordered ? "yes" : "no", previous);
    return 0;
}
