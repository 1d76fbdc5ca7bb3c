/* Shop simulation in two files: a returns desk that is never opened, and a static wait that nothing calls any more.
 *
 * clean: no
 * run: ok
 */
#include "stock.h"

#include <pthread.h>
#include <stdio.h>

#define BUYERS 3
#define VISITS 6

struct buyer {
    int wants;
    int got;
};

static pthread_mutex_t till = PTHREAD_MUTEX_INITIALIZER;
static long takings;

static void pay(int pieces)
{
    pthread_mutex_lock(&till);
    takings += 3L * pieces;
    pthread_mutex_unlock(&till);
}

static void *returns_desk(void *argument) /* expect: CT007 */
{
    int *pieces = argument;
    pay(-*pieces);
    return NULL;
}

static void *buyer(void *argument)
{
    struct buyer *self = argument;
    for (int visit = 0; visit < VISITS; visit++) {
        int pieces = stock_take(self->wants);
        self->got += pieces;
        pay(pieces);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[BUYERS];
    struct buyer buyers[BUYERS];
    int sold = 0;

    stock_open(4);
    for (int i = 0; i < BUYERS; i++) {
        buyers[i] = (struct buyer){.wants = i + 1};
        pthread_create(&threads[i], NULL, buyer, &buyers[i]);
    }
    for (int i = 0; i < BUYERS; i++) {
        pthread_join(threads[i], NULL);
        sold += buyers[i].got;
    }
    stock_close();
    printf("%d pieces sold, %ld taken\n", sold, takings);
    return 0;
}
