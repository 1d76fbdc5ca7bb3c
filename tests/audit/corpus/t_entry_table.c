/* Measuring station: the threads are started from a table of entry functions and hand samples on through one mailbox.
 *
 * clean: yes
 * run: ok
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#define SAMPLES 40
#define BOX 4

struct station {
    pthread_mutex_t lock;
    pthread_cond_t not_empty;
    pthread_cond_t not_full;
    double box[BOX];
    int head;
    int used;
    int sources_left;
    double sum;
    int received;
};

typedef void *(*entry_function)(void *);

struct service {
    const char *name;
    entry_function entry;
};

static void deliver(struct station *station, double sample)
{
    pthread_mutex_lock(&station->lock);
    while (station->used == BOX)
        pthread_cond_wait(&station->not_full, &station->lock);
    station->box[(station->head + station->used) % BOX] = sample;
    station->used++;
    pthread_cond_signal(&station->not_empty);
    pthread_mutex_unlock(&station->lock);
}

static void source_ends(struct station *station)
{
    pthread_mutex_lock(&station->lock);
    station->sources_left--;
    pthread_cond_signal(&station->not_empty);
    pthread_mutex_unlock(&station->lock);
}

static void *thermometer(void *argument)
{
    struct station *station = argument;
    for (int i = 0; i < SAMPLES; i++)
        deliver(station, 18.0 + (i % 9) * 0.25);
    source_ends(station);
    return NULL;
}

static void *barometer(void *argument)
{
    struct station *station = argument;
    for (int i = 0; i < SAMPLES; i++)
        deliver(station, 1013.0 - (i % 5) * 0.5);
    source_ends(station);
    return NULL;
}

static void *recorder(void *argument)
{
    struct station *station = argument;
    pthread_mutex_lock(&station->lock);
    for (;;) {
        while (station->used == 0 && station->sources_left > 0)
            pthread_cond_wait(&station->not_empty, &station->lock);
        if (station->used == 0)
            break;
        station->sum += station->box[station->head];
        station->head = (station->head + 1) % BOX;
        station->used--;
        station->received++;
        pthread_cond_signal(&station->not_full);
    }
    pthread_mutex_unlock(&station->lock);
    return NULL;
}

static const struct service services[] = {
    {"thermometer", thermometer},
    {"barometer", barometer},
    {"recorder", recorder},
};

#define SERVICES (sizeof services / sizeof services[0])

int main(void)
{
    struct station station = {
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .not_empty = PTHREAD_COND_INITIALIZER,
        .not_full = PTHREAD_COND_INITIALIZER,
        .sources_left = 2,
    };
    pthread_t threads[SERVICES];

    for (size_t i = 0; i < SERVICES; i++)
        if (pthread_create(&threads[i], NULL, services[i].entry, &station) != 0) {
            fprintf(stderr, "cannot start the %s\n", services[i].name);
            return 1;
        }
    for (size_t i = 0; i < SERVICES; i++)
        pthread_join(threads[i], NULL);
    printf("%d samples, mean %.3f\n", station.received, station.sum / station.received);
    return 0;
}
