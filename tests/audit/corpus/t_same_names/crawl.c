#include "parts.h"

#include <pthread.h>
#include <stdbool.h>

#define CRAWLERS 3
#define SITE_PAGES 31

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int next_page = 1;
static int visited;
static pthread_t crawlers[CRAWLERS];

static bool take(int *page)
{
    pthread_mutex_lock(&lock);
    bool found = next_page <= SITE_PAGES;
    if (found) {
        *page = next_page++;
        visited++;
    }
    pthread_mutex_unlock(&lock);
    return found;
}

static void *run(void *argument)
{
    int page = 0;
    (void)argument;
    while (take(&page))
        index_add(page, 50 + page * 13 % 40);
    return NULL;
}

void crawl_start(void)
{
    for (int i = 0; i < CRAWLERS; i++)
        pthread_create(&crawlers[i], NULL, run, NULL);
}

void crawl_finish(void)
{
    for (int i = 0; i < CRAWLERS; i++)
        pthread_join(crawlers[i], NULL);
}

int crawl_pages(void)
{
    return visited;
}
