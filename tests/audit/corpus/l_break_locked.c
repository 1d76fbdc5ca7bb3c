/* A chess opening book search: the thread that finds the key leaves its loop by `break` between lock and unlock.
 *
 * clean: no
 * run: hang
 */
#include <pthread.h>
#include <stdio.h>

enum { THREADS = 3, POSITIONS = 3000, KEY = 2117 };

struct book {
    pthread_mutex_t mutex;
    unsigned position[POSITIONS];
    int cursor;
    int found_at;
};

static struct book book = { .mutex = PTHREAD_MUTEX_INITIALIZER, .found_at = -1 };

static void *search(void *argument)
{
    int *looked_at = argument;

    while (1) {
        int i;

        pthread_mutex_lock(&book.mutex); /* expect: CL004 #1 */
        i = book.cursor++;
        if (i >= POSITIONS || book.found_at >= 0)
            break; /* expect: CL004 #1 */
        if (book.position[i] == KEY)
            book.found_at = i;
        pthread_mutex_unlock(&book.mutex);
        (*looked_at)++;
    }
    return NULL; /* expect: CL004 #1 */
}

int main(void)
{
    pthread_t threads[THREADS];
    int looked_at[THREADS] = { 0 }, sum = 0;

    for (unsigned i = 0; i < POSITIONS; i++)
        book.position[i] = (i * 7919u) % POSITIONS;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, search, &looked_at[i]);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL); /* allow: CT001 */
        sum += looked_at[i];
    }
    printf("found at %d after %d positions\n", book.found_at, sum);
    return 0;
}
