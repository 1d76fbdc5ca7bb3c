/* A race simulation: runners wait for the starting shot at a bare condition, so who comes after the broadcast sleeps for ever.
 *
 * clean: no
 * check: deadlock
 * run: hang
 */
#include <pthread.h>
#include <stdio.h>

#define RUNNERS 4

static pthread_mutex_t track = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t shot = PTHREAD_COND_INITIALIZER;
static int finished;

static void *run(void *argument)
{
    int *place = argument;

    pthread_mutex_lock(&track);
    pthread_cond_wait(&shot, &track); /* expect: CW002 #1 */ /* allow: CW006 CT002 */
    *place = ++finished;
    pthread_mutex_unlock(&track);
    return NULL;
}

int main(void)
{
    pthread_t runners[RUNNERS];
    int place[RUNNERS] = { 0 };

    for (int i = 0; i < RUNNERS; i++)
        pthread_create(&runners[i], NULL, run, &place[i]);
    pthread_mutex_lock(&track);
    pthread_cond_broadcast(&shot); /* allow: CW006 */
    pthread_mutex_unlock(&track);
    for (int i = 0; i < RUNNERS; i++) {
        pthread_join(runners[i], NULL); /* allow: CT001 */
        printf("runner %d: place %d\n", i, place[i]);
    }
    return 0;
}
