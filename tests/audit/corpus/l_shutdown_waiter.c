/* A kitchen: at closing time the main thread sets the flag under the mutex but signals only once, so one cook wakes and goes.
 *
 * clean: no
 * check: deadlock
 * run: hang
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#define COOKS 3
#define ORDERS 6

static struct kitchen {
    pthread_mutex_t mutex;
    pthread_cond_t order_or_close;
    int orders;
    int cooked;
    bool closing;
} kitchen = { .mutex = PTHREAD_MUTEX_INITIALIZER, .order_or_close = PTHREAD_COND_INITIALIZER };

static void *cook(void *unused)
{
    (void)unused;
    for (;;) {
        pthread_mutex_lock(&kitchen.mutex);
        while (kitchen.orders == 0 && !kitchen.closing)
            pthread_cond_wait(&kitchen.order_or_close, &kitchen.mutex); /* expect: CT002 #1 */
        if (kitchen.orders == 0) {
            pthread_mutex_unlock(&kitchen.mutex);
            return NULL;
        }
        kitchen.orders--;
        kitchen.cooked++;
        pthread_mutex_unlock(&kitchen.mutex);
    }
}

int main(void)
{
    pthread_t cooks[COOKS];

    for (int i = 0; i < COOKS; i++)
        pthread_create(&cooks[i], NULL, cook, NULL);
    for (int i = 0; i < ORDERS; i++) {
        pthread_mutex_lock(&kitchen.mutex);
        kitchen.orders++;
        pthread_cond_signal(&kitchen.order_or_close);
        pthread_mutex_unlock(&kitchen.mutex);
    }
    usleep(20000);
    pthread_mutex_lock(&kitchen.mutex);
    kitchen.closing = true; /* expect: CT002 #1 */
    pthread_cond_signal(&kitchen.order_or_close); /* expect: CT002 #1 */
    pthread_mutex_unlock(&kitchen.mutex);
    for (int i = 0; i < COOKS; i++)
        pthread_join(cooks[i], NULL); /* expect: CT002 #1 */ /* allow: CT001 */
    printf("%d dishes cooked\n", kitchen.cooked);
    return 0;
}
