/* Parallel minimum search with suppressions that outlived what they suppressed, and one that names no rule.
 *
 * clean: no
 * run: ok
 */
#include <pthread.h>
#include <stdio.h>

#define SEARCHERS 4
#define VALUES 4000

static int values[VALUES];

struct search {
    int from, to;
    int smallest;
};

static void *find_smallest(void *argument)
{
    struct search *search = argument;
    int smallest = values[search->from];
    for (int i = search->from + 1; i < search->to; i++)
        if (values[i] < smallest)
            smallest = values[i];
    /* cllm: ignore[CR001] every searcher writes its own record */ /* expect: CX001 */
    search->smallest = smallest;
    return NULL;
}

int main(void)
{
    pthread_t threads[SEARCHERS];
    struct search searches[SEARCHERS];
    unsigned state = 12345;

    for (int i = 0; i < VALUES; i++) {
        state = state * 1103515245u + 12345u;
        values[i] = (int)(state >> 8);
    }
    for (int i = 0; i < SEARCHERS; i++) {
        searches[i].from = i * VALUES / SEARCHERS;
        searches[i].to = (i + 1) * VALUES / SEARCHERS;
        /* cllm: ignore[CT999] joined below */ /* expect: CX002 */
        pthread_create(&threads[i], NULL, find_smallest, &searches[i]);
    }
    int best = 0;
    for (int i = 0; i < SEARCHERS; i++) {
        pthread_join(threads[i], NULL); /* cllm: ignore[CT001] the searchers wait for nobody */ /* expect: CX001 */
        if (searches[i].smallest < searches[best].smallest)
            best = i;
    }
    printf("smallest %d found by searcher %d\n", searches[best].smallest, best);
    return 0;
}
