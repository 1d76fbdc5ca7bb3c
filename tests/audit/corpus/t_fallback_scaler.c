/* Image scaler with a thread per strip, and the old single-threaded scaler kept for when no thread can be created.
 *
 * clean: no
 * bind: work=scale_rows
 * allow: CT004
 * run: ok
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#define STRIPS 4
#define HEIGHT 40
#define WIDTH 50

typedef struct {
    int top, bottom;
} strip;

static unsigned char in[2 * HEIGHT][2 * WIDTH];
static unsigned char out[HEIGHT][WIDTH];

static unsigned char mean_of_four(const unsigned char *above, const unsigned char *below)
{
    return (unsigned char)((above[0] + above[1] + below[0] + below[1]) / 4);
}

static void scale_rows(int top, int bottom)
{
    for (int y = top; y < bottom; y++)
        for (int x = 0; x < WIDTH; x++)
            out[y][x] = mean_of_four(&in[2 * y][2 * x], &in[2 * y + 1][2 * x]);
}

static void *scale_strip(void *argument)
{
    strip *own = argument;
    scale_rows(own->top, own->bottom);
    return NULL;
}

static bool scale_threaded(void)
{
    pthread_t threads[STRIPS];
    strip strips[STRIPS];
    int started = 0;

    for (; started < STRIPS; started++) {
        strips[started] = (strip){started * HEIGHT / STRIPS, (started + 1) * HEIGHT / STRIPS};
        if (pthread_create(&threads[started], NULL, scale_strip, &strips[started]) != 0)
            break;
    }
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    return started == STRIPS;
}

static void scale_serial(void) /* expect: CT006 #1 */
{
    scale_rows(0, HEIGHT); /* expect: CT006 #1 */
}

int main(void)
{
    long sum = 0;

    for (int y = 0; y < 2 * HEIGHT; y++)
        for (int x = 0; x < 2 * WIDTH; x++)
            in[y][x] = (unsigned char)(x * 2 + y);
    if (!scale_threaded())
        scale_serial(); /* expect: CT006 #1 */
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            sum += out[y][x];
    printf("mean %ld\n", sum / (HEIGHT * WIDTH));
    return 0;
}
