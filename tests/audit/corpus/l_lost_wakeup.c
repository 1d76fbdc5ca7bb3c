/* A dispatcher announces an order through an atomic flag and a signal without the mutex: both can fall between test and sleep.
 *
 * clean: no
 * check: deadlock
 * run: ok
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

struct desk {
    pthread_mutex_t mutex;
    pthread_cond_t ordered;
    atomic_bool has_order;
    int taken;
};

static struct desk desk = { .mutex = PTHREAD_MUTEX_INITIALIZER, .ordered = PTHREAD_COND_INITIALIZER };

static void *driver(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&desk.mutex);
    while (!atomic_load(&desk.has_order)) /* expect: CW006 #1 */
        pthread_cond_wait(&desk.ordered, &desk.mutex); /* expect: CW006 #1 */
    desk.taken++;
    pthread_mutex_unlock(&desk.mutex);
    return NULL;
}

static void *dispatcher(void *unused)
{
    (void)unused;
    usleep(2000);
    atomic_store(&desk.has_order, true); /* expect: CW006 #1 */
    pthread_cond_signal(&desk.ordered); /* expect: CW006 #1 */
    return NULL;
}

int main(void)
{
    pthread_t driver_thread, dispatcher_thread;

    pthread_create(&driver_thread, NULL, driver, NULL);
    pthread_create(&dispatcher_thread, NULL, dispatcher, NULL);
    pthread_join(dispatcher_thread, NULL);
    pthread_join(driver_thread, NULL); /* allow: CT001 */
    printf("%d order taken\n", desk.taken);
    return 0;
}
