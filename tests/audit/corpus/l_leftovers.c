/* A checksum tool that once had a paused mode: its condition, its semaphore and its flag are left over and unused.
 *
 * clean: no
 * run: ok
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>

#define THREADS 2
#define BLOCKS 10
#define BLOCK 512

typedef struct {
    pthread_mutex_t mutex;
    pthread_cond_t resumed; /* expect: CW001 #1 */
    sem_t tokens;           /* expect: CP001 #2 */
    int paused;             /* expect: CR003 #3 */
    int next_block;
    uint32_t sum;
} Job;

static uint8_t data[BLOCKS * BLOCK];

static void job_init(Job *job)
{
    pthread_mutex_init(&job->mutex, NULL);
    pthread_cond_init(&job->resumed, NULL); /* expect: CW001 #1 */
    sem_init(&job->tokens, 0, THREADS);     /* expect: CP001 #2 */
    job->paused = 0;                        /* expect: CR003 #3 */
    job->next_block = 0;
    job->sum = 0;
}

static void job_destroy(Job *job)
{
    sem_destroy(&job->tokens);
    pthread_cond_destroy(&job->resumed);
    pthread_mutex_destroy(&job->mutex);
}

static uint32_t checksum(const uint8_t *bytes, int count)
{
    uint32_t a = 1, b = 0;

    for (int i = 0; i < count; i++) {
        a = (a + bytes[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

static void *run(void *argument)
{
    Job *job = argument;

    for (;;) {
        uint32_t sum;
        int block;

        pthread_mutex_lock(&job->mutex);
        block = job->next_block++;
        pthread_mutex_unlock(&job->mutex);
        if (block >= BLOCKS)
            return NULL;
        sum = checksum(data + block * BLOCK, BLOCK);
        pthread_mutex_lock(&job->mutex);
        job->sum ^= sum;
        pthread_mutex_unlock(&job->mutex);
    }
}

int main(void)
{
    pthread_t threads[THREADS];
    Job job;

    for (int i = 0; i < BLOCKS * BLOCK; i++)
        data[i] = (uint8_t)(i * i >> 3);
    job_init(&job);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, run, &job);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    printf("%08x\n", job.sum);
    job_destroy(&job);
    return 0;
}
