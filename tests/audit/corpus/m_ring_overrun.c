/* A sensor ring: the producer posts filled slots but never waits for a free one, so it overwrites the slot being read.
 *
 * clean: no
 * check: race
 * run: race
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

#define SLOTS 2
#define VALUES 200000

static struct {
    sem_t filled;
    int slot[SLOTS]; /* expect: CR001 #1 */
} ring;

static void *produce(void *unused)
{
    (void)unused;
    for (int i = 0; i < VALUES; i++) {
        ring.slot[i % SLOTS] = i; /* expect: CR001 #1 */
        sem_post(&ring.filled);
    }
    return NULL;
}

static void *consume(void *argument)
{
    int *skipped = argument;

    for (int i = 0; i < VALUES; i++) {
        sem_wait(&ring.filled);
        if (ring.slot[i % SLOTS] != i) /* expect: CR001 #1 */
            (*skipped)++;
    }
    return NULL;
}

int main(void)
{
    pthread_t producer, consumer;
    int skipped = 0;

    sem_init(&ring.filled, 0, 0);
    pthread_create(&consumer, NULL, consume, &skipped);
    pthread_create(&producer, NULL, produce, NULL);
    pthread_join(producer, NULL);
    pthread_join(consumer, NULL);
    sem_destroy(&ring.filled);
    printf("values lost: %s\n", skipped ? "some" : "none");
    return 0;
}
