/* Column means of a table: each thread takes n / threads rows, the last one takes the remainder too; results by index.
 *
 * clean: yes
 * bind: work=sum_rows
 * run: ok
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 1003
#define COLUMNS 5
#define THREADS 4

static double table[ROWS][COLUMNS];
static double partial[THREADS][COLUMNS]; /* row i belongs to thread i until it is joined */

static void sum_rows(size_t first, size_t last, double *out)
{
    for (size_t row = first; row < last; row++)
        for (int column = 0; column < COLUMNS; column++)
            out[column] += table[row][column];
}

static void *run_share(void *argument)
{
    size_t index = *(size_t *)argument;
    size_t share = ROWS / THREADS;
    size_t first = index * share;
    size_t last = index == THREADS - 1 ? ROWS : first + share;
    double sums[COLUMNS] = { 0 };

    sum_rows(first, last, sums);
    memcpy(partial[index], sums, sizeof sums);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    size_t index[THREADS];

    for (size_t row = 0; row < ROWS; row++)
        for (int column = 0; column < COLUMNS; column++)
            table[row][column] = (double)((row * 7 + (size_t)column) % 11);
    for (size_t i = 0; i < THREADS; i++) {
        index[i] = i;
        pthread_create(&threads[i], NULL, run_share, &index[i]);
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int column = 0; column < COLUMNS; column++) {
        double sum = 0;

        for (int i = 0; i < THREADS; i++)
            sum += partial[i][column];
        printf("column %d: mean %.3f\n", column, sum / ROWS);
    }
    return EXIT_SUCCESS;
}
