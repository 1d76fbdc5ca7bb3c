#include "crew.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    LATTICE_LEVELS = 2
};

/* A run of consecutive elements. */
struct span {
    size_t first;
    size_t count;
};

/* Part `index` of `total` elements cut into `parts`: the first `total % parts` of them are one longer. */
static struct span span_of(size_t total, int parts, int index) /* plan step 4: the remainder is dealt out */
{
    size_t share = total / (size_t)parts;
    size_t extra = total % (size_t)parts;
    size_t place = (size_t)index;
    struct span span = {
        .first = place * share + (place < extra ? place : extra),
        .count = share + (place < extra ? 1 : 0),
    };

    return span;
}

double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void fatal(const char *what, int error)
{
    fprintf(stderr, "trainer: %s: %s\n", what, strerror(error));
    exit(EXIT_FAILURE);
}

void crew_cross(pthread_barrier_t *barrier, double *waited_seconds)
{
    double begin = seconds_now();
    int result = pthread_barrier_wait(barrier);

    if (result != 0 && result != PTHREAD_BARRIER_SERIAL_THREAD)
        fatal("pthread_barrier_wait", result);
    *waited_seconds += seconds_now() - begin;
}

float *crew_segment(const struct crew *crew, int position) /* plan step 13: the segments lie in the shared region */
{
    size_t floats = crew->gradient_region->size / sizeof(float);
    struct span segment = span_of(floats, crew->num_workers, position);

    return shared_region_slice(crew->gradient_region, segment.first * sizeof(float), segment.count * sizeof(float));
}

/* ------------------------------------------------------------------ the worker threads */

static void process_batch(struct worker *worker, const struct message *order)
{
    struct crew *crew = worker->crew;
    float *gradients = crew_segment(crew, worker->sphere->position);
    struct span share = span_of(order->count, crew->num_workers, worker->sphere->position);
    struct message report = {
        .kind = MESSAGE_GRADIENTS,
        .round = order->round,
        .first = order->first + share.first,
        .count = share.count,
    };
    double begin = seconds_now();

    memset(gradients, 0, PARAMETER_COUNT * sizeof *gradients);
    for (size_t i = 0; i < report.count; i++) {
        const unsigned char *window = corpus_window(crew->corpus, report.first + i);

        report.loss += model_forward(crew->model, window, &worker->activations); /* plan step 3: working memory of its own */
        model_backward(crew->model, window, &worker->activations, gradients);
    }
    report.busy_seconds = seconds_now() - begin;
    mailbox_post(&worker->reports, &report); /* plan step 11: what was shared is reported instead */
}

void *worker_main(void *argument) /* plan step 10: no lock in the rounds */
{
    struct worker *worker = argument;
    struct crew *crew = worker->crew;
    struct message order;

    do {
        crew_cross(&crew->batch_barrier, &worker->waited_seconds); /* plan step 6: all threads meet twice: Point A */
        mailbox_read(&crew->orders, &order);
        if (order.kind == MESSAGE_BATCH) {
            process_batch(worker, &order);
            crew_cross(&crew->batch_barrier, &worker->waited_seconds);
        } else if (order.kind == MESSAGE_EPOCH) {
            crew_cross(&crew->epoch_barrier, &worker->waited_seconds);
        }
    } while (order.kind != MESSAGE_STOP);
    return NULL;
}

/* ------------------------------------------------------------------ building the crew */

static int create_workers(struct crew *crew)
{
    crew->workers = calloc((size_t)crew->num_workers, sizeof *crew->workers);
    if (!crew->workers)
        return ENOMEM;
    for (int i = 0; i < crew->num_workers; i++) {
        struct worker *worker = &crew->workers[i];

        worker->crew = crew;
        worker->sphere = lattice_child(crew->lattice, lattice_root(crew->lattice), i); /* plan step 14: each thread has its sphere */
        if (!worker->sphere) {
            free(crew->workers);
            return EINVAL;
        }
    }
    return 0;
}

static int create_region(struct crew *crew)
{
    size_t floats = (size_t)crew->num_workers * PARAMETER_COUNT;
    char name[64];

    snprintf(name, sizeof name, "/trainer-gradients-%ld", (long)getpid());
    crew->gradient_region = shared_region_create(name, floats * sizeof(float));
    return crew->gradient_region ? 0 : errno;
}

static int create_barriers(struct crew *crew)
{
    int error = pthread_barrier_init(&crew->batch_barrier, NULL, (unsigned)crew->num_workers + 1);

    if (error)
        return error;
    error = pthread_barrier_init(&crew->epoch_barrier, NULL, (unsigned)crew->num_workers + 1);
    if (error)
        pthread_barrier_destroy(&crew->batch_barrier);
    return error;
}

int crew_create(struct crew *crew, struct model *model, struct corpus *corpus, const struct training_options *options,
                struct training_report *report)
{
    int error = ENOMEM;

    memset(crew, 0, sizeof *crew);
    crew->model = model;
    crew->corpus = corpus;
    crew->options = options;
    crew->report = report;
    crew->num_workers = options->num_workers;

    crew->lattice = lattice_create(LATTICE_LEVELS);
    if (!crew->lattice)
        return ENOMEM;
    crew->node_zero = control_process_create(lattice_root(crew->lattice)); /* plan step 15: the modules are used by the training */
    if (!crew->node_zero)
        goto fail_lattice;
    crew->accumulated = calloc(PARAMETER_COUNT, sizeof *crew->accumulated);
    if (!crew->accumulated)
        goto fail_node_zero;
    error = create_workers(crew);
    if (error)
        goto fail_accumulated;
    error = create_region(crew);
    if (error)
        goto fail_workers;
    error = create_barriers(crew);
    if (error)
        goto fail_region;
    return 0;

fail_region:
    shared_region_destroy(crew->gradient_region);
fail_workers:
    free(crew->workers);
fail_accumulated:
    free(crew->accumulated);
fail_node_zero:
    control_process_destroy(crew->node_zero);
fail_lattice:
    lattice_destroy(crew->lattice);
    return error;
}

void crew_destroy(struct crew *crew) /* plan step 17: nothing is left unused; all ends here */
{
    pthread_barrier_destroy(&crew->epoch_barrier);
    pthread_barrier_destroy(&crew->batch_barrier);
    shared_region_destroy(crew->gradient_region);
    free(crew->workers);
    free(crew->accumulated);
    control_process_destroy(crew->node_zero);
    lattice_destroy(crew->lattice);
}
