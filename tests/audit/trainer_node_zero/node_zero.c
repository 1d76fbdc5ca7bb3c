#include "crew.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* ------------------------------------------------------------------ the accumulated gradient */

/* Folds the fresh segments in the order of their positions; returns the windows they stand for. */
static size_t accumulate_gradients(struct crew *crew) /* plan step 7: no hand-off, one thread reads all segments */
{
    size_t windows = 0;

    memset(crew->accumulated, 0, PARAMETER_COUNT * sizeof *crew->accumulated);
    for (int i = 0; i < crew->num_workers; i++) {
        const struct worker *worker = &crew->workers[i];
        const float *segment = crew_segment(crew, worker->sphere->position);
        struct message report;

        mailbox_read(&worker->reports, &report);
        if (!control_process_collect(crew->node_zero, worker->sphere, &report))
            continue;
        for (size_t k = 0; k < PARAMETER_COUNT; k++)
            crew->accumulated[k] += segment[k];
        windows += report.count;
    }
    return windows;
}

static bool validate_gradients(const float *gradients) /* plan step 12: validate and clip before the update */
{
    for (size_t k = 0; k < PARAMETER_COUNT; k++)
        if (!isfinite(gradients[k]))
            return false;
    return true;
}

/* Takes the mean over the windows and shortens it to the length `limit`; true when that was needed. */
static bool clip_gradients(float *gradients, size_t windows, float limit)
{
    float scale = 1.0f / (float)windows;
    double squares = 0.0;
    double norm;

    for (size_t k = 0; k < PARAMETER_COUNT; k++)
        squares += (double)gradients[k] * gradients[k];
    norm = sqrt(squares) * scale;
    if (norm > limit)
        scale *= limit / (float)norm;
    for (size_t k = 0; k < PARAMETER_COUNT; k++)
        gradients[k] *= scale;
    return norm > limit;
}

/* ------------------------------------------------------------------ one round */

static void publish_order(struct crew *crew, enum message_kind kind, size_t first, size_t count)
{
    struct message order = control_process_open(crew->node_zero, kind, first, count);

    mailbox_post(&crew->orders, &order);
}

static void apply_gradients(struct crew *crew)
{
    struct training_report *report = crew->report;
    double begin = seconds_now();
    size_t windows = accumulate_gradients(crew);

    report->accumulate_seconds += seconds_now() - begin; /* plan step 16: accumulation and waits are measured */
    if (windows == 0 || !validate_gradients(crew->accumulated)) {
        report->rejected++;
        return;
    }
    if (clip_gradients(crew->accumulated, windows, crew->options->gradient_limit))
        report->clipped++;
    model_update(crew->model, crew->accumulated, crew->options->learning_rate);
    report->updates++;
}

static void train_batch(struct crew *crew, size_t first, size_t count)
{
    publish_order(crew, MESSAGE_BATCH, first, count);
    crew_cross(&crew->batch_barrier, &crew->report->order_seconds);
    crew_cross(&crew->batch_barrier, &crew->report->batch_seconds); /* plan step 6: all threads meet twice: Point B */
    apply_gradients(crew);
}

static void train_epoch(struct crew *crew, int epoch)
{
    size_t count;

    corpus_shuffle(crew->corpus);
    for (size_t first = 0; first < crew->corpus->windows; first += count) {
        count = crew->corpus->windows - first;
        if (count > crew->options->batch_size)
            count = crew->options->batch_size;
        train_batch(crew, first, count);
    }
    publish_order(crew, MESSAGE_EPOCH, 0, 0);
    crew_cross(&crew->batch_barrier, &crew->report->order_seconds);
    crew_cross(&crew->epoch_barrier, &crew->report->epoch_seconds); /* plan step 9: the epochs are separated */
    crew->report->loss[epoch] = control_process_close_epoch(crew->node_zero);
    crew->report->epochs = epoch + 1;
}

/* ------------------------------------------------------------------ the control thread */

static int start_workers(struct crew *crew)
{
    if (crew->num_workers != CHILDREN_PER_CONTROL) /* plan step 1: no number of workers but twelve */
        return EINVAL;
    for (int i = 0; i < crew->num_workers; i++) {
        int error = pthread_create(&crew->workers[i].thread, NULL, worker_main, &crew->workers[i]);

        if (error)
            fatal("pthread_create", error);
    }
    return 0;
}

static void join_workers(struct crew *crew)
{
    for (int i = 0; i < crew->num_workers; i++) {
        int error = pthread_join(crew->workers[i].thread, NULL);

        if (error)
            fatal("pthread_join", error);
        crew->report->worker_wait_seconds += crew->workers[i].waited_seconds;
    }
    crew->report->worker_busy_seconds = crew->node_zero->busy_seconds;
}

static void *control_main(void *argument) /* plan step 5: the control runs the epochs */
{
    struct crew *crew = argument;

    crew->control_error = start_workers(crew);
    if (crew->control_error)
        return NULL;
    for (int epoch = 0; epoch < crew->options->epochs; epoch++)
        train_epoch(crew, epoch);
    publish_order(crew, MESSAGE_STOP, 0, 0); /* plan step 8: stop is an order through the barrier */
    crew_cross(&crew->batch_barrier, &crew->report->order_seconds);
    join_workers(crew);
    return NULL;
}

/* ------------------------------------------------------------------ the calling thread */

int train_model(struct model *model, struct corpus *corpus, const struct training_options *options, /* plan step 2: no second implementation */
                struct training_report *report)
{
    struct crew crew;
    int error = crew_create(&crew, model, corpus, options, report);

    if (error)
        return error;
    error = pthread_create(&crew.control_thread, NULL, control_main, &crew);
    if (error)
        goto out;
    error = pthread_join(crew.control_thread, NULL);
    if (error)
        fatal("pthread_join", error);
    error = crew.control_error;
out:
    crew_destroy(&crew);
    return error;
}
