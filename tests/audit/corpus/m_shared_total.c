/* A word counter whose threads add their counts to one global without any lock: increments get lost.
 *
 * clean: no
 * run: race
 */
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define THREADS 4
#define ROUNDS 2000

static const char *const lines[THREADS] = {
    "the quick brown fox jumps over the lazy dog",
    "pack my box with five dozen liquor jugs",
    "how vexingly quick daft zebras jump",
    "sphinx of black quartz judge my vow",
};
static long words;

static int count_words(const char *text)
{
    int count = 0, inside = 0;

    for (; *text; text++) {
        if (isspace((unsigned char)*text)) {
            inside = 0;
        } else if (!inside) {
            inside = 1;
            count++;
        }
    }
    return count;
}

static void *counter(void *argument)
{
    const char *line = argument;

    for (int i = 0; i < ROUNDS; i++)
        words += count_words(line); /* expect: CR001 */
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, counter, (void *)lines[i]);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    printf("%ld words\n", words);
    return 0;
}
