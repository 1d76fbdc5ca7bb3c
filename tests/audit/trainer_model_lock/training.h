#ifndef TRAINING_H
#define TRAINING_H

#include "corpus.h"
#include "model.h"

enum {
    EPOCHS_MAX = 64
};

struct training_options {
    int num_threads;
    int epochs;
    size_t batch_size;
    float learning_rate;
    float gradient_limit;
    uint64_t seed;
};

struct training_report {
    int epochs;
    size_t updates;
    double loss[EPOCHS_MAX];
};

/* Trains with options->num_threads workers. Nothing has been trained when it returns an error. */
int train_threaded(struct model *model, struct corpus *corpus, const struct training_options *options,
                   struct training_report *report);

/* The trainer of the first release: everything in the calling thread. */
int train_sequential(struct model *model, struct corpus *corpus, const struct training_options *options,
                     struct training_report *report);

#endif
