#include "lattice_hierarchy.h"
#include "training.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    THREADS_DEFAULT = 12,
    THREADS_MAX = 256,
    LATTICE_LEVELS = 2
};

static void usage(const char *program)
{
    fprintf(stderr,
            "usage: %s [-t threads] [-e epochs] [-b batch size] [-r learning rate] [-s seed]\n"
            "  -t  1 to %d (default %d)\n"
            "  -e  0 to %d (default 2)\n",
            program, THREADS_MAX, THREADS_DEFAULT, EPOCHS_MAX);
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

    while (!error && (option = getopt(argc, argv, "t:e:b:r:s:")) != -1) {
        switch (option) {
        case 't':
            error = parse_number(optarg, 1, THREADS_MAX, &number);
            options->num_threads = (int)number;
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

static int train_model(struct model *model, struct corpus *corpus, const struct training_options *options,
                       struct training_report *report)
{
    int error;

    if (options->num_threads == 1)
        return train_sequential(model, corpus, options, report);
    error = train_threaded(model, corpus, options, report);
    if (error) {
        fprintf(stderr, "no worker threads (%s), going on without them\n", strerror(error));
        error = train_sequential(model, corpus, options, report);
    }
    return error;
}

static void print_report(const struct training_report *report)
{
    printf("%zu updates in %d epochs\n", report->updates, report->epochs);
    if (report->epochs > 1)
        printf("loss %.4f in the first epoch, %.4f in the last\n", report->loss[0], report->loss[report->epochs - 1]);
}

int main(int argc, char **argv)
{
    struct training_options options = {
        .num_threads = THREADS_DEFAULT,
        .epochs = 2,
        .batch_size = 4,
        .learning_rate = 1.0f,
        .gradient_limit = 1.0f,
        .seed = 7,
    };
    struct training_report report = {0};
    struct lattice *lattice;
    struct corpus corpus;
    struct model model;
    int error;

    if (parse_options(argc, argv, &options) != 0) {
        usage(argv[0]);
        return 2;
    }
    lattice = lattice_create(LATTICE_LEVELS);
    if (!lattice) {
        error = errno;
        goto out;
    }
    error = corpus_open(&corpus, CONTEXT, options.seed);
    if (error)
        goto out_lattice;
    error = model_create(&model, options.seed);
    if (error)
        goto out_corpus;
    printf("%d parameters, %zu windows, %d threads, lattice of %d spheres\n", (int)PARAMETER_COUNT, corpus.windows,
           options.num_threads, lattice->count);
    error = train_model(&model, &corpus, &options, &report);
    if (!error)
        print_report(&report);

    model_destroy(&model);
out_corpus:
    corpus_close(&corpus);
out_lattice:
    lattice_destroy(lattice);
out:
    if (error)
        fprintf(stderr, "trainer: %s\n", strerror(error));
    return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
