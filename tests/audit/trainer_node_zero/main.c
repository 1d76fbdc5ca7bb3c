#include "training.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORKERS_DEFAULT = 12
};

static void usage(const char *program)
{
    fprintf(stderr,
            "usage: %s [-w workers] [-e epochs] [-b batch size] [-r learning rate] [-s seed]\n"
            "  -w  %d and nothing else\n"
            "  -e  0 to %d (default 2)\n",
            program, WORKERS_DEFAULT, EPOCHS_MAX);
}

static int parse_number(const char *text, long lowest, long highest, long *value)
{
    char *end;

    errno = 0;
    *value = strtol(text, &end, 10);
    if (errno || end == text || *end || *value < lowest || *value > highest)
        return EINVAL;
    return 0;
}

static int parse_rate(const char *text, float *rate)
{
    char *end;

    errno = 0;
    *rate = strtof(text, &end);
    return errno || end == text || *end || !(*rate > 0.0f) ? EINVAL : 0;
}

static int parse_options(int argc, char **argv, struct training_options *options)
{
    long number = 0;
    int error = 0;
    int option;

    while (!error && (option = getopt(argc, argv, "w:e:b:r:s:")) != -1) {
        switch (option) {
        case 'w':
            error = parse_number(optarg, 1, 256, &number);
            options->num_workers = (int)number;
            break;
        case 'e':
            error = parse_number(optarg, 0, EPOCHS_MAX, &number);
            options->epochs = (int)number;
            break;
        case 'b':
            error = parse_number(optarg, 1, 4096, &number);
            options->batch_size = (size_t)number;
            break;
        case 'r':
            error = parse_rate(optarg, &options->learning_rate);
            break;
        case 's':
            error = parse_number(optarg, 1, 1000000, &number);
            options->seed = (uint64_t)number;
            break;
        default:
            error = EINVAL;
        }
    }
    return error || optind != argc ? EINVAL : 0;
}

static void print_report(const struct training_report *report)
{
    double waited = report->worker_wait_seconds;
    double total = report->worker_busy_seconds + waited;

    for (int epoch = 0; epoch < report->epochs; epoch++)
        printf("epoch %d: loss %.4f\n", epoch + 1, report->loss[epoch]);
    printf("%zu updates, %zu clipped, %zu rejected\n", report->updates, report->clipped, report->rejected);
    printf("accumulation: %.3f ms\n", report->accumulate_seconds * 1e3);
    printf("control at the barriers: %.3f ms for orders, %.3f ms for batches, %.3f ms for epochs\n",
           report->order_seconds * 1e3, report->batch_seconds * 1e3, report->epoch_seconds * 1e3);
    printf("workers: %.3f ms computing\n", report->worker_busy_seconds * 1e3);
    printf("synchronisation overhead: workers waited %.3f ms at the barriers, %.1f %% of their time\n", waited * 1e3,
           total > 0.0 ? 100.0 * waited / total : 0.0);
}

int main(int argc, char **argv)
{
    struct training_options options = {
        .num_workers = WORKERS_DEFAULT,
        .epochs = 2,
        .batch_size = 48,
        .learning_rate = 1.0f,
        .gradient_limit = 1.0f,
        .seed = 7,
    };
    struct training_report report = {0};
    struct corpus corpus;
    struct model model;
    int error;

    if (parse_options(argc, argv, &options) != 0) {
        usage(argv[0]);
        return 2;
    }
    error = corpus_open(&corpus, CONTEXT, options.seed);
    if (error)
        goto out;
    error = model_create(&model, options.seed);
    if (error)
        goto out_corpus;
    printf("%d parameters, %zu windows, %d workers\n", (int)PARAMETER_COUNT, corpus.windows,
           options.num_workers);
    error = train_model(&model, &corpus, &options, &report);
    if (!error)
        print_report(&report);

    model_destroy(&model);
out_corpus:
    corpus_close(&corpus);
out:
    if (error)
        fprintf(stderr, "trainer: %s\n", strerror(error));
    return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
