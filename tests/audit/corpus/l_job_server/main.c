/* A job server: kinds of jobs are tables of functions, servers take jobs from a bounded queue and run them without any lock.
 *
 * clean: yes
 * run: ok
 */
#include "queue.h"

#include <stdio.h>
#include <stdlib.h>

#define SERVERS 3
#define JOBS 30

/* Number of decimal digits. */
static int length(long number)
{
    int digits = 1;

    while (number /= 10)
        digits++;
    return digits;
}

static long digit_sum(const struct job *job)
{
    long sum = 0;

    for (long n = job->argument; n > 0; n /= 10)
        sum += n % 10;
    return sum * length(job->argument);
}

static long collatz(const struct job *job)
{
    long steps = 0;

    for (long n = job->argument + 1; n != 1; steps++)
        n = n % 2 ? 3 * n + 1 : n / 2;
    return steps;
}

static const struct job_ops kinds[] = {
    { .name = "digit sum", .run = digit_sum },
    { .name = "collatz", .run = collatz },
};

struct server {
    pthread_t thread;
    struct queue *queue;
    unsigned ran;
};

static void *serve(void *argument)
{
    struct server *server = argument;
    struct job job;

    while (queue_take(server->queue, &job)) {
        *job.result = job.ops->run(&job);
        server->ran++;
    }
    return NULL;
}

static void start(struct server *server, struct queue *queue)
{
    server->queue = queue;
    server->ran = 0;
    if (pthread_create(&server->thread, NULL, serve, server) != 0) {
        fputs("cannot start a server\n", stderr);
        exit(EXIT_FAILURE);
    }
}

int main(void)
{
    struct queue queue;
    struct server servers[SERVERS];
    long results[JOBS] = { 0 };
    long sum = 0;
    unsigned ran = 0;

    if (queue_open(&queue) != 0)
        return EXIT_FAILURE;
    for (int i = 0; i < SERVERS; i++)
        start(&servers[i], &queue);
    for (int i = 0; i < JOBS; i++) {
        struct job job = { .ops = &kinds[i % 2], .argument = 1000 + 37 * i, .result = &results[i] };

        queue_put(&queue, &job);
    }
    queue_drain(&queue);
    for (int i = 0; i < SERVERS; i++) {
        pthread_join(servers[i].thread, NULL);
        ran += servers[i].ran;
    }
    queue_close(&queue);
    for (int i = 0; i < JOBS; i++)
        sum += results[i];
    printf("%u jobs (%s, %s), sum %ld\n", ran, kinds[0].name, kinds[1].name, sum);
    return EXIT_SUCCESS;
}
