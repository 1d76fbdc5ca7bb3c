/* A picture filter by strips: the macro-wrapped image lock is taken around the whole convolution of a strip.
 *
 * clean: no
 * bind: work=convolve_strip
 * run: ok
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define LOCK(m) CHECK(pthread_mutex_lock(m))
#define UNLOCK(m) CHECK(pthread_mutex_unlock(m))
#define CHECK(call)                                                   \
    do {                                                              \
        int error_ = (call);                                          \
        if (error_ != 0) {                                            \
            fprintf(stderr, "%s:%d: %d\n", __FILE__, __LINE__, error_); \
            exit(1);                                                  \
        }                                                             \
    } while (0)

enum { WIDTH = 64, HEIGHT = 48, STRIPS = 12, THREADS = 4 };

static struct {
    pthread_mutex_t lock;
    float in[HEIGHT][WIDTH];
    float out[HEIGHT][WIDTH];
    int next_strip;
    int finished;
} image = { .lock = PTHREAD_MUTEX_INITIALIZER };

static float at(int y, int x)
{
    if (y < 0 || y >= HEIGHT || x < 0 || x >= WIDTH)
        return 0.0f;
    return image.in[y][x];
}

static void convolve_strip(int strip)
{
    int rows = HEIGHT / STRIPS;

    for (int y = strip * rows; y < (strip + 1) * rows; y++) {
        for (int x = 0; x < WIDTH; x++) {
            float sum = 0;

            for (int dy = -1; dy <= 1; dy++)
                for (int dx = -1; dx <= 1; dx++)
                    sum += at(y + dy, x + dx);
            image.out[y][x] = sum / 9.0f;
        }
    }
}

static void *filter(void *unused)
{
    (void)unused;
    for (;;) {
        int strip;

        LOCK(&image.lock);
        strip = image.next_strip++;
        UNLOCK(&image.lock);
        if (strip >= STRIPS)
            break;
        LOCK(&image.lock); /* expect: CL002 #1 */
        convolve_strip(strip); /* expect: CL002 #1 */
        image.finished++;
        UNLOCK(&image.lock);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    double sum = 0;

    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            image.in[y][x] = (float)((x * y) % 17);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, filter, NULL));
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL));
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            sum += image.out[y][x];
    CHECK(pthread_mutex_destroy(&image.lock));
    printf("%d strips, mean %.3f\n", image.finished, sum / (WIDTH * HEIGHT));
    return 0;
}
