/* Histogram of a synthetic image with C11 threads, a C11 condition for the hand-over and an atomic row counter.
 *
 * clean: yes
 * run: ok
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>

#define COUNTERS 3
#define HEIGHT 96
#define WIDTH 128
#define LEVELS 16

typedef struct {
    mtx_t lock;
    cnd_t loaded;
    bool ready;
    atomic_int next_row;
    unsigned char pixels[HEIGHT][WIDTH];
    long histogram[LEVELS];
} picture;

static int count_rows(void *argument)
{
    picture *image = argument;
    long own[LEVELS] = {0};
    int rows = 0;

    mtx_lock(&image->lock);
    while (!image->ready)
        cnd_wait(&image->loaded, &image->lock);
    mtx_unlock(&image->lock);

    for (;;) {
        int row = atomic_fetch_add(&image->next_row, 1);
        if (row >= HEIGHT)
            break;
        for (int x = 0; x < WIDTH; x++)
            own[image->pixels[row][x] % LEVELS]++;
        rows++;
    }

    mtx_lock(&image->lock);
    for (int level = 0; level < LEVELS; level++)
        image->histogram[level] += own[level];
    mtx_unlock(&image->lock);
    return rows;
}

static int load(void *argument)
{
    picture *image = argument;
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            image->pixels[y][x] = (unsigned char)(x * y + x);
    mtx_lock(&image->lock);
    image->ready = true;
    cnd_broadcast(&image->loaded);
    mtx_unlock(&image->lock);
    return 0;
}

int main(void)
{
    picture *image = calloc(1, sizeof *image);
    thrd_t loader, counters[COUNTERS];
    int rows = 0;

    if (image == NULL)
        return EXIT_FAILURE;
    mtx_init(&image->lock, mtx_plain);
    cnd_init(&image->loaded);
    for (int i = 0; i < COUNTERS; i++)
        thrd_create(&counters[i], count_rows, image);
    thrd_create(&loader, load, image);

    thrd_join(loader, NULL);
    for (int i = 0; i < COUNTERS; i++) {
        int counted = 0;
        thrd_join(counters[i], &counted);
        rows += counted;
    }
    cnd_destroy(&image->loaded);
    mtx_destroy(&image->lock);

    printf("%d rows:", rows);
    for (int level = 0; level < LEVELS; level++)
        printf(" %ld", image->histogram[level]);
    putchar('\n');
    free(image);
    return EXIT_SUCCESS;
}
