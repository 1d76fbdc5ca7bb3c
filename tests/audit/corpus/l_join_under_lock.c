/* A sensor registry: shutdown sets the stop flag and joins the pollers while it holds the very mutex they test the flag under.
 *
 * clean: no
 * check: deadlock
 * run: hang
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#define SENSORS 3

static struct registry {
    pthread_mutex_t mutex;
    bool stopping;
    long polls;
} registry = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static void *poll_sensor(void *unused)
{
    (void)unused;
    for (;;) {
        pthread_mutex_lock(&registry.mutex); /* expect: CL003 #1 */
        if (registry.stopping) {
            pthread_mutex_unlock(&registry.mutex);
            break;
        }
        registry.polls++;
        pthread_mutex_unlock(&registry.mutex);
        usleep(500);
    }
    return NULL;
}

static void shut_down(pthread_t *threads, int count)
{
    pthread_mutex_lock(&registry.mutex); /* expect: CL003 #1 */
    registry.stopping = true;
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL); /* expect: CL003 #1 */ /* allow: CT001 */
    printf("%ld polls\n", registry.polls);
    pthread_mutex_unlock(&registry.mutex);
}

int main(void)
{
    pthread_t threads[SENSORS];

    for (int i = 0; i < SENSORS; i++)
        pthread_create(&threads[i], NULL, poll_sensor, NULL);
    usleep(5000);
    shut_down(threads, SENSORS);
    pthread_mutex_destroy(&registry.mutex);
    return 0;
}
