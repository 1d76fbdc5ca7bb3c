/* Render queue with a "supervisor" thread that supervises nothing: it sleeps on a semaphore until the end.
 *
 * clean: no
 * run: ok
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>

#define RENDERERS 3
#define TILES 36

struct farm {
    atomic_int next_tile;
    unsigned char shade[TILES];
    sem_t end;
};

static unsigned char render_tile(int tile)
{
    unsigned shade = 0;
    for (int i = 0; i < 500; i++)
        shade = shade * 31u + (unsigned)(tile ^ i);
    return (unsigned char)shade;
}

static void *renderer(void *argument)
{
    struct farm *farm = argument;
    int tile;
    while ((tile = atomic_fetch_add(&farm->next_tile, 1)) < TILES)
        farm->shade[tile] = render_tile(tile);
    return NULL;
}

static void *supervisor(void *argument) /* expect: CT005 #1 */
{
    struct farm *farm = argument;
    sem_wait(&farm->end); /* expect: CT005 #1 */
    return NULL;
}

int main(void)
{
    static struct farm farm;
    pthread_t boss, renderers[RENDERERS];
    unsigned sum = 0;

    sem_init(&farm.end, 0, 0);
    pthread_create(&boss, NULL, supervisor, &farm); /* expect: CT005 #1 */
    for (int i = 0; i < RENDERERS; i++)
        pthread_create(&renderers[i], NULL, renderer, &farm);
    for (int i = 0; i < RENDERERS; i++)
        pthread_join(renderers[i], NULL);
    sem_post(&farm.end);
    pthread_join(boss, NULL);
    sem_destroy(&farm.end);
    for (int tile = 0; tile < TILES; tile++)
        sum += farm.shade[tile];
    printf("mean shade %u\n", sum / TILES);
    return 0;
}
