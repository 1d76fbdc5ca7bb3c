/* A two-lane bridge: predicate loops hidden in a macro and behind a sleeping helper, signals sent after the mutex is released.
 *
 * clean: yes
 * check: holds
 * run: ok
 */
#include <pthread.h>
#include <stdio.h>

#define CAPACITY 2
#define CARS 4
#define CROSSINGS 10

#define WAIT_UNTIL(test, bridge)      \
    do {                              \
        while (!(test))               \
            bridge_sleep(bridge);     \
    } while (0)

typedef struct bridge {
    pthread_mutex_t mutex;
    pthread_cond_t left;
    int on_bridge;
    int crossings;
    int most;
} bridge_t;

static bridge_t bridge = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0 };

/* Call with the mutex held, in a loop that tests again. */
static void bridge_sleep(bridge_t *b)
{
    pthread_cond_wait(&b->left, &b->mutex);
}

static void bridge_enter(bridge_t *b)
{
    pthread_mutex_lock(&b->mutex);
    WAIT_UNTIL(b->on_bridge < CAPACITY, b);
    b->on_bridge++;
    if (b->on_bridge > b->most)
        b->most = b->on_bridge;
    pthread_mutex_unlock(&b->mutex);
}

static void bridge_leave(bridge_t *b)
{
    pthread_mutex_lock(&b->mutex);
    b->on_bridge--;
    b->crossings++;
    pthread_mutex_unlock(&b->mutex);
    pthread_cond_signal(&b->left);
}

static void *car(void *argument)
{
    bridge_t *b = argument;

    for (int i = 0; i < CROSSINGS; i++) {
        bridge_enter(b);
        bridge_leave(b);
    }
    return NULL;
}

int main(void)
{
    pthread_t cars[CARS];

    for (int i = 0; i < CARS; i++)
        pthread_create(&cars[i], NULL, car, &bridge);
    for (int i = 0; i < CARS; i++)
        pthread_join(cars[i], NULL);
    pthread_cond_destroy(&bridge.left);
    pthread_mutex_destroy(&bridge.mutex);
    printf("%d crossings, never more than %d at once: %s\n", bridge.crossings, CAPACITY,
           bridge.most <= CAPACITY ? "true" : "false");
    return 0;
}
