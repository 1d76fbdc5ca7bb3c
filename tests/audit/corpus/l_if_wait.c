/* A parking garage: a car that finds it full waits at the condition behind an `if`, so two cars can enter on one free place.
 *
 * clean: no
 * run: ok
 */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define PLACES 2
#define CARS 5

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t place_free = PTHREAD_COND_INITIALIZER;
static int parked;
static int visits;

static void enter(void)
{
    pthread_mutex_lock(&gate);
    if (parked >= PLACES)
        pthread_cond_wait(&place_free, &gate); /* expect: CW002 */
    parked++;
    visits++;
    pthread_mutex_unlock(&gate);
}

static void leave(void)
{
    pthread_mutex_lock(&gate);
    parked--;
    pthread_cond_signal(&place_free);
    pthread_mutex_unlock(&gate);
}

static void *drive(void *unused)
{
    (void)unused;
    for (int round = 0; round < 4; round++) {
        enter();
        usleep(500);
        leave();
    }
    return NULL;
}

int main(void)
{
    pthread_t cars[CARS];

    for (int i = 0; i < CARS; i++)
        pthread_create(&cars[i], NULL, drive, NULL);
    for (int i = 0; i < CARS; i++)
        pthread_join(cars[i], NULL);
    pthread_cond_destroy(&place_free);
    pthread_mutex_destroy(&gate);
    printf("%d visits, %d still parked\n", visits, parked);
    return 0;
}
