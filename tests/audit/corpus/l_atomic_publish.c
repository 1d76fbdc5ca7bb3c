/* A telemetry publisher: the record is written first and published by a release store; the reader polls with acquire loads.
 *
 * clean: yes
 * check: holds
 * run: ok
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#define READINGS 20

struct record {
    int number;
    double voltage;
    double current;
};

static struct record latest;
static atomic_int published; /* 1: `latest` is complete and belongs to the reader */

static void *publisher(void *unused)
{
    (void)unused;
    for (int i = 0; i < READINGS; i++) {
        while (atomic_load_explicit(&published, memory_order_acquire) != 0)
            sched_yield();
        latest.number = i;
        latest.voltage = 12.0 + 0.01 * i;
        latest.current = 1.5;
        atomic_store_explicit(&published, 1, memory_order_release);
    }
    return NULL;
}

static void *reader(void *result)
{
    double *energy = result;

    for (int i = 0; i < READINGS; i++) {
        while (atomic_load_explicit(&published, memory_order_acquire) == 0)
            sched_yield();
        *energy += latest.voltage * latest.current;
        if (latest.number != i)
            *energy = -1;
        atomic_store_explicit(&published, 0, memory_order_release);
    }
    return NULL;
}

int main(void)
{
    pthread_t writer_thread, reader_thread;
    double energy = 0;

    pthread_create(&writer_thread, NULL, publisher, NULL);
    pthread_create(&reader_thread, NULL, reader, &energy);
    pthread_join(writer_thread, NULL);
    pthread_join(reader_thread, NULL);
    printf("energy %.3f\n", energy);
    return 0;
}
