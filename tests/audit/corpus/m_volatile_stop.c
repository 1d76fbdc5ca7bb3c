/* A load monitor: the sampling thread polls a volatile stop flag that the main thread sets without any ordering.
 *
 * clean: no
 * run: race
 */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define WINDOW 16

static volatile int stop_requested; /* expect: CR002 #1 */

struct monitor {
    pthread_t thread;
    unsigned samples;
    unsigned window[WINDOW];
};

static unsigned read_gauge(unsigned tick)
{
    return (tick * 2654435761u) >> 24;
}

static void *sample(void *argument)
{
    struct monitor *monitor = argument;

    while (!stop_requested) { /* expect: CR002 #1 */
        monitor->window[monitor->samples % WINDOW] = read_gauge(monitor->samples);
        monitor->samples++;
        usleep(1000);
    }
    return NULL;
}

int main(void)
{
    struct monitor monitor = { .samples = 0 };
    unsigned highest = 0;

    pthread_create(&monitor.thread, NULL, sample, &monitor);
    usleep(30000);
    stop_requested = 1; /* expect: CR002 #1 */
    pthread_join(monitor.thread, NULL);
    for (unsigned i = 0; i < WINDOW && i < monitor.samples; i++)
        if (monitor.window[i] > highest)
            highest = monitor.window[i];
    printf("highest value: %u\n", highest);
    return 0;
}
