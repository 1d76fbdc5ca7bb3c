/* A print spooler: clients put jobs into a bounded queue, printers take them out; every wait tests its predicate in a loop.
 *
 * clean: yes
 * check: holds
 * run: ok
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#define SLOTS 3
#define CLIENTS 3
#define PRINTERS 2
#define JOBS_PER_CLIENT 8

struct spool {
    pthread_mutex_t mutex;
    pthread_cond_t not_full;
    pthread_cond_t not_empty;
    int pages[SLOTS];
    int head;
    int count;
    bool closed;
};

struct client {
    struct spool *spool;
    int number;
};

struct printer {
    struct spool *spool;
    int printed;
};

static void spool_init(struct spool *spool)
{
    pthread_mutex_init(&spool->mutex, NULL);
    pthread_cond_init(&spool->not_full, NULL);
    pthread_cond_init(&spool->not_empty, NULL);
    spool->head = 0;
    spool->count = 0;
    spool->closed = false;
}

static void spool_destroy(struct spool *spool)
{
    pthread_cond_destroy(&spool->not_empty);
    pthread_cond_destroy(&spool->not_full);
    pthread_mutex_destroy(&spool->mutex);
}

static void spool_put(struct spool *spool, int pages)
{
    pthread_mutex_lock(&spool->mutex);
    while (spool->count == SLOTS)
        pthread_cond_wait(&spool->not_full, &spool->mutex);
    spool->pages[(spool->head + spool->count) % SLOTS] = pages;
    spool->count++;
    pthread_cond_signal(&spool->not_empty);
    pthread_mutex_unlock(&spool->mutex);
}

/* Returns false once the spool is closed and empty. */
static bool spool_take(struct spool *spool, int *pages)
{
    pthread_mutex_lock(&spool->mutex);
    while (spool->count == 0 && !spool->closed)
        pthread_cond_wait(&spool->not_empty, &spool->mutex);
    if (spool->count == 0) {
        pthread_mutex_unlock(&spool->mutex);
        return false;
    }
    *pages = spool->pages[spool->head];
    spool->head = (spool->head + 1) % SLOTS;
    spool->count--;
    pthread_cond_signal(&spool->not_full);
    pthread_mutex_unlock(&spool->mutex);
    return true;
}

static void spool_close(struct spool *spool)
{
    pthread_mutex_lock(&spool->mutex);
    spool->closed = true;
    pthread_cond_broadcast(&spool->not_empty);
    pthread_mutex_unlock(&spool->mutex);
}

static void *client_main(void *argument)
{
    struct client *client = argument;

    for (int job = 0; job < JOBS_PER_CLIENT; job++)
        spool_put(client->spool, 1 + (client->number + job) % 5);
    return NULL;
}

static void *printer_main(void *argument)
{
    struct printer *printer = argument;
    int pages;

    while (spool_take(printer->spool, &pages))
        printer->printed += pages;
    return NULL;
}

int main(void)
{
    struct spool spool;
    struct client clients[CLIENTS];
    struct printer printers[PRINTERS];
    pthread_t client_threads[CLIENTS];
    pthread_t printer_threads[PRINTERS];
    int total = 0;

    spool_init(&spool);
    for (int i = 0; i < PRINTERS; i++) {
        printers[i] = (struct printer){ .spool = &spool, .printed = 0 };
        pthread_create(&printer_threads[i], NULL, printer_main, &printers[i]);
    }
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){ .spool = &spool, .number = i };
        pthread_create(&client_threads[i], NULL, client_main, &clients[i]);
    }
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(client_threads[i], NULL);
    spool_close(&spool);
    for (int i = 0; i < PRINTERS; i++) {
        pthread_join(printer_threads[i], NULL);
        total += printers[i].printed;
    }
    spool_destroy(&spool);
    printf("%d pages printed\n", total);
    return 0;
}
