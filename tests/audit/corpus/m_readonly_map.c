/* A lookup table in a shared mapping: the threads fill their parts of it although it was mapped for reading only.
 *
 * clean: no
 * run: fails
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define ENTRIES 4096
#define THREADS 4

static double *sine_table;

static void *fill_part(void *argument)
{
    int id = *(int *)argument;
    int part = ENTRIES / THREADS; /* divides exactly */

    for (int i = id * part; i < (id + 1) * part; i++)
        sine_table[i] = sin(6.283185307179586 * i / ENTRIES); /* expect: CS005 #1 */
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    int id[THREADS];
    double sum = 0;

    sine_table = mmap(NULL, ENTRIES * sizeof *sine_table, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0); /* expect: CS005 #1 */
    if (sine_table == MAP_FAILED) {
        perror("mmap");
        return EXIT_FAILURE;
    }
    for (int i = 0; i < THREADS; i++) {
        id[i] = i;
        pthread_create(&threads[i], NULL, fill_part, &id[i]);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < ENTRIES; i++)
        sum += sine_table[i] * sine_table[i];
    munmap(sine_table, ENTRIES * sizeof *sine_table);
    printf("sum of squares %.1f\n", sum);
    return EXIT_SUCCESS;
}
