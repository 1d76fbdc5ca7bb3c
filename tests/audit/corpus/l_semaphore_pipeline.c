/* A three-stage sample pipeline (source, scaler, sink) whose stages hand slots on with pairs of counting semaphores.
 *
 * clean: yes
 * check: holds
 * run: ok
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

enum { DEPTH = 2, SAMPLES = 40, END_OF_STREAM = -1 };

typedef struct {
    int slot[DEPTH];
    sem_t room;
    sem_t filled;
    unsigned write_at; /* touched by the producing stage alone */
    unsigned read_at;  /* touched by the consuming stage alone */
} link_t;

static link_t raw, scaled;

static void link_open(link_t *link)
{
    sem_init(&link->room, 0, DEPTH);
    sem_init(&link->filled, 0, 0);
    link->write_at = 0;
    link->read_at = 0;
}

static void link_close(link_t *link)
{
    sem_destroy(&link->filled);
    sem_destroy(&link->room);
}

static void link_send(link_t *link, int value)
{
    sem_wait(&link->room);
    link->slot[link->write_at++ % DEPTH] = value;
    sem_post(&link->filled);
}

static int link_receive(link_t *link)
{
    int value;

    sem_wait(&link->filled);
    value = link->slot[link->read_at++ % DEPTH];
    sem_post(&link->room);
    return value;
}

static void *source(void *unused)
{
    (void)unused;
    for (int i = 0; i < SAMPLES; i++)
        link_send(&raw, i);
    link_send(&raw, END_OF_STREAM);
    return NULL;
}

static void *scaler(void *unused)
{
    (void)unused;
    for (;;) {
        int value = link_receive(&raw);

        if (value == END_OF_STREAM)
            break;
        link_send(&scaled, value * 3);
    }
    link_send(&scaled, END_OF_STREAM);
    return NULL;
}

static void *sink(void *result)
{
    long *sum = result;
    int value;

    while ((value = link_receive(&scaled)) != END_OF_STREAM)
        *sum += value;
    return NULL;
}

int main(void)
{
    void *(*const stages[])(void *) = { source, scaler, sink };
    pthread_t threads[3];
    long sum = 0;

    link_open(&raw);
    link_open(&scaled);
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, stages[i], &sum);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    link_close(&scaled);
    link_close(&raw);
    printf("sum of the scaled samples: %ld\n", sum);
    return 0;
}
