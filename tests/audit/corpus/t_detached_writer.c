/* Snapshots of a counter array written by detached threads, each of which posts a semaphore when its snapshot is complete.
 *
 * clean: yes
 * run: ok
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SNAPSHOTS 5
#define COUNTERS 12

struct snapshot {
    int number;
    int counters[COUNTERS];
};

static sem_t written;
static char lines[SNAPSHOTS][160];

static void *write_snapshot(void *argument)
{
    struct snapshot *snapshot = argument;
    char *line = lines[snapshot->number];
    int used = snprintf(line, sizeof lines[0], "snapshot %d:", snapshot->number);
    for (int i = 0; i < COUNTERS; i++)
        used += snprintf(line + used, sizeof lines[0] - (size_t)used, " %d", snapshot->counters[i]);
    free(snapshot);
    sem_post(&written);
    return NULL;
}

static int start_writer(int number, const int *counters)
{
    pthread_attr_t attributes;
    pthread_t thread;
    struct snapshot *snapshot = malloc(sizeof *snapshot);

    if (snapshot == NULL)
        return -1;
    snapshot->number = number;
    memcpy(snapshot->counters, counters, sizeof snapshot->counters);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int status = pthread_create(&thread, &attributes, write_snapshot, snapshot);
    pthread_attr_destroy(&attributes);
    if (status != 0)
        free(snapshot);
    return status;
}

int main(void)
{
    int counters[COUNTERS] = {0};

    sem_init(&written, 0, 0);
    for (int number = 0; number < SNAPSHOTS; number++) {
        for (int i = 0; i < COUNTERS; i++)
            counters[i] += i * (number + 1) % 5;
        if (start_writer(number, counters) != 0)
            return EXIT_FAILURE;
    }
    for (int number = 0; number < SNAPSHOTS; number++)
        sem_wait(&written);
    for (int number = 0; number < SNAPSHOTS; number++)
        puts(lines[number]);
    return EXIT_SUCCESS;
}
