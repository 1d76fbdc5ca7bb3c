/* A download limiter: fetchers give their slot back, but the semaphore that the main thread counts the ends with is never posted.
 *
 * clean: no
 * check: deadlock
 * run: hang
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

enum { FETCHERS = 4, AT_ONCE = 2 };

struct limiter {
    sem_t slots;
    sem_t finished; /* expect: CP002 #1 */
};

struct fetch {
    struct limiter *limiter;
    int number;
    int bytes;
};

static int transfer(int number)
{
    int bytes = 0;

    for (int packet = 0; packet < 50; packet++)
        bytes += 100 + (number * packet) % 50;
    return bytes;
}

static void *fetch_main(void *argument)
{
    struct fetch *fetch = argument;

    sem_wait(&fetch->limiter->slots);
    fetch->bytes = transfer(fetch->number);
    sem_post(&fetch->limiter->slots);
    return NULL;
}

int main(void)
{
    struct limiter limiter;
    struct fetch fetches[FETCHERS];
    pthread_t threads[FETCHERS];
    int bytes = 0;

    sem_init(&limiter.slots, 0, AT_ONCE);
    sem_init(&limiter.finished, 0, 0); /* expect: CP002 #1 */
    for (int i = 0; i < FETCHERS; i++) {
        fetches[i] = (struct fetch){ .limiter = &limiter, .number = i };
        pthread_create(&threads[i], NULL, fetch_main, &fetches[i]);
    }
    for (int i = 0; i < FETCHERS; i++)
        sem_wait(&limiter.finished); /* expect: CP002 #1 */
    for (int i = 0; i < FETCHERS; i++) {
        pthread_join(threads[i], NULL);
        bytes += fetches[i].bytes;
    }
    sem_destroy(&limiter.finished);
    sem_destroy(&limiter.slots);
    printf("%d bytes\n", bytes);
    return 0;
}
