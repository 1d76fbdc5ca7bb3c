/* Word counter in rounds: a thread whose slice of the round is empty goes on without crossing the barrier.
 *
 * clean: no
 * bind: work=count_words
 * check: deadlock
 * run: hang
 */
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>

#define COUNTERS 3
#define ROUNDS 4

static const char *const texts[ROUNDS][COUNTERS] = {
    {"the quick brown fox", "jumps over", "the lazy dog"},
    {"pack my box", "with five dozen", "liquor jugs"},
    {"sphinx of black quartz", "", "judge my vow"},
    {"how vexingly", "quick daft", "zebras jump"},
};

static pthread_barrier_t round_end;
static int words[COUNTERS];
static int totals[ROUNDS];

static int count_words(const char *text)
{
    int count = 0;
    int inside = 0;
    for (; *text != '\0'; text++) {
        int letter = isalpha((unsigned char)*text) != 0;
        count += letter && !inside;
        inside = letter;
    }
    return count;
}

static void *counter(void *argument)
{
    int self = *(const int *)argument;
    for (int round = 0; round < ROUNDS; round++) {
        const char *text = texts[round][self];
        if (text[0] == '\0')
            continue; /* expect: CB003 #1 */
        words[self] = count_words(text);
        pthread_barrier_wait(&round_end); /* expect: CB003 #1 */
        pthread_barrier_wait(&round_end); /* expect: CB003 #1 */
    }
    return NULL;
}

static void *totaller(void *argument)
{
    (void)argument;
    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&round_end);
        totals[round] = 0;
        for (int i = 0; i < COUNTERS; i++)
            totals[round] += words[i];
        pthread_barrier_wait(&round_end);
    }
    return NULL;
}

int main(void)
{
    pthread_t counters[COUNTERS];
    pthread_t sum;
    int numbers[COUNTERS];

    pthread_barrier_init(&round_end, NULL, COUNTERS + 1);
    pthread_create(&sum, NULL, totaller, NULL);
    for (int i = 0; i < COUNTERS; i++) {
        numbers[i] = i;
        pthread_create(&counters[i], NULL, counter, &numbers[i]);
    }
    for (int i = 0; i < COUNTERS; i++)
        pthread_join(counters[i], NULL);
    pthread_join(sum, NULL);
    pthread_barrier_destroy(&round_end);
    for (int round = 0; round < ROUNDS; round++)
        printf("round %d: %d words\n", round, totals[round]);
    return 0;
}
