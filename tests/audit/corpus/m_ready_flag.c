/* A service whose workers spin on a plain `ready` field until the main thread has filled the settings.
 *
 * clean: no
 * run: race
 */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define WORKERS 3

typedef struct Settings {
    int window;
    int step;
    int ready; /* expect: CR002 #1 */
} Settings;

typedef struct Worker {
    Settings *settings;
    pthread_t thread;
    long result;
} Worker;

static void wait_until_ready(Settings *settings)
{
    while (settings->ready == 0) /* expect: CR002 #1 */
        usleep(100);
}

static void *serve(void *argument)
{
    Worker *worker = argument;

    wait_until_ready(worker->settings);
    for (int i = 0; i < worker->settings->window; i += worker->settings->step) /* allow: CR001 */
        worker->result += i;
    return NULL;
}

static void load_settings(Settings *settings)
{
    settings->window = 100; /* allow: CR001 */
    settings->step = 5;     /* allow: CR001 */
    settings->ready = 1;    /* expect: CR002 #1 */
}

int main(void)
{
    Settings settings = { 0, 1, 0 };
    Worker workers[WORKERS];
    long sum = 0;

    for (int i = 0; i < WORKERS; i++) {
        workers[i].settings = &settings;
        workers[i].result = 0;
        pthread_create(&workers[i].thread, NULL, serve, &workers[i]);
    }
    usleep(2000);
    load_settings(&settings);
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(workers[i].thread, NULL);
        sum += workers[i].result;
    }
    printf("sum %ld\n", sum);
    return 0;
}
