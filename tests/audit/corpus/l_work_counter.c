/* A Mandelbrot picture whose rows are claimed from one atomic counter; every thread writes the rows that it claimed only.
 *
 * clean: yes
 * bind: work=draw_row
 * run: ok
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define WIDTH 96
#define HEIGHT 50
#define THREADS 4
#define LIMIT 80

static unsigned char picture[HEIGHT][WIDTH];
static atomic_int next_row;
static atomic_ulong iterations;

static unsigned long draw_row(int row)
{
    unsigned long spent = 0;

    for (int column = 0; column < WIDTH; column++) {
        double cx = -2.2 + 3.2 * column / WIDTH;
        double cy = -1.2 + 2.4 * row / HEIGHT;
        double x = 0, y = 0;
        int step = 0;

        while (step < LIMIT && x * x + y * y < 4.0) {
            double t = x * x - y * y + cx;

            y = 2 * x * y + cy;
            x = t;
            step++;
        }
        picture[row][column] = (unsigned char)step;
        spent += (unsigned long)step;
    }
    return spent;
}

static void *painter(void *unused)
{
    unsigned long mine = 0;
    int row;

    (void)unused;
    while ((row = atomic_fetch_add(&next_row, 1)) < HEIGHT)
        mine += draw_row(row);
    atomic_fetch_add_explicit(&iterations, mine, memory_order_relaxed);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    unsigned long inside = 0;

    for (int i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, painter, NULL) != 0) {
            perror("pthread_create");
            exit(1);
        }
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int row = 0; row < HEIGHT; row++)
        for (int column = 0; column < WIDTH; column++)
            inside += picture[row][column] == LIMIT;
    printf("%lu points inside after %lu steps\n", inside, atomic_load(&iterations));
    return 0;
}
