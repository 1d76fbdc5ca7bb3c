/* A watchdog with timed waits in a predicate loop; lock and unlock sit in two branches of an #ifdef, both of them matched.
 *
 * clean: yes
 * run: ok
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#define CLIENTS 3
#define BEATS 20

static struct watchdog {
    pthread_mutex_t mutex;
    pthread_cond_t beat;
    int beats;
    int alive;
    int timeouts;
} dog = { .mutex = PTHREAD_MUTEX_INITIALIZER, .beat = PTHREAD_COND_INITIALIZER, .alive = CLIENTS };

static void dog_lock(void)
{
#ifdef WATCHDOG_TRACE
    fprintf(stderr, "lock\n");
    while (pthread_mutex_trylock(&dog.mutex) != 0)
        continue;
#else
    pthread_mutex_lock(&dog.mutex);
#endif
}

static void dog_unlock(void)
{
    pthread_mutex_unlock(&dog.mutex);
#ifdef WATCHDOG_TRACE
    fprintf(stderr, "unlock\n");
#endif
}

static void *client(void *unused)
{
    (void)unused;
    for (int i = 0; i < BEATS; i++) {
        dog_lock();
        dog.beats++;
        if (i == BEATS - 1)
            dog.alive--;
        pthread_cond_signal(&dog.beat);
        dog_unlock();
    }
    return NULL;
}

/* Sleeps until a beat comes or 50 ms are over; false when no client is left. Call without the lock. */
static bool await_beat(int *seen)
{
    struct timespec until;
    bool more;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 50000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    dog_lock();
    while (dog.beats == *seen && dog.alive > 0) {
        if (pthread_cond_timedwait(&dog.beat, &dog.mutex, &until) == ETIMEDOUT) {
            dog.timeouts++;
            break;
        }
    }
    *seen = dog.beats;
    more = dog.alive > 0;
    dog_unlock();
    return more;
}

static void *watch(void *result)
{
    int *longest_burst = result;
    int seen = 0, before = 0;

    while (await_beat(&seen)) {
        if (seen - before > *longest_burst)
            *longest_burst = seen - before;
        before = seen;
    }
    return NULL;
}

int main(void)
{
    pthread_t watcher, clients[CLIENTS];
    int longest_burst = 0;

    pthread_create(&watcher, NULL, watch, &longest_burst);
    for (int i = 0; i < CLIENTS; i++)
        pthread_create(&clients[i], NULL, client, NULL);
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(clients[i], NULL);
    pthread_join(watcher, NULL);
    pthread_cond_destroy(&dog.beat);
    pthread_mutex_destroy(&dog.mutex);
    printf("%d beats, longest burst at most all: %s, few timeouts: %s\n", dog.beats,
           longest_burst <= dog.beats ? "yes" : "no", dog.timeouts < 100 ? "yes" : "no");
    return 0;
}
