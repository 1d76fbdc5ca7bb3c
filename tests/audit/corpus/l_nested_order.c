/* A tiny database: a writer locks index then log, the checkpointer log then index, each inner lock inside a helper function.
 *
 * clean: no
 * check: deadlock
 * run: hang
 */
#include <pthread.h>
#include <stdio.h>

#define KEYS 16
#define WRITES 1000000
#define CHECKPOINTS 1000000

static struct {
    pthread_mutex_t mutex;
    int value[KEYS];
} index_table = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static struct {
    pthread_mutex_t mutex;
    int length;
    int truncated;
} journal = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static void journal_append(void)
{
    pthread_mutex_lock(&journal.mutex); /* expect: CL005 #1 */
    journal.length++;
    pthread_mutex_unlock(&journal.mutex);
}

static int index_sum(void)
{
    int sum = 0;

    pthread_mutex_lock(&index_table.mutex); /* expect: CL005 #1 */
    for (int i = 0; i < KEYS; i++)
        sum += index_table.value[i];
    pthread_mutex_unlock(&index_table.mutex);
    return sum;
}

static void *writer(void *unused)
{
    (void)unused;
    for (int i = 0; i < WRITES; i++) {
        pthread_mutex_lock(&index_table.mutex); /* expect: CL005 #1 */
        index_table.value[i % KEYS] = i;
        journal_append(); /* expect: CL005 #1 */
        pthread_mutex_unlock(&index_table.mutex);
    }
    return NULL;
}

static void *checkpointer(void *unused)
{
    int last = 0;

    (void)unused;
    for (int i = 0; i < CHECKPOINTS; i++) {
        pthread_mutex_lock(&journal.mutex); /* expect: CL005 #1 */
        if (index_sum() != last) { /* expect: CL005 #1 */
            journal.truncated += journal.length;
            journal.length = 0;
            last++;
        }
        pthread_mutex_unlock(&journal.mutex);
    }
    return NULL;
}

int main(void)
{
    pthread_t write_thread, checkpoint_thread;

    pthread_create(&write_thread, NULL, writer, NULL);
    pthread_create(&checkpoint_thread, NULL, checkpointer, NULL);
    pthread_join(write_thread, NULL);      /* allow: CT001 */
    pthread_join(checkpoint_thread, NULL); /* allow: CT001 */
    printf("%d records\n", journal.length + journal.truncated);
    return 0;
}
