#include "parts.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define BACKLOG 4

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int backlog[BACKLOG];
static int waiting;
static bool closed;
static long words_indexed;
static pthread_t indexer;

static int take(void)
{
    int words = backlog[--waiting];
    pthread_cond_broadcast(&changed);
    return words;
}

static void *run(void *argument)
{
    (void)argument;
    pthread_mutex_lock(&lock);
    while (true) {
        while (waiting == 0 && !closed)
            pthread_cond_wait(&changed, &lock);
        if (waiting == 0)
            break;
        words_indexed += take();
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

void index_start(void)
{
    pthread_create(&indexer, NULL, run, NULL);
}

void index_add(int page, int words)
{
    pthread_mutex_lock(&lock);
    while (waiting == BACKLOG)
        pthread_cond_wait(&changed, &lock);
    backlog[waiting++] = page % 2 == 0 ? words : words / 2;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

void index_finish(void)
{
    pthread_mutex_lock(&lock);
    closed = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    pthread_join(indexer, NULL);
}

long index_words(void)
{
    return words_indexed;
}
