/* Contrast filter that only looks guilty: a lock in a comment and in strings, a barrier in dead text, callbacks in a table.
 *
 * clean: yes
 * run: ok
 */
#include <pthread.h>
#include <stdio.h>

#define STRIPS 3
#define ROWS 48
#define COLUMNS 32

/* pthread_mutex_t image_lock = PTHREAD_MUTEX_INITIALIZER;  gone since every strip has its own rows */
static unsigned char input[ROWS][COLUMNS];
static unsigned char output[ROWS][COLUMNS];
#if 0
static pthread_barrier_t strips_done;
static pthread_cond_t never_used = PTHREAD_COND_INITIALIZER;
#endif

static const char *const manual[] = {
    "pthread_mutex_lock(&image_lock); is not needed: strips do not overlap",
    "pthread_barrier_wait(&strips_done); was replaced by the joins",
    "sem_wait(&slots); /* never was here */",
};

struct strip {
    int first, last;
    int darkest, brightest;
};

static void *measure(void *argument)
{
    struct strip *strip = argument;
    strip->darkest = 255;
    strip->brightest = 0;
    for (int y = strip->first; y < strip->last; y++)
        for (int x = 0; x < COLUMNS; x++) {
            if (input[y][x] < strip->darkest)
                strip->darkest = input[y][x];
            if (input[y][x] > strip->brightest)
                strip->brightest = input[y][x];
        }
    // pthread_mutex_lock(&image_lock);
#if 0
    pthread_barrier_wait(&strips_done);
#endif
    return NULL;
}

static void *stretch(void *argument)
{
    struct strip *strip = argument;
    int range = strip->brightest > strip->darkest ? strip->brightest - strip->darkest : 1;
    for (int y = strip->first; y < strip->last; y++)
        for (int x = 0; x < COLUMNS; x++)
            output[y][x] = (unsigned char)((input[y][x] - strip->darkest) * 255 / range);
    return NULL;
}

static const struct {
    const char *name;
    void *(*run)(void *);
} passes[] = {
    {"measure", measure},
    {"stretch", stretch},
};

int main(void)
{
    pthread_t threads[STRIPS];
    struct strip strips[STRIPS];
    long sum = 0;

    for (int y = 0; y < ROWS; y++)
        for (int x = 0; x < COLUMNS; x++)
            input[y][x] = (unsigned char)(60 + (x * y) % 90);
    for (int i = 0; i < STRIPS; i++)
        strips[i] = (struct strip){.first = i * ROWS / STRIPS, .last = (i + 1) * ROWS / STRIPS};

    for (size_t pass = 0; pass < sizeof passes / sizeof passes[0]; pass++) {
        for (int i = 0; i < STRIPS; i++)
            pthread_create(&threads[i], NULL, passes[pass].run, &strips[i]);
        for (int i = 0; i < STRIPS; i++)
            pthread_join(threads[i], NULL);
        printf("%s done\n", passes[pass].name);
    }
    for (int y = 0; y < ROWS; y++)
        for (int x = 0; x < COLUMNS; x++)
            sum += output[y][x];
    printf("mean %ld; %s\n", sum / (ROWS * COLUMNS), manual[0]);
    return 0;
}
