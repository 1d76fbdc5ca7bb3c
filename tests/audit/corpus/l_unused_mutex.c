/* A thumbnail maker that claims pictures by an atomic index; the album's old mutex is still set up but never locked.
 *
 * clean: no
 * run: ok
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#define PICTURES 24
#define SIDE 16
#define HELPERS 3

struct album {
    pthread_mutex_t guard; /* expect: CL001 #1 */
    atomic_int next;
    unsigned char picture[PICTURES][SIDE * SIDE];
    unsigned char thumbnail[PICTURES];
};

static void album_open(struct album *album)
{
    pthread_mutex_init(&album->guard, NULL); /* expect: CL001 #1 */
    atomic_init(&album->next, 0);
    for (int p = 0; p < PICTURES; p++)
        for (int i = 0; i < SIDE * SIDE; i++)
            album->picture[p][i] = (unsigned char)(p * 31 + i);
}

static void album_close(struct album *album)
{
    pthread_mutex_destroy(&album->guard);
}

static void shrink(struct album *album, int p)
{
    unsigned sum = 0;

    for (int i = 0; i < SIDE * SIDE; i++)
        sum += album->picture[p][i];
    album->thumbnail[p] = (unsigned char)(sum / (SIDE * SIDE));
}

static void *helper(void *argument)
{
    struct album *album = argument;

    for (;;) {
        int p = atomic_fetch_add(&album->next, 1);

        if (p >= PICTURES)
            return NULL;
        shrink(album, p);
    }
}

int main(void)
{
    static struct album album;
    pthread_t helpers[HELPERS];
    unsigned checksum = 0;

    album_open(&album);
    for (int i = 0; i < HELPERS; i++)
        pthread_create(&helpers[i], NULL, helper, &album);
    for (int i = 0; i < HELPERS; i++)
        pthread_join(helpers[i], NULL);
    for (int p = 0; p < PICTURES; p++)
        checksum = checksum * 3 + album.thumbnail[p];
    album_close(&album);
    printf("checksum %u\n", checksum);
    return 0;
}
