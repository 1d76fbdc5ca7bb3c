/* A ferry: passengers board under the mutex but nobody ever signals `full`, so the captain waits for ever once asleep.
 *
 * clean: no
 * check: deadlock
 * run: hang
 */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define PASSENGERS 3

static pthread_mutex_t deck = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t full = PTHREAD_COND_INITIALIZER; /* expect: CW005 #1 */
static int aboard;

static void *captain(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&deck);
    while (aboard < PASSENGERS)
        pthread_cond_wait(&full, &deck); /* expect: CW005 #1 */
    printf("the ferry leaves with %d\n", aboard);
    pthread_mutex_unlock(&deck);
    return NULL;
}

static void *passenger(void *unused)
{
    (void)unused;
    usleep(3000);
    pthread_mutex_lock(&deck);
    aboard++;
    pthread_mutex_unlock(&deck);
    return NULL;
}

int main(void)
{
    pthread_t captain_thread, passengers[PASSENGERS];

    pthread_create(&captain_thread, NULL, captain, NULL);
    for (int i = 0; i < PASSENGERS; i++)
        pthread_create(&passengers[i], NULL, passenger, NULL);
    for (int i = 0; i < PASSENGERS; i++)
        pthread_join(passengers[i], NULL);
    pthread_join(captain_thread, NULL); /* allow: CT001 */
    pthread_cond_destroy(&full);
    pthread_mutex_destroy(&deck);
    return 0;
}
