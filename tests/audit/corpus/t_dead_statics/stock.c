#include "stock.h"

#include <pthread.h>
#include <stddef.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t refilled = PTHREAD_COND_INITIALIZER;
static int on_shelf;
static int closed;
static pthread_t supplier;

static void refill(int pieces)
{
    pthread_mutex_lock(&lock);
    on_shelf += pieces;
    pthread_cond_broadcast(&refilled);
    pthread_mutex_unlock(&lock);
}

static void wait_for_stock(int pieces) /* expect: CT007 */
{
    pthread_mutex_lock(&lock);
    while (on_shelf < pieces && !closed)
        pthread_cond_wait(&refilled, &lock);
    pthread_mutex_unlock(&lock);
}

static void *supply(void *argument)
{
    (void)argument;
    for (int delivery = 0; delivery < 8; delivery++)
        refill(5);
    pthread_mutex_lock(&lock);
    closed = 1;
    pthread_cond_broadcast(&refilled);
    pthread_mutex_unlock(&lock);
    return NULL;
}

void stock_open(int pieces)
{
    refill(pieces);
    pthread_create(&supplier, NULL, supply, NULL);
}

int stock_take(int pieces)
{
    int taken = 0;
    pthread_mutex_lock(&lock);
    while (on_shelf < pieces && !closed)
        pthread_cond_wait(&refilled, &lock);
    if (on_shelf >= pieces) {
        on_shelf -= pieces;
        taken = pieces;
    }
    pthread_mutex_unlock(&lock);
    return taken;
}

void stock_close(void)
{
    pthread_join(supplier, NULL);
}
