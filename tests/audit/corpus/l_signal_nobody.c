/* A log writer: after each flush it signals `flushed`, but the callers that once waited for it are gone.
 *
 * clean: no
 * run: ok
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LINES 8
#define WIDTH 40
#define SOURCES 3

struct log {
    pthread_mutex_t mutex;
    pthread_cond_t pending;
    pthread_cond_t room;
    pthread_cond_t flushed; /* expect: CW004 #1 */
    char line[LINES][WIDTH];
    int count;
    int written;
    size_t bytes;
    bool closed;
};

static struct log log_file = {
    .mutex = PTHREAD_MUTEX_INITIALIZER,
    .pending = PTHREAD_COND_INITIALIZER,
    .room = PTHREAD_COND_INITIALIZER,
    .flushed = PTHREAD_COND_INITIALIZER, /* expect: CW004 #1 */
};

static void log_line(const char *text)
{
    pthread_mutex_lock(&log_file.mutex);
    while (log_file.count == LINES)
        pthread_cond_wait(&log_file.room, &log_file.mutex);
    snprintf(log_file.line[log_file.count++], WIDTH, "%s", text);
    pthread_cond_signal(&log_file.pending);
    pthread_mutex_unlock(&log_file.mutex);
}

static void *write_log(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&log_file.mutex);
    for (;;) {
        while (log_file.count == 0 && !log_file.closed)
            pthread_cond_wait(&log_file.pending, &log_file.mutex);
        if (log_file.count == 0)
            break;
        for (int i = 0; i < log_file.count; i++)
            log_file.bytes += strlen(log_file.line[i]);
        log_file.written += log_file.count;
        log_file.count = 0;
        pthread_cond_broadcast(&log_file.room);
        pthread_cond_broadcast(&log_file.flushed); /* expect: CW004 #1 */
    }
    pthread_mutex_unlock(&log_file.mutex);
    return NULL;
}

static void *source(void *name)
{
    char text[WIDTH];

    for (int i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "%s: event %d", (const char *)name, i);
        log_line(text);
    }
    return NULL;
}

int main(void)
{
    static char *names[SOURCES] = { "disk", "network", "clock" };
    pthread_t writer, sources[SOURCES];

    pthread_create(&writer, NULL, write_log, NULL);
    for (int i = 0; i < SOURCES; i++)
        pthread_create(&sources[i], NULL, source, names[i]);
    for (int i = 0; i < SOURCES; i++)
        pthread_join(sources[i], NULL);
    pthread_mutex_lock(&log_file.mutex);
    log_file.closed = true;
    pthread_cond_signal(&log_file.pending);
    pthread_mutex_unlock(&log_file.mutex);
    pthread_join(writer, NULL);
    printf("%d lines, %zu bytes\n", log_file.written, log_file.bytes);
    return 0;
}
