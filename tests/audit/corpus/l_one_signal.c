/* A one-place exchange: givers and takers sleep at one condition with different predicates and are woken by single signals.
 *
 * clean: no
 * check: deadlock
 * run: hang
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#define PAIRS 3
#define ROUNDS 300000

static struct exchange {
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* expect: CW006 #1 */
    bool occupied;
    long value;
    long total;
} place = { .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static void *give(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&place.mutex);
        while (place.occupied)
            pthread_cond_wait(&place.changed, &place.mutex); /* expect: CW006 #1 */
        place.occupied = true;
        place.value = i;
        pthread_cond_signal(&place.changed); /* expect: CW006 #1 */
        pthread_mutex_unlock(&place.mutex);
    }
    return NULL;
}

static void *take(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&place.mutex);
        while (!place.occupied)
            pthread_cond_wait(&place.changed, &place.mutex); /* expect: CW006 #1 */
        place.occupied = false;
        place.total += place.value;
        pthread_cond_signal(&place.changed); /* expect: CW006 #1 */
        pthread_mutex_unlock(&place.mutex);
    }
    return NULL;
}

int main(void)
{
    pthread_t givers[PAIRS], takers[PAIRS];

    for (int i = 0; i < PAIRS; i++) {
        pthread_create(&givers[i], NULL, give, NULL);
        pthread_create(&takers[i], NULL, take, NULL);
    }
    for (int i = 0; i < PAIRS; i++) {
        pthread_join(givers[i], NULL); /* allow: CT001 */
        pthread_join(takers[i], NULL); /* allow: CT001 */
    }
    printf("total %ld\n", place.total);
    return 0;
}
