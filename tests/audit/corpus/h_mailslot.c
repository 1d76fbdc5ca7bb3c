/* An opaque mail slot with two readers and a wait under `if`, beside a ticker thread that polls a plain int to know the end.
 *
 * clean: no
 * run: race
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SLOT_DEPTH 16
#define LETTERS 400
#define READERS 2
#define NO_MORE (-1)

typedef struct mailslot_ *mailslot_t;

struct mailslot_ {
    pthread_mutex_t mu;
    pthread_cond_t any, space;
    int box[SLOT_DEPTH];
    unsigned in, out;
};

struct reader {
    mailslot_t ms;
    long sum;
};

static int all_read; /* expect: CR002 #poll */

static mailslot_t ms_create(void)
{
    mailslot_t ms = calloc(1, sizeof *ms);

    if (ms == NULL)
        abort();
    pthread_mutex_init(&ms->mu, NULL);
    pthread_cond_init(&ms->any, NULL);
    pthread_cond_init(&ms->space, NULL);
    return ms;
}

static void ms_delete(mailslot_t ms)
{
    pthread_cond_destroy(&ms->space);
    pthread_cond_destroy(&ms->any);
    pthread_mutex_destroy(&ms->mu);
    free(ms);
}

static void ms_write(mailslot_t ms, int letter)
{
    pthread_mutex_lock(&ms->mu);
    while (ms->in - ms->out == SLOT_DEPTH)
        pthread_cond_wait(&ms->space, &ms->mu);
    ms->box[ms->in++ % SLOT_DEPTH] = letter;
    pthread_cond_signal(&ms->any);
    pthread_mutex_unlock(&ms->mu);
}

static int ms_read(mailslot_t ms)
{
    int letter;

    pthread_mutex_lock(&ms->mu);
    if (ms->in == ms->out)
        pthread_cond_wait(&ms->any, &ms->mu); /* expect: CW002 */
    letter = ms->box[ms->out++ % SLOT_DEPTH];
    pthread_cond_signal(&ms->space);
    pthread_mutex_unlock(&ms->mu);
    return letter;
}

static void *read_letters(void *arg)
{
    struct reader *r = arg;
    int letter;

    while ((letter = ms_read(r->ms)) != NO_MORE)
        r->sum += letter;
    return NULL;
}

static void *ticker(void *arg)
{
    long *ticks = arg;

    while (!all_read) { /* expect: CR002 #poll */
        usleep(50);
        ++*ticks;
    }
    return NULL;
}

int main(void)
{
    mailslot_t ms = ms_create();
    struct reader readers[READERS];
    pthread_t threads[READERS], tick;
    long ticks = 0, sum = 0;

    pthread_create(&tick, NULL, ticker, &ticks);
    for (int i = 0; i < READERS; i++) {
        readers[i] = (struct reader){ms, 0};
        pthread_create(&threads[i], NULL, read_letters, &readers[i]);
    }
    for (int n = 1; n <= LETTERS; n++)
        ms_write(ms, n);
    for (int i = 0; i < READERS; i++)
        ms_write(ms, NO_MORE);
    for (int i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
        sum += readers[i].sum;
    }
    all_read = 1; /* expect: CR002 #poll */
    pthread_join(tick, NULL);
    ms_delete(ms);
    printf("sum %ld, %s\n", sum, ticks > 0 ? "ticked" : "no tick");
    return EXIT_SUCCESS;
}
