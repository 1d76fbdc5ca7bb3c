#ifndef TRAINING_H
#define TRAINING_H

#include "corpus.h"
#include "model.h"

enum {
    EPOCHS_MAX = 64
};

struct training_options {
    int num_workers;
    int epochs;
    size_t batch_size;
    float learning_rate;
    float gradient_limit;
    uint64_t seed;
};

struct training_report {
    int epochs;
    size_t updates;
    size_t rejected;
    size_t clipped;
    double loss[EPOCHS_MAX];

    double accumulate_seconds;
    double order_seconds;
    double batch_seconds;
    double epoch_seconds;
    double worker_busy_seconds;
    double worker_wait_seconds;
};

/* Trains in threads of its own and returns when they have ended; EINVAL when there are not twelve workers. */
int train_model(struct model *model, struct corpus *corpus, const struct training_options *options,
                struct training_report *report);

#endif
