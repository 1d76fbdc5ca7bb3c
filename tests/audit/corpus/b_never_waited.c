/* Checksum of a table of blocks; the barrier between the two passes is set up and torn down, but nobody waits on it.
 *
 * clean: no
 * run: ok
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS 4
#define BLOCKS 64
#define BLOCK_BYTES 256

struct job {
    int first;
    int last;
    uint32_t sum;
};

static uint8_t table[BLOCKS][BLOCK_BYTES];
static pthread_barrier_t pass_barrier; /* expect: CB001 #1 */

static uint32_t fletcher(const uint8_t *bytes, size_t length)
{
    uint32_t low = 0;
    uint32_t high = 0;
    for (size_t i = 0; i < length; i++) {
        low = (low + bytes[i]) % 65535u;
        high = (high + low) % 65535u;
    }
    return (high << 16) | low;
}

static void *checksum_blocks(void *argument)
{
    struct job *job = argument;
    uint32_t sum = 0;
    for (int block = job->first; block < job->last; block++)
        sum ^= fletcher(table[block], BLOCK_BYTES);
    job->sum = sum;
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    struct job jobs[THREADS];

    for (int block = 0; block < BLOCKS; block++)
        for (int i = 0; i < BLOCK_BYTES; i++)
            table[block][i] = (uint8_t)(block * 7 + i * 13);

    pthread_barrier_init(&pass_barrier, NULL, THREADS); /* expect: CB001 #1 */
    for (int i = 0; i < THREADS; i++) {
        jobs[i].first = i * BLOCKS / THREADS;
        jobs[i].last = (i + 1) * BLOCKS / THREADS;
        jobs[i].sum = 0;
        if (pthread_create(&threads[i], NULL, checksum_blocks, &jobs[i]) != 0)
            abort();
    }

    uint32_t total = 0;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        total ^= jobs[i].sum;
    }
    pthread_barrier_destroy(&pass_barrier);
    printf("checksum %08x\n", (unsigned)total);
    return 0;
}
