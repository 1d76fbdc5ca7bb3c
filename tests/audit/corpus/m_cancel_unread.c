/* A copy job whose error path sets `cancelled` under the lock, but no copier ever looks at it.
 *
 * clean: no
 * run: ok
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#define COPIERS 3
#define FILES 12
#define MAX_SIZE 500

struct job {
    pthread_mutex_t mutex;
    int next;
    int copied;
    int failures;
    bool cancelled; /* expect: CR003 #1 */
};

static int file_size(int file)
{
    return file * file * 7 % 1000;
}

static void fail(struct job *job)
{
    pthread_mutex_lock(&job->mutex);
    job->failures++;
    job->cancelled = true; /* expect: CR003 #1 */
    pthread_mutex_unlock(&job->mutex);
}

static int claim(struct job *job)
{
    int file;

    pthread_mutex_lock(&job->mutex);
    file = job->next < FILES ? job->next++ : -1;
    pthread_mutex_unlock(&job->mutex);
    return file;
}

static void *copier(void *argument)
{
    struct job *job = argument;
    int file;

    while ((file = claim(job)) != -1) {
        if (file_size(file) > MAX_SIZE) {
            fail(job);
            continue;
        }
        pthread_mutex_lock(&job->mutex);
        job->copied += file_size(file);
        pthread_mutex_unlock(&job->mutex);
    }
    return NULL;
}

int main(void)
{
    struct job job = { .mutex = PTHREAD_MUTEX_INITIALIZER };
    pthread_t copiers[COPIERS];

    for (int i = 0; i < COPIERS; i++)
        pthread_create(&copiers[i], NULL, copier, &job);
    for (int i = 0; i < COPIERS; i++)
        pthread_join(copiers[i], NULL);
    pthread_mutex_destroy(&job.mutex);
    printf("%d bytes copied, %d failures\n", job.copied, job.failures);
    return 0;
}
