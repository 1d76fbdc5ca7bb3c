/* An access log formatter: the date helper formats into one static buffer that all the threads share.
 *
 * clean: no
 * run: race
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define THREADS 3
#define ENTRIES 400

static pthread_mutex_t output_mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned long output_length;

/* Minutes since the start of the year as text. */
static const char *format_date(unsigned minutes)
{
    static char text[32];
    unsigned day = minutes / 1440;

    snprintf(text, sizeof text, "%u-%02u:%02u", day, minutes / 60 % 24, minutes % 60); /* expect: CR001 #1 */
    return text; /* expect: CR001 #1 */
}

static void append(const char *line)
{
    pthread_mutex_lock(&output_mutex);
    output_length += strlen(line);
    pthread_mutex_unlock(&output_mutex);
}

static void *format_entries(void *argument)
{
    unsigned host = *(const unsigned *)argument;
    char line[96];

    for (unsigned i = 0; i < ENTRIES; i++) {
        const char *date = format_date(host * 1000 + i * 7);

        snprintf(line, sizeof line, "host%u %s GET /page%u", host, date, i % 10); /* expect: CR001 #1 */
        append(line);
    }
    return NULL;
}

int main(void)
{
    unsigned host[THREADS];
    pthread_t threads[THREADS];

    for (unsigned i = 0; i < THREADS; i++) {
        host[i] = i + 1;
        pthread_create(&threads[i], NULL, format_entries, &host[i]);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&output_mutex);
    printf("%lu characters of log\n", output_length);
    return 0;
}
